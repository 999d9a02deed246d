"""Tasks that tell of every pixel whether it belongs to the target."""

from typing import Any

from medcls import losses
from medcls.data.dataset import Dataset, Picked
from medcls.evaluation import segmentation
from medcls.tasks import metrics
from medcls.tasks.base import Task, as_they_are, overlaps_at_own_size
from medcls.utils.lazy import keras


def masks(data: Dataset, rows: Any) -> Any:
    """Return the masks of some images, of shape (n, height, width), bool."""
    assert data.masks is not None
    return data.masks[rows][..., 0] > 0


def as_maps(data: Dataset, rows: Any) -> Any:
    """Return targets of shape (n, height, width, 1), float32, 0 or 1, each read when it is asked for."""
    assert data.masks is not None
    return Picked(data.masks, rows)


def with_masks(augmentation: Any) -> Any:
    """Return what moves images and masks alike, the masks by nearest neighbour, and recolours images alone."""

    def vary(images: Any, targets: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any]:
        return augmentation(images, seed), augmentation.masks(targets, seed), weights

    return vary


def pixel_head(features: Any, classes: int) -> Any:  # noqa: ARG001
    """Return the probability of every pixel to belong to the target, of shape (batch, height, width, 1)."""
    return keras.layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="probability")(features)


def pixel_metrics(classes: int) -> list[Any]:  # noqa: ARG001
    """Return hard Dice and IoU, the means over the images, and the soft Dice of a batch."""
    return [metrics.dice_score(), metrics.iou_score(), metrics.soft_dice()]


SEGMENTATION = Task(
    name="segmentation",
    truth=masks,
    target=as_maps,
    vary=with_masks,
    head=pixel_head,
    read=as_they_are,
    loss=losses.pixel_cross_entropy,
    metrics=pixel_metrics,
    scores=segmentation.scores,
    tested=segmentation.test_scores,
    score_names=segmentation.score_names,
    monitor="val_loss",
    mode="min",
    measure="dice",
    classes=1,
    soft=False,
    own_size=overlaps_at_own_size,
    pixels=True,
)
"""One sigmoid a pixel, pixel-wise cross-entropy: where the target is, and where not."""
