"""Scores of masks: true masks and probabilities in, numbers out; distances in pixels.

A pixel is predicted where its probability is above a half. A score of a set is the mean over its images (or weighted
ones), so that an image with a large target counts no more than one with a small target. Images whose masks mark
nothing count in `false_alarm_rate` and in the share of right pixels alone: that nothing was found there is no overlap.
"""
# ruff: noqa: PT028 (`test_scores` is no test, it scores the test images)

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import metrics
from medcls.evaluation.classification import Numbers
from medcls.evaluation.intervals import bootstrap_intervals, mean_sd
from medcls.evaluation.summary import TestScore
from medcls.utils.errors import TrainingError
from medcls.utils.lazy import scipy

Masks = NDArray[np.bool_]

FAR = 95  # the percentile of the distances that stands for the farthest


def per_image(masks: Masks, probabilities: Numbers) -> dict[str, NDArray[np.float64]]:
    """Return dice, iou, precision, recall, hausdorff95 and surface_distance of each image, each of shape (n,).

    hausdorff95 is the 95th percentile of the distances from one mask's border to the other's, the larger of both
    directions; surface_distance the mean over both borders of the distance to the other (average symmetric surface
    distance), both as in Metrics Reloaded (Maier-Hein et al. 2024, doi:10.1038/s41592-023-02151-z), in pixels. A
    border are the pixels of a mask that have an edge in common with a pixel outside it or with the image's edge.

    Two empty masks agree: dice and iou are 1, the distances 0 (`judged` leaves them out). Where one is empty, dice and
    iou are 0 and both distances the diagonal of the image: to leave out images in which nothing was found would reward
    a model that finds nothing. precision is NaN where nothing was predicted, recall where nothing was to be found.

    Args:
        masks: of shape (n, height, width).
        probabilities: of shape (n, height, width, 1).

    Raises:
        TrainingError: a probability is not a number, because training diverged.
    """
    rows = [_of_image(mask, answer) for mask, answer in zip(masks, probabilities[..., 0], strict=True)]
    scores = {}
    for name in ("dice", "iou", "precision", "recall", "hausdorff95", "surface_distance"):
        scores[name] = np.array([row[name] for row in rows], np.float64)
    return scores


def judged(masks: Masks, probabilities: Numbers) -> dict[str, NDArray[np.float64]]:
    """Return what scores of a set are the means of: one value an image, NaN where it does not count, of shape (n,).

    That is what `per_image` says of images whose masks mark something; and, if there are others, false_alarm_rate: 1
    where something was found in an image whose mask marks nothing, else 0.

    Args:
        masks: of shape (n, height, width).
        probabilities: of shape (n, height, width, 1).

    Raises:
        TrainingError: a probability is not a number, because training diverged; or no mask marks anything.
    """
    empty = ~masks.any(axis=(1, 2))
    if empty.all():
        raise TrainingError(
            f"None of the {len(masks)} masks that are to be scored marks anything, so there is no Dice of them: give "
            "more images with targets, or a larger data.size if resizing loses them."
        )
    found = {name: np.where(empty, np.nan, values) for name, values in per_image(masks, probabilities).items()}
    if empty.any():
        alarm = (probabilities[..., 0] > 0.5).any(axis=(1, 2))
        found["false_alarm_rate"] = np.where(empty, alarm.astype(np.float64), np.nan)
    return found


def scores(masks: Masks, probabilities: Numbers, classes: tuple[str, ...]) -> dict[str, float]:  # noqa: ARG001
    """Return the mean over images of what `judged` says, those that are defined, and how they spread.

    dice_sd and its like are the standard deviations over images, dice_worst is the worst image's Dice,
    pixel_accuracy the share of all pixels that are right. Where some masks mark nothing, empty_masks is how many do,
    and empty_in_both in how many of these nothing was found.

    Args:
        masks: of shape (n, height, width).
        probabilities: of shape (n, height, width, 1).
        classes: what is marked; asked for as that of a classifier is.

    Raises:
        TrainingError: a probability is not a number, because training diverged; or no mask marks anything.
    """
    found: dict[str, float] = {}
    for name, values in judged(masks, probabilities).items():
        defined = values[np.isfinite(values)]
        if name == "false_alarm_rate":
            found |= {name: float(defined.mean()), "empty_masks": float(len(defined))}
            found["empty_in_both"] = float(np.sum(defined == 0))
        elif len(defined):
            found[name], found[f"{name}_sd"] = mean_sd(defined.tolist())
        if name == "dice":
            found["dice_worst"] = float(defined.min())
    return {**found, "pixel_accuracy": float(_right(masks, probabilities).mean())}


