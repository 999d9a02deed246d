"""When curves reach a value: another variant's final one, or one that is given."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medcls.evaluation import metrics, run_scores
from medcls.evaluation.comparisons import Answer, Compare
from medcls.evaluation.epochs import falls, first_as_good, first_at_least, smoothed
from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import AnswerRecord, StudySummary
from medcls.evaluation.wording import data_names, joined, on, when
from medcls.utils.errors import BadInputError

SHARE = 0.95  # of the best value, from where on a curve has converged
LATE, GAIN = 0.2, 0.1  # a curve that gains a tenth of all its gain in the last fifth of its epochs has not ended


@dataclass(frozen=True)
class Reached:
    """When a run first reached the final value of another variant's run with its seed and fold.

    Attributes:
        seed, fold: of both runs.
        goal: the other run's final value.
        epoch: counted from 1, at which the curve is as good; None if it never is.
        smoothed: the epoch of both curves smoothed over five epochs.
    """

    seed: int
    fold: int | None
    goal: float
    epoch: int | None
    smoothed: int | None


def reaches(variant: str, of: str, metric: str = "accuracy", question: str = "") -> Answer:
    """Return the answer that says when a variant first reaches another's final value, seed by seed.

    Args:
        variant: the name of the variant that is to reach a value.
        of: the name of the variant whose final value is to be reached.
        metric: the name of the curve.
        question: as the study asks it.
    """
    asked = question or f"At which epoch does {variant} reach the final {run_scores.words(metric)} of {of}?"

    def answer(summary: StudySummary) -> AnswerRecord:
        values: dict[str, Any] = {}
        sentences = []
        for data in data_names(summary):
            pairs = _reached(summary, data, (variant, of), metric)
            values[data] = [asdict(pair) for pair in pairs]
            sentences.append(on(summary, data, _reach_sentence(variant, pairs)))
        return AnswerRecord(asked, joined(sentences), values)

    return answer


def until(metric: str, value: float, question: str = "") -> Answer:
    """Return the answer that gives the epoch at which each variant's curve first is as good as a value.

    Args:
        metric: the name of the curve.
        value: the value that is to be reached.
        question: as the study asks it.
    """
    least = "at most" if falls(metric) else "at least"
    asked = question or f"After how many epochs is {run_scores.words(metric)} {least} {value:g}?"

    def answer(summary: StudySummary) -> AnswerRecord:
        values: dict[str, dict[str, list[int | None]]] = {}
        sentences = []
        for data in data_names(summary):
            values[data] = {}
            variants = []
            for variant in run_scores.variants(summary, data):
                runs = run_scores.finished(summary, data, variant).values()
                epochs = [first_as_good(run.history[metric], value, metric) for run in runs]
                values[data][variant] = epochs
                variants.append(f"{variant}: {when(epochs)}")
            sentences.append(on(summary, data, "; ".join(variants)) + ".")
        return AnswerRecord(asked, joined(sentences), values)

    return answer


def _reached(summary: StudySummary, data: str, variants: tuple[str, str], metric: str) -> list[Reached]:
    reached = []
    for run, other in run_scores.pairs(summary, data, *variants):
        curve, goal = run.history.get(metric, ()), other.history.get(metric, ())
        if curve and goal:
            smooth = first_as_good(smoothed(curve), smoothed(goal)[-1], metric)
            epoch = first_as_good(curve, goal[-1], metric)
            reached.append(Reached(run.seed, run.fold, goal[-1], epoch, smooth))
    return reached


def _reach_sentence(variant: str, pairs: Sequence[Reached]) -> str:
    if not pairs:
        return f"{variant} has no finished pair of runs to tell from."
    goal = spread_of([pair.goal for pair in pairs]).mean
    plain, smooth = when([pair.epoch for pair in pairs]), when([pair.smoothed for pair in pairs])
    return f"{variant} reaches {goal:.3f} {plain}; smoothed over five epochs, {smooth}."


@dataclass(frozen=True)
class CompareCurves(Compare):
    """A comparison of the epochs that curves take to rise.

    Attributes:
        metric: whose curves they are.
    """

    metric: str = ""

    def check(self, recorded: Collection[str] | None) -> None:
        """Complain, before anything is trained, about a curve that no run will have, or that gets better as it falls.

        Args:
            recorded: the scores that runs of the two variants will have, None where that cannot be told.

        Raises:
            BadInputError: it is such a curve.
        """
        if recorded is not None and self.metric not in recorded:
            wanted = metrics.missing(self.metric, recorded)
            raise BadInputError(f"{self.question!r} asks for what no run will have: {wanted}")
        if falls(self.metric):
            raise BadInputError(f"{self.question!r}: {self.metric} gets better as it falls; name a score that rises.")


@dataclass(frozen=True)
class Converges(CompareCurves):
    """A comparison of the epochs to each one's own best, which says so where that was not reached yet.

    The share of a best value that only grows with more epochs is reached early by a curve that has barely begun.
    """

    def __call__(self, summary: StudySummary) -> AnswerRecord:
        """Return the verdicts on every data set in words, and whose curves were still rising."""
        verdicts = super().__call__(summary)
        sentences = [verdicts.answer]
        for data in verdicts.values:
            note = self._unfinished(summary, data)
            if note:
                sentences.append(on(summary, data, note))
        return AnswerRecord(verdicts.question, joined(sentences), verdicts.values)

    def _unfinished(self, summary: StudySummary, data: str) -> str:
        """Return which variants' curves were still rising at their end, "" for none."""
        pairs = run_scores.pairs(summary, data, self.a, self.b)
        rising_a = sum(_is_rising(run.history.get(self.metric, ())) for run, _ in pairs)
        rising_b = sum(_is_rising(run.history.get(self.metric, ())) for _, run in pairs)
        if not rising_a and not rising_b:
            return ""
        shares = []
        for name, rising in ((self.a, rising_a), (self.b, rising_b)):
            if rising:
                shares.append(f"{rising} of {len(pairs)} runs of {name}")
        return (
            f"At its end {run_scores.words(self.metric)} was still rising in {' and '.join(shares)}: "
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
        curve_a = smoothed(a.history.get(self.metric, ()))
        curve_b = smoothed(b.history.get(self.metric, ()))
        if not curve_a or not curve_b:
            return None, None
        goal = self.share * min(max(curve_a), max(curve_b))
        epoch_a = first_at_least(curve_a, goal) or len(curve_a)
        epoch_b = first_at_least(curve_b, goal) or len(curve_b)
        return float(epoch_a), float(epoch_b)


def converges(a: str, b: str, metric: str = "val_accuracy", question: str = "", expected: str = "") -> Compare:
    """Return the comparison of the epochs that two variants need to 95% of their own best value.

    Args:
        a: the name of a variant.
        b: the name of the variant that is judged.
        metric: the name of the curve.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none.
    """
    score, asked = run_scores.epochs_to(metric, SHARE), question or "Which of them converges faster?"
    return Converges(a, b, score, asked, expected, metric)


def sooner(a: str, b: str, metric: str = "val_accuracy", question: str = "", expected: str = "") -> Compare:
    """Return the comparison of the epochs that two variants need to 95% of what both of a pair of runs reach.

    Args:
        a: the name of a variant.
        b: the name of the variant that is judged.
        metric: the name of the curve.
        question: as the study asks it.
        expected: the verdict that theory or earlier work leads one to expect, "" for none.
    """
    asked = question or f"Which of them comes first to the {run_scores.words(metric)} that both reach?"
    return CompareCurves(a, b, Sooner(metric), asked, expected, metric)


def _is_rising(curve: Sequence[float]) -> bool:
    """Tell whether a curve, smoothed over five epochs, ends while it still gains."""
    smooth = smoothed(curve)
    before = smooth[: len(smooth) - max(1, round(LATE * len(smooth)))]
    if not before:
        return False
    gained = max(smooth) - smooth[0]
    return max(smooth) - max(before) > GAIN * gained
