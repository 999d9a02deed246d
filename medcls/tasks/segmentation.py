"""Segmentation tasks: for each pixel, whether it belongs to the target."""

from medcls import losses
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Picked, Targets
from medcls.data.loading.batches import Augment
from medcls.evaluation import segmentation
from medcls.tasks import metrics
from medcls.tasks.base import Rows, Task, Truth, as_they_are, overlaps_at_own_size
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor, Metric, Tensor


def masks(data: Dataset, rows: Rows) -> Truth:
    """Return the masks of some images, of shape (n, height, width), bool."""
    assert data.masks is not None
    return data.masks[rows][..., 0] > 0


def as_maps(data: Dataset, rows: Rows) -> Targets:
    """Return targets of shape (n, height, width, 1), float32, 0 or 1, which are read when they are needed."""
    assert data.masks is not None
    return Picked(data.masks, rows)


def with_masks(augmentation: Augmentation) -> Augment:
    """Return a function of a batch that moves images and masks alike, and recolours images alone.

    Masks are moved by nearest neighbour.
    """

    def vary(images: Tensor, targets: Tensor, weights: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return augmentation(images, seed), augmentation.masks(targets, seed), weights

    return vary


def pixel_head(features: KerasTensor, classes: int) -> KerasTensor:  # noqa: ARG001
    """Return the probability that a pixel belongs to the target, of shape (batch, height, width, 1)."""
    return keras.layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="probability")(features)


def pixel_metrics(classes: int) -> list[Metric]:  # noqa: ARG001
    """Return Dice and IoU of masks, averaged over images, and the soft Dice, averaged over batches."""
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
"""One sigmoid for each pixel, pixel-wise cross-entropy."""