def score_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of those `scores` that are the better the higher: what may decide which model is best."""
    return metrics.to_maximise(metrics.MASKS, classes)


def test_scores(
    masks: Masks,
    probabilities: Numbers,
    classes: tuple[str, ...],  # noqa: ARG001
    patients: NDArray[np.str_] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, TestScore]:
    """Return the means of `scores` with 95% bootstrap intervals, those that are defined.

    Args:
        masks: of shape (n, height, width).
        probabilities: of shape (n, height, width, 1).
        classes: what is marked; asked for as that of a classifier is.
        patients: of shape (n,): the patient of each image, or None where every image stands alone.
        resamples: how many.
        seed: of the resamples.

    Raises:
        TrainingError: a probability is not a number, because training diverged; or no mask marks anything.
    """
    each = {**judged(masks, probabilities), "pixel_accuracy": _right(masks, probabilities)}
    statistic = partial(means, each)
    values = statistic(np.ones((1, len(masks))))
    intervals = bootstrap_intervals(statistic, len(masks), patients, resamples=resamples, seed=seed)
    final = {}
    for name, interval in intervals.items():
        final[name] = TestScore(float(values[name][0]), interval)
    return final


def at_own_size(masks: Iterable[Masks], probabilities: Numbers) -> dict[str, NDArray[np.float64]]:
    """Return dice_own_size and iou_own_size of each image, of shape (n,): NaN where its mask marks nothing.

    The probabilities are resized to the mask's own size, as `medcls predict --mask` does, and cut at a half there. So
    targets count that were lost, or outlines that were smoothed, when masks were resized to the study's size.

    Args:
        masks: n masks, each of its own (height, width).
        probabilities: of shape (n, height, width, 1), at the study's size.
    """
    rows = [_overlaps(mask, enlarged(answer, mask.shape)) for mask, answer in zip(masks, probabilities, strict=True)]
    dice, iou = np.array(rows, np.float64).reshape(-1, 2).T
    return {"dice_own_size": dice, "iou_own_size": iou}


def enlarged(answer: Numbers, size: tuple[int, ...]) -> Numbers:
    """Return an answer's probabilities, of shape (height, width, 1), resized to (height, width), as float32.

    Args:
        answer: the probabilities of an image's pixels.
        size: the height and width that are wanted.
    """
    from PIL import Image

    probabilities = Image.fromarray(np.asarray(answer[..., 0], np.float32))
    return np.asarray(probabilities.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _overlaps(mask: Masks, answer: Numbers) -> tuple[float, float]:
    """Return Dice and IoU of a mask that marks something, else NaN."""
    common, true, marked = _pixel_counts(mask, answer > 0.5)
    if not true:
        return math.nan, math.nan
    return 2 * common / (true + marked), common / (true + marked - common)


def _pixel_counts(mask: Masks, predicted: Masks) -> tuple[int, int, int]:
    """Return the number of pixels that both masks mark, that the true mask marks, and that the prediction marks."""
    return int(np.count_nonzero(mask & predicted)), int(np.count_nonzero(mask)), int(np.count_nonzero(predicted))


def border_distances(one: Masks, other: Masks) -> tuple[Numbers, Numbers]:
    """Return the distance of each border pixel of either mask to the other mask's border, in pixels.

    Args:
        one: of shape (height, width), not empty.
        other: of the same shape, not empty.
    """
    where = _around(one | other)
    borders = [_border(np.pad(mask[where], 1)) for mask in (one, other)]
    to_border = [scipy.ndimage.distance_transform_edt(~border) for border in borders]
    return to_border[1][borders[0]], to_border[0][borders[1]]


def _of_image(mask: Masks, answer: Numbers) -> dict[str, float]:
    if not np.isfinite(answer).all():
        raise TrainingError("The predicted probabilities are not numbers: try a lower learning rate.")
    predicted = answer > 0.5
    common, true, marked = _pixel_counts(mask, predicted)
    if not true and not marked:
        far, near = 0.0, 0.0
    elif not true or not marked:
        far = near = math.hypot(*mask.shape)
    else:
        distances = border_distances(mask, predicted)
        far = max(float(np.percentile(of_border, FAR)) for of_border in distances)
        near = float(np.concatenate(distances).mean())
    return {
        "dice": _ratio(2 * common, true + marked, 1.0),
        "iou": _ratio(common, true + marked - common, 1.0),
        "precision": _ratio(common, marked, math.nan),
        "recall": _ratio(common, true, math.nan),
        "hausdorff95": far,
        "surface_distance": near,
    }


def _right(masks: Masks, probabilities: Numbers) -> NDArray[np.float64]:
    """Return the share of each image's pixels that are right, of shape (n,)."""
    pairs = zip(masks, probabilities[..., 0], strict=True)
    return np.array([np.mean(mask == (answer > 0.5)) for mask, answer in pairs], np.float64)


def means(each: dict[str, NDArray[np.float64]], weights: Numbers) -> dict[str, Any]:
    """Return the weighted means of many resamples, each of shape (resamples,), NaN where nothing is defined.

    Args:
        each: name -> one value an image, of shape (n,), NaN where undefined.
        weights: of the images, of shape (resamples, n).
    """
    found = {}
    for name, values in each.items():
        defined = np.isfinite(values)
        counted = weights[:, defined].sum(axis=1)
        mean = np.full(len(weights), np.nan)
        np.divide(weights[:, defined] @ values[defined], counted, out=mean, where=counted > 0)
        found[name] = mean
    return found


def _around(mask: Masks) -> tuple[slice, slice]:
    """Return the rows and columns that hold all of a mask: borders farther out there are none."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _border(mask: Masks) -> Masks:
    border: Masks = mask & ~scipy.ndimage.binary_erosion(mask)
    return border


def _ratio(part: int, whole: int, otherwise: float) -> float:
    return part / whole if whole else otherwise
