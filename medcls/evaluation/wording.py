"""What answers are made of: numbers and epochs in words."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.paired_tests import BETTER, WORSE

Summary = Mapping[str, Any]


def said(found: Mapping[str, Any], digits: int) -> str:
    """Return mean, deviation and interval of repeats in words; equal ones have no interval, one has no deviation."""
    if len(found["values"]) < 2:
        return f"{found['mean']:.{digits}f}"
    if found["ci95"] is None:
        return f"{found['mean']:.{digits}f} ± {found['sd']:.{digits}f}"
    low, high = found["ci95"]
    return f"{found['mean']:.{digits}f} ± {found['sd']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def mean_sd(mean: float, sd: float) -> str:
    """Return a mean and its standard deviation over repeats, the mean alone where they do not differ."""
    return f"{mean:.3f} ± {sd:.3f}" if sd > run_scores.ROUNDING * abs(mean) else f"{mean:.3f}"


def counted(runs: Collection[run_scores.RunRecord]) -> str:
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
    never = f" ({len(epochs) - len(reached)} of {len(epochs)} runs never)" if len(reached) < len(epochs) else ""
    return f"at epoch {said(run_scores.spread(reached), 1 if len(reached) > 1 else 0)}{never}"


def names(summary: Summary) -> list[str]:
    """Return the names of the data sets."""
    return [each["name"] for each in summary["data_sets"]]


def on(summary: Summary, data: str, sentence: str) -> str:
    """Return a sentence with the data set that it is of, where there are several."""
    return sentence if len(summary["data_sets"]) == 1 else f"On {data}: {sentence}"


def joined(sentences: Sequence[str]) -> str:
    """Return sentences as one text."""
    return " ".join(sentences)


def than(verdict: str) -> str:
    """Return the word that follows a verdict."""
    return {BETTER: "than", WORSE: "than"}.get(verdict, "from")
