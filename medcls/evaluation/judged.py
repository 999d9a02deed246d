"""The test of a comparison: crossed with the images where its score is a mean over them, else over seeds or folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import paired_tests, run_scores
from medcls.evaluation.comparison_record import JudgedOn
from medcls.evaluation.crossed import by_unit, crossed
from medcls.evaluation.paired_tests import PairedDifference
from medcls.evaluation.run_record import JudgedImages, RunRecord
from medcls.evaluation.run_scores import Compared
from medcls.evaluation.spread import is_alike
from medcls.evaluation.summary import StudySummary

ONE_GROUP = ("accuracy", "val_accuracy")
GROUP_A_CLASS = ("balanced_accuracy", "val_balanced_accuracy")
TOLERANCE = 1e-5  # of a score, by which float32 and the mean of its images may differ


@dataclass(frozen=True)
class Tested:
    """A test of two variants' difference, and the images that it is crossed with; None for seeds or folds alone."""

    result: PairedDifference
    judged_on: JudgedOn | None = None


def tested(summary: StudySummary, data: str, a: str, b: str, score: Compared) -> Tested:
    """Return the test of b minus a: no interval where all pairs differ by the same, and then no p unless by 0.

    How a difference varies from repeat to repeat is not known where it does not vary but by rounding.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        a: the name of a variant.
        b: the name of another variant.
        score: what is compared.
    """
    pairs = [pair for pair in run_scores.every_pair(summary, data, a, b, score) if pair.is_new]
    if not pairs:
        return Tested(PairedDifference(0.0, (0.0, 0.0), None, 0, None))
    scores_a, scores_b = [pair.a for pair in pairs], [pair.b for pair in pairs]
    folds = pairs[0].runs[0].folds
    if folds:
        result = paired_tests.over_folds(scores_a, scores_b, folds, level_of(summary))
    else:
        result = paired_tests.over_seeds(scores_a, scores_b, level_of(summary))
    if result.n < 2:
        return Tested(result)
    if is_alike(np.subtract(scores_b, scores_a), float(np.abs([scores_a, scores_b]).max())):
        mean = result.difference
        return Tested(PairedDifference(mean, (mean, mean), None if mean else result.p, result.n, None))
    runs = [pair.runs for pair in pairs]
    return _over_images(runs, score, summary.data_set(data).judged, level_of(summary)) or Tested(result)


def level_of(summary: StudySummary) -> float:
    """Return what may be spent at the look that a summary is of: all, unless the study adds seeds."""
    return paired_tests.LEVEL if summary.look is None else summary.look.level


def _over_images(
    pairs: Sequence[tuple[RunRecord, RunRecord]], score: Compared, images: JudgedImages | None, level: float
) -> Tested | None:
    """Return the comparison crossed with the validation images; None where the score cannot be taken apart.

    That is so with folds, with other images for every seed, for a score that is no mean over images, and for scores of
    another set by the same name, which the runs' own numbers give away.

    Args:
        pairs: the runs of both variants, paired by seed.
        score: what is compared.
        images: on which they were judged, None where that is not known.
        level: what this look at the seeds may spend.
    """
    if images is None or score.name not in ONE_GROUP + GROUP_A_CLASS:
        return None
    labels = np.array(images.labels, np.int64)
    groups = labels if score.name in GROUP_A_CLASS else np.zeros_like(labels)
    differences = []
    for run_of_a, run_of_b in pairs:
        of_a, of_b = run_scores.right(run_of_a), run_scores.right(run_of_b)
        told_a, told_b = score.of_pair(run_of_a, run_of_b)
        if of_a is None or of_b is None:
            return None
        if not _explains(of_a, told_a, groups) or not _explains(of_b, told_b, groups):
            return None
        if {run_of_a.split_seed, run_of_b.split_seed} != {images.split_seed} or run_of_a.folds or run_of_b.folds:
            return None
        differences.append(np.subtract(of_b, of_a, dtype=np.float64))
    units = np.arange(len(labels)) if images.patients is None else np.array(images.patients, np.int64)
    found = crossed(by_unit(np.array(differences), groups, units), level)
    if found is None:
        return None
    patients = None if images.patients is None else len(np.unique(units))
    result = PairedDifference(found.difference, found.ci95, found.p, len(pairs), found.detectable)
    return Tested(result, JudgedOn(len(labels), patients, found.share_of_units, found.df))


def _explains(right: NDArray[np.bool_], told: float | None, groups: NDArray[np.int64]) -> bool:
    """Tell whether a run's right answers give the score that the run has.

    Args:
        right: of shape (images,).
        told: the run's score, None where it has none.
        groups: of shape (images,): the score is the mean over the groups' means.
    """
    if told is None or len(right) != len(groups):
        return False
    means = [right[groups == group].mean() for group in np.unique(groups)]
    return abs(float(np.mean(means)) - told) <= TOLERANCE
