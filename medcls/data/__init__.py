"""Data sets: what a study names as its data, and how images come from files or are made."""

from medcls.data.classification_sets import bone, bone_unlettered, breast, folder, skin, xray
from medcls.data.content_hashes import Hashes as Hashes  # what every data function takes first
from medcls.data.mnist import mnist
from medcls.data.segmentation_sets import glands, lungs, nodules
from medcls.data.toy2d import toy2d

__all__ = [
    "bone",
    "bone_unlettered",
    "breast",
    "folder",
    "glands",
    "lungs",
    "mnist",
    "nodules",
    "skin",
    "toy2d",
    "xray",
]
