"""Loss functions: functions of (targets, predictions) that return one value per image."""

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
