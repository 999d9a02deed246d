"""Networks that tell little apart: one answer whatever they see, or no more right than the commonest class gives."""

from collections.abc import Sequence

import numpy as np

from medcls.evaluation.classification import Labels, Numbers
from medcls.evaluation.paired_tests import LEVEL, mcnemar
from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.segmentation import Masks
from medcls.evaluation.summary import Remark, StudySummary
from medcls.evaluation.wording import on


def of_classes(labels: Labels, probabilities: Numbers, classes: Sequence[str]) -> str:
    """Return what is to be remarked of a classifier, as a sentence without its subject; "" for nothing.

    It is remarked if it predicts one class for every image, or if saying the commonest class of every image is as often
    right, by McNemar's exact test on the images. Nothing is said where all images are of one class.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
    """
    predicted, counts = probabilities.argmax(axis=1), np.bincount(labels, minlength=len(classes))
    if np.count_nonzero(counts) < 2:
        return ""
    right = predicted == labels
    accuracy = f"{right.mean():.3f}"
    if (predicted == predicted[0]).all():
        return f"predicts {classes[predicted[0]]} for every image: its accuracy {accuracy} is the share of that class."
    commonest = int(counts.argmax())
    p, share = mcnemar(right, labels == commonest), counts[commonest] / len(labels)
    if p <= LEVEL and right.mean() > share:
        return ""
    recalls = [float(right[labels == label].mean()) for label in np.flatnonzero(counts)]
    always = f"the {share:.3f} of always answering {classes[commonest]}"
    if right.mean() > share:
        compared = f"which {len(labels)} images are too few to tell from {always}"
    else:
        compared = f"no more than {always}"
    return f"has accuracy {accuracy}, {compared}. Its balanced accuracy is {np.mean(recalls):.3f}."


def of_masks(masks: Masks, probabilities: Numbers) -> str:
    """Return what is to be remarked of a segmentation network, as a sentence without its subject; "" for nothing.

    It is remarked if it marks nothing, everything or the same pixels in every image, and the true masks do not.

    Args:
        masks: of shape (n, height, width).
        probabilities: of shape (n, height, width, 1).
    """
    predicted = probabilities[..., 0] > 0.5
    if len(masks) < 2 or not (predicted == predicted[0]).all() or (masks == predicted).all():
        return ""
    if not predicted.any():
        return f"marks nothing in any of {len(masks)} images, though {int(masks.any(axis=(1, 2)).sum())} have a target."
    if predicted.all():
        return f"marks every pixel of all {len(masks)} images: targets are {masks.mean():.1%} of the pixels."
    return f"marks the same pixels in all {len(masks)} images, whatever they show."


def remarks(summary: StudySummary) -> tuple[Remark, ...]:
    """Return what is to be remarked of a study's networks, variant by variant; of a search's, of the best alone.

    A refit on all folds is no repeat of the folds: it has a remark of its own.
    """
    best = {record.variant for record in summary.best.values()}
    groups: dict[tuple[str, str, bool], list[RunRecord]] = {}
    for run in summary.finished:
        if summary.trials is None or run.variant in best:
            groups.setdefault((run.data, run.variant, run.is_refit), []).append(run)
    remarks = []
    for (data, variant, _), runs in groups.items():
        remarked = [run for run in runs if run.remark]
        if remarked:
            sentence = _of_variant(remarked, len(runs))
            remarks.append(Remark(data, variant, on(summary, data, sentence)))
    return tuple(remarks)


def _of_variant(remarked: Sequence[RunRecord], runs: int) -> str:
    """Return the remark of a variant's first run that has one, and how many of its runs have one."""
    first = remarked[0]
    if first.is_refit:
        return f"The refit of {first.variant} {first.remark}"
    fold = "" if first.fold is None else f" fold {first.fold + 1}"
    sentence = f"{first.variant} seed {first.seed}{fold} {first.remark}"
    if len(remarked) == 1:
        return sentence
    return f"{sentence} {len(remarked)} of the {runs} runs of {first.variant} have such a remark."
