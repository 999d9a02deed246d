"""Is one variant better than another? Paired tests over seeds, over folds, and over the images of a single pair.

All of them compare what was paired: the same seed, the same fold, the same images. Their limits belong to every
answer: few repeats can show large effects only, so each comparison says the smallest difference that it could find.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.verdict import Verdict
from medcls.utils.lazy import scipy

LEVEL = 0.05  # how often a difference may be claimed where there is none
POWER = 0.8  # how often the smallest detectable difference would have been found


@dataclass(frozen=True)
class PairedDifference:
    """What a paired test says of "b minus a".

    Attributes:
        difference: the mean of b minus a.
        ci95: its 95% interval (wider at a look of a study that adds seeds, so that all looks together keep the
            95%); both ends the difference itself where there is one pair only.
        p: two-sided, None where there is one pair only.
        n: the number of pairs.
        detectable: the smallest true difference that this test would have found in 80 of 100 such studies,
            with pairs that differ as much from one another as these; None where there is one pair only.
    """

    difference: float
    ci95: tuple[float, float]
    p: float | None
    n: int
    detectable: float | None


def over_seeds(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> PairedDifference:
    """Return the paired t-test (Student 1908) of one score a seed under each variant.

    Seeds are independent repeats, so the differences are a plain sample; over three seeds t has two degrees of
    freedom, and the interval is wide. Where all differences are the same, as scores on few images can be by
    chance, their spread says nothing: there p is the exact sign-flip test's, 2 of the 2^n ways to flip the signs.

    Args:
        a: of length n, in the order of the seeds.
        b: likewise, with the same seeds.
        level: what this look at the seeds may spend (see `levels`).
    """
    return _paired_t(np.subtract(b, a), 0.0, level)


def over_folds(a: Sequence[float], b: Sequence[float], folds: int, level: float = LEVEL) -> PairedDifference:
    """Return the corrected resampled t-test (Nadeau and Bengio 2003, equation 9) of one score a fold.

    The folds' training sets overlap, so their scores are not independent, and the plain t-test claims far too
    much. The correction adds the ratio of test to training images, 1 to `folds` - 1, to the variance of the mean.

    Args:
        a: of length n, one score a fold (and repetition of the cross-validation).
        b: likewise, from the same folds.
        folds: of one cross-validation.
        level: as of `over_seeds`.
    """
    return _paired_t(np.subtract(b, a), 1.0 / (folds - 1), level)


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> float:
    """Return the exact p of McNemar's test (1947) for two models on the same images.

    Only images on which one is right and the other wrong count: under no difference each falls to either side
    like a coin. It speaks of these two trained models, not of the variants: another seed may say otherwise.

    Args:
        right_a: of shape (n,): whether the first model was right.
        right_b: likewise of the second.
    """
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(~right_a & right_b))
    return float(scipy.stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def sign_flip(differences: Sequence[float]) -> float:
    """Return the exact two-sided p of the sign-flip permutation test (Fisher 1935) of n differences, n up to 20.

    The test assumes nothing but symmetry, and its p can never fall below 2 / 2^n: 0.25 over three seeds, 0.063 over
    five.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2 or not values.any():  # SciPy wants two values; differences of 0 have no sign to flip
        return 1.0
    result = scipy.stats.permutation_test(
        (values,),
        lambda flipped, axis: np.abs(np.sum(flipped, axis=axis)),
        permutation_type="samples",
        n_resamples=np.inf,
        batch=4096,
    )
    # SciPy's own tolerance is relative to the observed sum: too little where that is near 0.
    tolerance = 1e-12 * np.abs(values).sum()
    return float(np.mean(result.null_distribution >= result.statistic - tolerance))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Return the p-values adjusted for being so many (Holm 1979); None, no test at all, stays None."""
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        adjusted[place] = highest
    return adjusted


def verdict(difference: float, p: float | None, *, higher_is_better: bool, level: float = LEVEL) -> Verdict:
    """Return what an adjusted p lets one say of b against a."""
    if p is None:
        return Verdict.ONE_RUN
    if p > level or difference == 0:
        return Verdict.UNDECIDED
    return Verdict.BETTER if (difference > 0) == higher_is_better else Verdict.WORSE


def looks(first: int, most: int) -> list[int]:
    """Return after how many seeds a study that adds seeds is looked at: twice as many each time, at last `most`."""
    counts = [first]
    while counts[-1] < most:
        counts.append(min(2 * counts[-1], most))
    return counts


def levels(looks: Sequence[int], level: float = LEVEL) -> list[float]:
    """Return the level at each look of a study that adds seeds until it is decided.

    Looking again and again at 5% each would claim too much. Here every look has the share of the 5% that its new
    seeds are of all (Lan and DeMets 1983, with a linear spending function); the shares sum to the level, so by
    Bonferroni's inequality the whole keeps it, whatever the looks have in common.

    Args:
        looks: the number of seeds at each look, rising; the last is the most that may be run.
        level: of the whole.
    """
    new = np.diff([0, *looks])
    return [float(level * share / looks[-1]) for share in new]


def at_look(p: float | None, level: float) -> float | None:
    """Return p as it counts against the whole study's 5% where this look may spend `level` alone."""
    return None if p is None else min(1.0, p * LEVEL / level)


def _paired_t(differences: NDArray[np.float64], inflation: float, level: float) -> PairedDifference:
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return PairedDifference(mean, (mean, mean), None, n, None)
    error = float(np.std(differences, ddof=1)) * math.sqrt(1 / n + inflation)
    if error < 1e-12:
        return PairedDifference(mean, (mean, mean), _sign_flip_of_equals(mean, n), n, 0.0)
    half = float(scipy.stats.t.ppf(1 - level / 2, n - 1)) * error
    p = 2 * float(scipy.stats.t.sf(abs(mean) / error, n - 1))
    return PairedDifference(mean, (mean - half, mean + half), p, n, error * noncentrality(n - 1, level))


def _sign_flip_of_equals(difference: float, n: int) -> float:
    """Return the exact p of the sign-flip test of n equal differences; of few it is computed, of many it is known."""
    if n <= 10:
        return sign_flip([difference] * n)
    return 1.0 if difference == 0 else 2.0 ** (1 - n)


@cache
def noncentrality(df: float, level: float = LEVEL) -> float:
    """Return how many standard errors a true difference must measure to be found with the power wanted."""
    critical = float(scipy.stats.t.ppf(1 - level / 2, df))
    return float(
        scipy.optimize.brentq(lambda effect: scipy.stats.nct.sf(critical, df, effect) - POWER, 0, 50 * critical)
    )
