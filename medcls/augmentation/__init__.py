"""Random changes of the training images."""

from medcls.augmentation.base import Augmentation, none
from medcls.augmentation.mixing import cutmix, mixup
from medcls.augmentation.randaugment import randaugment
from medcls.augmentation.standard import standard

__all__ = ["Augmentation", "cutmix", "mixup", "none", "randaugment", "standard"]
