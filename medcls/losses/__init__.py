"""Losses: plain functions of (targets, predictions), one value an image. Parts of a learner name those of masks."""

from medcls.losses.classification import cross_entropy, focal, of_the_task
from medcls.losses.segmentation import cross_entropy_dice, dice, pixel_cross_entropy, pixel_focal, tversky

__all__ = [
    "cross_entropy",
    "cross_entropy_dice",
    "dice",
    "focal",
    "of_the_task",
    "pixel_cross_entropy",
    "pixel_focal",
    "tversky",
]
