"""When curves reach a value: another variant's final one, or one that is given."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medcls.evaluation import metrics, run_scores
from medcls.evaluation.comparisons import Compare
from medcls.evaluation.run_scores import RunRecord
from medcls.evaluation.wording import Summary, joined, names, on, when
from medcls.utils.errors import BadInputError

REACHED = (("epoch", ""), ("smoothed", "smoothed over five epochs, "))

Answered = dict[str, Any]
Answer = Callable[[Summary], Mapping[str, Any]]


def reaches(variant: str, of: str, metric: str = "accuracy", question: str = "") -> Answer:
    """Return the answer that says when a variant first reaches another's final value, seed by seed."""
    asked = question or f"At which epoch does {variant} reach the final {run_scores.words(metric)} of {of}?"

    def answer(summary: Summary) -> Answered:
        values, sentences = {}, []
        for data in names(summary):
            pairs = _reached(summary, data, variant, of, metric)
            values[data] = pairs
            sentences.append(on(summary, data, _reach_sentence(variant, pairs)))
        return {"question": asked, "answer": joined(sentences), "values": values}

    return answer


def until(metric: str, value: float, question: str = "") -> Answer:
    """Return the answer that gives the epoch at which each variant's curve first is as good as `value`."""
    least = "at most" if run_scores.falls(metric) else "at least"
    asked = question or f"After how many epochs is {run_scores.words(metric)} {least} {value:g}?"

    def answer(summary: Summary) -> Answered:
        values: dict[str, Any] = {}
        sentences = []
        for data in names(summary):
            curves = {
                name: [run["history"][metric] for run in run_scores.finished(summary, data, name).values()]
                for name in run_scores.variants(summary, data)
            }
            epochs = {
                name: [run_scores.first_as_good(curve, value, metric) for curve in each]
                for name, each in curves.items()
            }
            values[data] = epochs
            sentences.append(on(summary, data, "; ".join(f"{name}: {when(each)}" for name, each in epochs.items())))
        return {"question": asked, "answer": joined([f"{each}." for each in sentences]), "values": values}

    return answer


def _reached(summary: Summary, data: str, variant: str, of: str, metric: str) -> list[dict[str, Any]]:
    runs, others = run_scores.finished(summary, data, variant), run_scores.finished(summary, data, of)
    rows = []
    for pair in sorted(runs.keys() & others.keys(), key=str):
        curve, goal = runs[pair]["history"].get(metric, []), others[pair]["history"].get(metric, [])
        if curve and goal:
            smooth = run_scores.first_as_good(run_scores.smoothed(curve), run_scores.smoothed(goal)[-1], metric)
            plain = run_scores.first_as_good(curve, goal[-1], metric)
            rows.append({"seed": pair[0], "fold": pair[1], "goal": goal[-1], "epoch": plain, "smoothed": smooth})
    return rows


def _reach_sentence(variant: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"{variant} has no finished pair of runs to tell from."
    goal = run_scores.spread([row["goal"] for row in rows])["mean"]
    told = [f"{words}{when([row[name] for row in rows])}" for name, words in REACHED]
    return f"{variant} reaches {goal:.3f} {'; '.join(told)}."


SHARE = 0.95  # of the best value, from where on a curve has converged


LATE, GAIN = 0.2, 0.1  # a curve that gains a tenth of all its gain in the last fifth of its epochs has not ended


@dataclass(frozen=True)
class OfCurves(Compare):
    """A comparison of the epochs that curves take to rise.

    Attributes:
        metric: whose curves they are.
    """

    metric: str = ""

    def check(self, known: Collection[str] | None) -> None:
        """Complain, before anything is trained, about a curve that no run will have, or that gets better as it falls.

        Args:
            known: the scores that runs of the two variants will have, None where that cannot be told.

        Raises:
            BadInputError: it is such a curve.
        """
        if known is not None and self.metric not in known:
            wanted = metrics.missing(self.metric, known)
            raise BadInputError(f"{self.question!r} asks for what no run will have: {wanted}")
        if run_scores.falls(self.metric):
            raise BadInputError(f"{self.question!r}: {self.metric} gets better as it falls; name a score that rises.")


@dataclass(frozen=True)
class Converges(OfCurves):
    """A comparison of the epochs to each one's own best, which says so where that was not reached yet.

    The share of a best value that only grows with more epochs is reached early by a curve that has barely begun.
    """

    def __call__(self, summary: Summary) -> Answered:
        """Return the verdicts on every data set in words, and whose curves were still rising."""
        told = super().__call__(summary)
        notes = [on(summary, data, note) for data in told["values"] if (note := self._unfinished(summary, data))]
        return {**told, "answer": joined([told["answer"], *notes])}

    def _unfinished(self, summary: Summary, data: str) -> str:
        runs = zip(*run_scores.pairs(summary, data, self.a, self.b), strict=True)
        rising = [[_is_rising(run["history"].get(self.metric, [])) for run in each] for each in runs]
        if not any(map(any, rising)):
            return ""
        told = [
            f"{sum(each)} of {len(each)} runs of {name}"
            for name, each in zip((self.a, self.b), rising, strict=True)
            if any(each)
        ]
        return (
            f"At its end {run_scores.words(self.metric)} was still rising in {' and '.join(told)}: "
            "their own best is not known yet, so this comparison favours whoever learnt less."
        )


@dataclass(frozen=True)
class Sooner:
    """The epochs until the curve of each of a pair of runs, smoothed over five epochs, is near what both reach.

    Attributes:
        metric: whose curve it is.
        share: of the lower one of both runs' best values.
    """

    metric: str
    share: float = SHARE
    higher_is_better: bool = False

    @property
    def name(self) -> str:
        """In words with underscores, as in a summary."""
        return f"epochs_to_{self.share:.0%}_of_the_{self.metric}_that_both_reach"

    @property
    def words(self) -> str:
        """The name as a sentence has it."""
        return run_scores.words(self.name)

    def of_pair(self, a: RunRecord, b: RunRecord) -> tuple[float | None, float | None]:
        """Return the epochs of both, counted from 1; None for both where one has no such curve."""
        curves = [run_scores.smoothed(run["history"].get(self.metric, [])) for run in (a, b)]
        if not all(curves):
            return None, None
        goal = self.share * min(max(curve) for curve in curves)
        first, second = (float(run_scores.first_at_least(curve, goal) or len(curve)) for curve in curves)
        return first, second


def converges(a: str, b: str, metric: str = "val_accuracy", question: str = "", expected: str = "") -> Compare:
    """Return the comparison of the epochs that two variants need to 95% of their own best value."""
    score, asked = run_scores.epochs_to(metric, SHARE), question or "Which of them converges faster?"
    return Converges(a, b, score, asked, expected, metric)


def sooner(a: str, b: str, metric: str = "val_accuracy", question: str = "", expected: str = "") -> Compare:
    """Return the comparison of the epochs that two variants need to 95% of what both of a pair of runs reach."""
    asked = question or f"Which of them comes first to the {run_scores.words(metric)} that both reach?"
    return OfCurves(a, b, Sooner(metric), asked, expected, metric)


def _is_rising(curve: Sequence[float]) -> bool:
    """Tell whether a curve, smoothed over five epochs, ends while it still gains."""
    smooth = run_scores.smoothed(curve)
    before = smooth[: len(smooth) - max(1, round(LATE * len(smooth)))]
    if not before:
        return False
    gained = max(smooth) - smooth[0]
    return max(smooth) - max(before) > GAIN * gained
