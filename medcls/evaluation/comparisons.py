"""Whether one variant is better than another: the verdicts of a study, corrected for all that it compares."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medcls.evaluation import paired_tests, run_scores
from medcls.evaluation.metrics import METRICS, missing
from medcls.evaluation.paired_tests import BETTER, ONE_RUN, UNDECIDED, WORSE, Comparison
from medcls.evaluation.run_scores import Compared, Score
from medcls.evaluation.wording import Summary, joined, names, on, p_value, than
from medcls.utils.errors import BadInputError

OWN = "If it is a score of your own, higher_is_better=True (or False) in compare(...) says which way it gets better."
Answered = dict[str, Any]
Answer = Callable[[Summary], Mapping[str, Any]]


@dataclass(frozen=True)
class Compare:
    """Is variant `b` better than variant `a`? The verdict is corrected for all comparisons of the study.

    Attributes:
        a, b: names of variants.
        score: what is compared.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none: the answer says
            whether the data agree.
    """

    a: str
    b: str
    score: Compared
    question: str
    expected: str = ""

    def __call__(self, summary: Summary) -> Answered:
        """Return the verdicts on every data set in words."""
        rows = [row for row in summary["comparisons"] if self.is_mine(row)]
        sentences = [on(summary, row["data"], self._sentence(summary, row)) for row in rows]
        values = {row["data"]: row for row in rows}
        return {"question": self.question, "answer": joined(sentences) or self._no_pair(summary, ""), "values": values}

    def row(self, summary: Summary, data: str) -> Answered:
        """Return the comparison on one data set as a row of the summary, its p not adjusted yet."""
        found = _compared(summary, data, self)
        return {
            "data": data,
            "metric": self.score.name,
            "a": self.a,
            "b": self.b,
            "difference": found.difference,
            "ci95": list(found.ci95),
            "p": found.p,
            "p_adjusted": found.p,
            "n": found.n,
            "runs": len(run_scores.every_pair(summary, data, self.a, self.b, self.score)),
            "detectable": found.detectable,
            "mcnemar": self._mcnemar(summary, data) if found.n == 1 else None,
            "verdict": UNDECIDED if found.n else ONE_RUN,
        }

    def _mcnemar(self, summary: Summary, data: str) -> float | None:
        """Return p of the only pair's predictions, None where they are not known or the score is another."""
        right = [run_scores.right(run) for run in run_scores.pairs(summary, data, self.a, self.b)[0]]
        if self.score.name != "val_accuracy" or any(each is None for each in right):
            return None
        a, b = (np.asarray(each) for each in right)
        return paired_tests.mcnemar(a, b) if len(a) == len(b) else None

    def is_mine(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of the summary's comparisons is this one's."""
        return (row["a"], row["b"], row["metric"]) == (self.a, self.b, self.score.name)

    @property
    def is_better_higher(self) -> bool:
        """Which way the score gets better.

        Raises:
            BadInputError: nobody has said so.
        """
        if self.score.higher_is_better is None:
            raise BadInputError(
                f"Which way {self.score.name} gets better is not known: "
                f"compare({self.a!r}, {self.b!r}, {self.score.name!r}, higher_is_better=True), or False, says it."
            )
        return self.score.higher_is_better

    def check(self, known: Collection[str] | None) -> None:
        """Complain, before anything is trained, about a score that no run will have or whose direction nobody knows.

        Args:
            known: the scores that runs of the two variants will have, None where that cannot be told.

        Raises:
            BadInputError: it is such a score.
        """
        by_name = isinstance(self.score, Score) and self.score.by_name
        if by_name and known is not None and self.score.name not in known:
            raise BadInputError(f"{self.question!r} asks for what no run will have: {missing(self.score.name, known)}")
        if by_name and known is None and self.score.higher_is_better is None:
            raise BadInputError(f"{self.question!r}: {missing(self.score.name, METRICS)} {OWN}")
        _ = self.is_better_higher

    def _no_pair(self, summary: Summary, data: str) -> str:
        """Return why there is nothing to compare."""
        both = run_scores.pairs(summary, data, self.a, self.b)
        there_are = run_scores.names(summary)
        if both and isinstance(self.score, Score) and self.score.by_name and self.score.name not in there_are:
            return f"{self.b} and {self.a} cannot be compared: {missing(self.score.name, there_are)}"
        return f"{self.b} and {self.a} have no finished pair of runs to compare by {self.score.words}."

    def _sentence(self, summary: Summary, row: Mapping[str, Any]) -> str:
        what, digits = self.score.words, run_scores.digits(self.score.name)
        if not row["n"]:
            return self._no_pair(summary, row["data"])
        by = f"{row['difference']:+.{digits}f} in {what}"
        if row["verdict"] == ONE_RUN:
            told = f"{self.b} differs from {self.a} by {by} in one pair of runs: {_for_want_of(row)}"
            if row["mcnemar"] is None:
                return f"{told}."
            return f"{told} (McNemar's p {p_value(row['mcnemar'], '= ')} speaks of these two trained networks alone)."
        if row["ci95"][0] == row["ci95"][1]:
            return (
                f"{self.b} is {row['verdict']} {than(row['verdict'])} {self.a}: {by} in each of {row['n']} pairs of "
                "runs. Where the difference never varies, there is no interval over seeds or folds, and no verdict."
            )
        low, high = (f"{end:+.{digits}f}" for end in row["ci95"])
        count = f"n = {row['n']}{_repeated(row)}"
        numbers = f"{by} (95% interval {low} to {high}, adjusted p {p_value(row['p_adjusted'], '= ')}, {count})"
        least = f"; with so few repeats only differences from about {row['detectable']:.{digits}f} up would show"
        least = least if row["verdict"] == UNDECIDED and row["detectable"] else ""
        return f"{self.b} is {row['verdict']} {than(row['verdict'])} {self.a}: {numbers}{least}.{self._agreement(row)}"

    def _agreement(self, row: Mapping[str, Any]) -> str:
        if not self.expected or row["verdict"] == UNDECIDED:
            return ""
        return " As expected." if row["verdict"] == self.expected else f" Expected was {self.expected}."


def compare(
    a: str,
    b: str,
    score: str | Compared,
    question: str = "",
    expected: str = "",
    *,
    higher_is_better: bool | None = None,
) -> Compare:
    """Return the comparison of variant `b` with variant `a` by a score or its name.

    Args:
        a: the name of a variant.
        b: the name of the variant that is judged.
        score: what is compared: a name in the history or among the final scores, or what `repeats` makes of a run.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none.
        higher_is_better: which way a score of one's own gets better; what is in the table of metrics needs no word.
    """
    measure = run_scores.score(score, higher_is_better=higher_is_better) if isinstance(score, str) else score
    return Compare(a, b, measure, question or f"Is {b} better than {a} by {measure.words}?", expected)


def comparisons(summary: Summary, answers: Sequence[Answer]) -> list[Answered]:
    """Return the rows of all comparisons among the answers on every data set, p adjusted over all of them (Holm).

    In a study that adds seeds until it is decided, p counts also for the looks that there are (`comparison.levels`).
    """
    asked = [each for each in answers if isinstance(each, Compare)]
    every = names(summary)
    rows = [
        (each, each.row(summary, name)) for name in every for each in asked if _concerns(each, summary, name, every)
    ]
    adjusted = paired_tests.holm([row["p"] for _, row in rows])
    for (each, row), holm in zip(rows, adjusted, strict=True):
        p = row["p_adjusted"] = paired_tests.at_look(holm, _level(summary))
        if row["n"] > 1 and p is not None:
            row["verdict"] = paired_tests.verdict(row["difference"], p, higher_is_better=each.is_better_higher)
        elif row["n"] == 1:
            row["verdict"] = ONE_RUN
    return [row for _, row in rows]


def repeats_nothing(row: Mapping[str, Any]) -> bool:
    """Tell whether the runs of a comparison are one pair again and again, as no seed changes anything."""
    return bool(row["n"] == 1 < row.get("runs", 1))


def _for_want_of(row: Mapping[str, Any]) -> str:
    """Return why one pair of runs is all that there is, or what to do about it."""
    if repeats_nothing(row):
        return f"the same one {row['runs']} times, as the seed changes nothing here (n = 1), so more seeds tell no more"
    return "repeat it with more seeds to judge"


def _repeated(row: Mapping[str, Any]) -> str:
    """Return in words how many pairs are others again, "" where none is."""
    again = row.get("runs", row["n"]) - row["n"]
    return f"; {again} more repeat some of these to the bit" if again else ""


def _concerns(asked: Compare, summary: Summary, data: str, every: Sequence[str]) -> bool:
    """Tell whether a comparison is one on a data set: in a study of several, its variants may have their own."""
    return len(every) == 1 or any(
        run["data"] == data and run["variant"] in (asked.a, asked.b) for run in summary["runs"]
    )


def decided(summary: Summary, answers: Sequence[Answer]) -> bool:
    """Tell whether more seeds are of no use to the first comparison among the answers.

    That is where on every data set it has a verdict of better or worse, or no seed changes anything.
    """
    first = next(each for each in answers if isinstance(each, Compare))
    rows = [row for row in comparisons(summary, answers) if first.is_mine(row)]
    return all(row["verdict"] in (BETTER, WORSE) or repeats_nothing(row) for row in rows)


def looked(summary: Summary) -> str:
    """Return a sentence on the looks of a study that adds seeds until it is decided, "" for another."""
    look = summary.get("look")
    if not look:
        return ""
    others = ", ".join(map(str, look["seeds"]))
    now = f"This is look {look['number']} of {len(look['seeds'])} (after {others} seeds)"
    widened = f"{now}: p and intervals are widened so that all looks together keep the 5%."
    alike = look["number"] < len(look["seeds"]) and any(map(repeats_nothing, summary.get("comparisons", ())))
    return f"{widened} No more seeds were added, as they change nothing." if alike else widened


def _level(summary: Summary) -> float:
    """Return what may be spent at the look that a summary is of: all, unless the study adds seeds."""
    return float((summary.get("look") or {}).get("level", paired_tests.LEVEL))


def _compared(summary: Summary, data: str, asked: Compare) -> Comparison:
    """Return the paired test, without interval where all pairs differ by the same, and then without p unless by 0.

    How a difference varies from repeat to repeat is not known where it does not vary but by rounding.
    """
    pairs = run_scores.paired(summary, data, asked.a, asked.b, asked.score)
    if not pairs:
        return Comparison(0.0, (0.0, 0.0), None, 0, None)
    a, b = [first for first, _ in pairs], [second for _, second in pairs]
    run = next(iter(run_scores.finished(summary, data, asked.a).values()))
    folds = run["params"].get("folds")
    level = _level(summary)
    found = paired_tests.over_folds(a, b, folds, level) if folds else paired_tests.over_seeds(a, b, level)
    if found.n < 2 or not run_scores.is_alike(np.subtract(b, a), float(np.abs(pairs).max())):
        return found
    mean = found.difference
    return Comparison(mean, (mean, mean), None if mean else found.p, found.n, None)
