"""What answers are made of: numbers and epochs in words."""

from collections.abc import Collection, Iterable, Sequence

from medcls.evaluation import run_scores
from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.spread import ROUNDING, Spread, spread_of
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.verdict import Verdict


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return a number with so many digits after the point; what rounds to zero has no sign.

    Args:
        value: the number.
        digits: after the point; 3 by default.
        signed: whether positive numbers have a sign, too, as differences do.
    """
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def spread_in_words(spread: Spread, digits: int) -> str:
    """Return mean, deviation and interval of repeats; equal ones have no interval, a single one no deviation."""
    mean = number(spread.mean, digits)
    if len(spread.values) < 2:
        return mean
    if spread.ci95 is None:
        return f"{mean} ± {spread.sd:.{digits}f}"
    low, high = spread.ci95
    return f"{mean} ± {spread.sd:.{digits}f} [{number(low, digits)}, {number(high, digits)}]"


def mean_sd(mean: float, sd: float) -> str:
    """Return a mean and its standard deviation over repeats, the mean alone where they do not differ."""
    return f"{number(mean)} ± {sd:.3f}" if sd > ROUNDING * abs(mean) else number(mean)


def counted(runs: Collection[RunRecord]) -> str:
    """Return how many runs there are, and how many of them differ where some are alike to the bit."""
    different = run_scores.distinct(runs)
    return str(len(runs)) if different == len(runs) else f"{len(runs)}, {different} different"


def p_value(p: float | None, before: str = "") -> str:
    """Return p with `before` it ("= 0.012"), "< 0.001" where three digits would say that it is 0, "" without one."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.0005 else f"{before}{p:.3f}"


def when(epochs: Sequence[int | None]) -> str:
    """Return in words at which epochs runs have reached something, None for those that have not."""
    reached = [float(epoch) for epoch in epochs if epoch is not None]
    if not reached:
        return "in no run"
    missed = len(epochs) - len(reached)
    never = f" ({missed} of {len(epochs)} runs never)" if missed else ""
    return f"at epoch {spread_in_words(spread_of(reached), 1 if len(reached) > 1 else 0)}{never}"


def data_names(summary: StudySummary) -> list[str]:
    """Return the names of a study's data sets."""
    return [data.name for data in summary.data_sets]


def asked_of(question: str, data_sets: Iterable[tuple[str, str | None]]) -> str:
    """Return a study's question, and of which data it is asked where these are not the study's own.

    Args:
        question: as the study's file asks it: it may speak of X-rays, whatever images there are.
        data_sets: the name of each data set, and the names of the study's own that it replaces, "" or None for none.
    """
    replaced = []
    for name, instead_of in data_sets:
        if instead_of:
            replaced.append(f"{name} in place of {instead_of}")
    return f"{question} (asked of {', '.join(replaced)})" if replaced else question


def asked(summary: StudySummary) -> str:
    """Return the question of a finished study, and of which data it was asked where these are not its own."""
    return asked_of(summary.question, [(data.name, data.instead_of) for data in summary.data_sets])


def on(summary: StudySummary, data: str, sentence: str) -> str:
    """Return a sentence, with the name of its data set before it where the study has several.

    Args:
        summary: what a study ended with.
        data: the name of the data set that the sentence is about.
        sentence: any.
    """
    return sentence if len(summary.data_sets) == 1 else f"On {data}: {sentence}"


def joined(sentences: Sequence[str]) -> str:
    """Return sentences as one text."""
    return " ".join(sentences)


def than(verdict: Verdict) -> str:
    """Return the word that follows a verdict."""
    return "than" if verdict in (Verdict.BETTER, Verdict.WORSE) else "from"


def made_of(row: Comparison) -> str:
    """Return what a comparison's uncertainty is made of, "" where its test is over seeds or folds alone."""
    images = row.judged_on
    if images is None:
        return ""
    units = f"{images.images} images" if images.patients is None else f"{images.patients} patients"
    several = images.patients is not None and images.patients < images.images
    those = f"{units}, who have {images.images} images" if several else units
    if images.share < 0.005:
        return f" Next to none of the variance of this difference comes from the {those}: more seeds do reduce it."
    cause = f" {images.share:.0%} of the variance of this difference comes from the {those}"
    return f"{cause}: more seeds do not reduce that part."
