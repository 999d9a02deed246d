"""Random changes of the training images."""

from medcls.augmentation.standard import Augmentation, none, standard

__all__ = ["Augmentation", "none", "standard"]
