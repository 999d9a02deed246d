"""Random changes of the training images."""

from medcls.augmentation.mixing import cutmix, mixup
from medcls.augmentation.randaugment import randaugment
from medcls.augmentation.standard import standard
from medcls.augmentation.types import Augmentation, none

__all__ = ["Augmentation", "cutmix", "mixup", "none", "randaugment", "standard"]
