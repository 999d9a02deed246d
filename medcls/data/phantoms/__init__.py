"""Phantoms: made-up data sets that need no download, one file each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from medcls.data.phantoms import bone, breast, glands, lungs, nodules, skin, xray
from medcls.data.phantoms.types import Phantom

PHANTOMS: Mapping[str, Callable[..., Phantom]] = MappingProxyType(
    {
        "skin": skin.phantom,
        "bone": bone.phantom,
        "xray": xray.phantom,
        "lungs": lungs.phantom,
        "nodules": nodules.phantom,
        "glands": glands.phantom,
        "breast": breast.phantom,
    }
)

__all__ = ["PHANTOMS", "Phantom"]
