"""Whether one variant is better than another: the verdicts of a study, corrected for all that it compares."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, runtime_checkable

from medcls.evaluation import judged, paired_tests, ranges, run_scores
from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.judged import level_of
from medcls.evaluation.metrics import METRICS, missing
from medcls.evaluation.run_scores import Compared, Score
from medcls.evaluation.summary import AnswerRecord, StudySummary
from medcls.evaluation.verdict import Verdict
from medcls.evaluation.wording import data_names, joined, made_of, number, on, p_value, than
from medcls.utils.errors import BadInputError
from medcls.utils.typed_json import as_plain

OWN = "If it is a score of your own, higher_is_better=True (or False) in compare(...) says which way it gets better."
Answer: TypeAlias = Callable[[StudySummary], AnswerRecord]
"""What a study asks: a function of the summary."""


@runtime_checkable
class Comparing(Protocol):
    """An answer that rests on comparisons of two variants each."""

    def questions(self, summary: StudySummary | None) -> Sequence["Compare"]:
        """Return these comparisons; before anything has run, without a summary, those that are certain by then."""


@dataclass(frozen=True)
class Compare:
    """Is variant `b` better than variant `a`? The verdict is corrected for all comparisons of the study.

    Attributes:
        a, b: names of variants.
        score: what is compared.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none: the answer says
            whether the data agree.
        candidates: out of how many variants `b` was chosen by this very score: p is multiplied by that number.
    """

    a: str
    b: str
    score: Compared
    question: str
    expected: str = ""
    candidates: int = field(default=1, kw_only=True)

    def questions(self, summary: StudySummary | None) -> Sequence["Compare"]:  # noqa: ARG002
        """Return this comparison itself."""
        return (self,)

    def __call__(self, summary: StudySummary) -> AnswerRecord:
        """Return the verdicts on every data set in words."""
        sentences = []
        values = {}
        for comparison in summary.comparisons:
            if self.is_mine(comparison):
                sentences.append(on(summary, comparison.data, self.sentence(summary, comparison)))
                values[comparison.data] = as_plain(comparison)
        return AnswerRecord(self.question, joined(sentences) or self._no_pair(summary), values)

    def comparison(self, summary: StudySummary, data: str) -> Comparison:
        """Return the comparison on one data set, its p not yet adjusted and its verdict still open."""
        test = judged.tested(summary, data, self.a, self.b, self.score)
        tested = test.result
        p = None if tested.p is None else min(1.0, tested.p * self.candidates)
        return Comparison(
            data=data,
            metric=self.score.name,
            a=self.a,
            b=self.b,
            difference=tested.difference,
            ci95=tested.ci95,
            p=tested.p,
            p_adjusted=p,
            n=tested.n,
            runs=len(run_scores.every_pair(summary, data, self.a, self.b, self.score)),
            detectable=ranges.detectable(summary, self.score.name, tested.detectable),
            mcnemar=self._mcnemar(summary, data) if tested.n == 1 else None,
            verdict=Verdict.UNDECIDED if tested.n else Verdict.ONE_RUN,
            judged_on=test.judged_on,
        )

    def _mcnemar(self, summary: StudySummary, data: str) -> float | None:
        """Return p of the only pair's predictions, None where they are not known or the score is not the accuracy."""
        run_of_a, run_of_b = run_scores.pairs(summary, data, self.a, self.b)[0]
        right_a, right_b = run_scores.right(run_of_a), run_scores.right(run_of_b)
        if self.score.name != "val_accuracy" or right_a is None or right_b is None or len(right_a) != len(right_b):
            return None
        return paired_tests.mcnemar(right_a, right_b)

    def is_mine(self, comparison: Comparison) -> bool:
        """Tell whether one of the summary's comparisons answers this question."""
        return (comparison.a, comparison.b, comparison.metric) == (self.a, self.b, self.score.name)

    @property
    def is_better_higher(self) -> bool:
        """Which way the score gets better.

        Raises:
            BadInputError: nobody has said so.
        """
        if self.score.higher_is_better is None:
            raise BadInputError(
                f"Nothing says which way {self.score.name} gets better: give "
                f"compare({self.a!r}, {self.b!r}, {self.score.name!r}, higher_is_better=True), or False."
            )
        return self.score.higher_is_better

    def check(self, recorded: Collection[str] | None) -> None:
        """Complain, before anything is trained, about a score that no run will have or whose direction nobody knows.

        Args:
            recorded: the scores that runs of the two variants will have, None where that cannot be told.

        Raises:
            BadInputError: it is such a score.
        """
        name = self.score.name
        by_name = isinstance(self.score, Score) and self.score.by_name
        if by_name and recorded is not None and name not in recorded:
            raise BadInputError(f"{self.question!r} asks for what no run will have: {missing(name, recorded)}")
        if by_name and recorded is None and self.score.higher_is_better is None:
            raise BadInputError(f"{self.question!r}: {missing(name, METRICS)} {OWN}")
        _ = self.is_better_higher

    def _no_pair(self, summary: StudySummary, data: str = "") -> str:
        """Return why there is nothing to compare."""
        both = run_scores.pairs(summary, data, self.a, self.b)
        recorded = run_scores.names(summary)
        if both and isinstance(self.score, Score) and self.score.by_name and self.score.name not in recorded:
            return f"{self.b} and {self.a} cannot be compared: {missing(self.score.name, recorded)}"
        return f"{self.b} and {self.a} have no finished pair of runs to compare by {self.score.words}."

    def sentence(self, summary: StudySummary, row: Comparison) -> str:
        """Return a verdict of the summary in words.

        Args:
            summary: what the study ended with.
            row: that one of its comparisons which answers this question.
        """
        digits = run_scores.digits(self.score.name)
        if not row.n:
            return self._no_pair(summary, row.data)
        difference = f"{number(row.difference, digits, signed=True)} in {self.score.words}"
        if row.verdict == Verdict.ONE_RUN:
            sentence = f"{self.b} differs from {self.a} by {difference} in one pair of runs: {_why_one_pair(row)}"
            if row.mcnemar is None:
                return f"{sentence}."
            return f"{sentence} (McNemar's p {p_value(row.mcnemar, '= ')} is about these two trained networks only)."
        verdict = f"{self.b} is {row.verdict} {than(row.verdict)} {self.a}: {difference}"
        low, high = row.ci95
        if low == high:
            return (
                f"{verdict} in each of {row.n} pairs of runs. The difference never varies, so there is no interval "
                "over seeds or folds, and no verdict."
            )
        count = f"n = {row.n}"
        if row.repeated:
            count += f"; {row.repeated} more repeat some of these to the bit"
        interval = f"95% interval {number(low, digits, signed=True)} to {number(high, digits, signed=True)}"
        numbers = f"{verdict} ({interval}, adjusted p {p_value(row.p_adjusted, '= ')}, {count})"
        if row.verdict == Verdict.UNDECIDED:
            if not row.detectable:
                none = f"{numbers}; with n = {row.n}, no difference that is possible would be found (80% power)."
                return f"{none}{made_of(row)}"
            least = f"only differences of about {row.detectable:.{digits}f} or more are detectable (80% power)"
            return f"{numbers}; with n = {row.n}, {least}.{made_of(row)}"
        return f"{numbers}.{self._agreement(row)}{made_of(row)}"

    def _agreement(self, row: Comparison) -> str:
        """Return whether a verdict is the expected one, "" where none is expected."""
        if not self.expected:
            return ""
        return " As expected." if row.verdict == self.expected else f" This contradicts the expected {self.expected}."


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
        score: what is compared: a name in the history or among the final scores, or a score of `run_scores`.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none.
        higher_is_better: which way a score of one's own gets better; the table of metrics knows its own.
    """
    measure = run_scores.score(score, higher_is_better=higher_is_better) if isinstance(score, str) else score
    return Compare(a, b, measure, question or f"Is {b} better than {a} by {measure.words}?", expected)


def comparisons(summary: StudySummary, answers: Sequence[Answer]) -> tuple[Comparison, ...]:
    """Return all comparisons among the answers on every data set, p adjusted over all of them (Holm 1979).

    In a study that adds seeds until it is decided, p counts for all looks, too (`paired_tests.levels`).
    """
    names = data_names(summary)
    asked = []
    for data in names:
        for question in questions(answers, summary):
            if len(names) == 1 or _concerns(question, summary, data):
                asked.append((question, question.comparison(summary, data)))
    adjusted = paired_tests.holm([row.p_adjusted for _, row in asked])
    rows = []
    for (question, row), holm in zip(asked, adjusted, strict=True):
        p, verdict = paired_tests.at_look(holm, level_of(summary)), row.verdict
        if row.n > 1 and p is not None:
            verdict = paired_tests.verdict(row.difference, p, higher_is_better=question.is_better_higher)
        elif row.n == 1:
            verdict = Verdict.ONE_RUN
        rows.append(replace(row, p_adjusted=p, verdict=verdict))
    return tuple(rows)


def questions(answers: Sequence[object], summary: StudySummary | None = None) -> list[Compare]:
    """Return all comparisons of two variants on which answers rest, in their order."""
    asked: list[Compare] = []
    for answer in answers:
        if isinstance(answer, Comparing):
            asked += answer.questions(summary)
    return asked


def _why_one_pair(row: Comparison) -> str:
    """Return why one pair of runs is all that there is, or what to do about it."""
    if row.repeats_nothing:
        return f"the same one {row.runs} times, as the seed changes nothing here (n = 1), so more seeds tell no more"
    return "repeat it with more seeds to judge"


def _concerns(question: Compare, summary: StudySummary, data: str) -> bool:
    """Tell whether a comparison is one on a data set: in a study of several, its variants may have their own."""
    return any(run.data == data and run.variant in (question.a, question.b) for run in summary.runs)


def decided(summary: StudySummary, answers: Sequence[Answer]) -> bool:
    """Tell whether more seeds are of no use to the first comparison among the answers.

    That is where on every data set it has a verdict of better or worse, or no seed changes anything.
    """
    first = questions(answers, summary)[0]
    for row in comparisons(summary, answers):
        if first.is_mine(row) and row.verdict not in (Verdict.BETTER, Verdict.WORSE) and not row.repeats_nothing:
            return False
    return True


def interim_look(summary: StudySummary) -> str:
    """Return a sentence on the interim looks of a study that adds seeds until it is decided, "" for another."""
    look = summary.look
    if look is None:
        return ""
    counts = ", ".join(map(str, look.seeds))
    sentence = (
        f"This is look {look.number} of {len(look.seeds)} (after {counts} seeds): p and intervals are widened so that "
        "all looks together keep the 5%."
    )
    stopped = look.number < len(look.seeds) and any(row.repeats_nothing for row in summary.comparisons)
    return f"{sentence} No more seeds were added, as they change nothing." if stopped else sentence
