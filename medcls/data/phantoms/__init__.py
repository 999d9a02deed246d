"""Phantoms: made-up data sets that need no download, one file each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from medcls.data.phantoms import xray
from medcls.data.phantoms.types import Phantom

PHANTOMS: Mapping[str, Callable[[], Phantom]] = MappingProxyType({"xray": xray.phantom})

__all__ = ["PHANTOMS", "Phantom"]
