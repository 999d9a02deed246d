"""The data functions of a study: a source and a size -> a Bundle."""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from medcls.data import images
from medcls.data.bundles import bundle_of
from medcls.data.catalogue import AS_USUAL, builtin, find, name_of
from medcls.data.hashes import Hashes
from medcls.data.layouts import KNOWN
from medcls.data.phantoms.types import Phantom
from medcls.data.types import Bundle, Images
from medcls.errors import BadInputError


def xray(hashes: Hashes, *, source: str = "xray", size: int = 64, channels: int = 1) -> Bundle:
    """Return the X-ray data set: nine body regions, C1 to C9, unequally frequent.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened("xray", hashes, source, size, channels)


def skin(hashes: Hashes, *, source: str = "skin", size: int = 128, channels: int = 1) -> Bundle:
    """Return the skin lesions under the dermatoscope: melanomas (Mel) and naevi (Nev), equally frequent.

    Raises:
        BadInputError: as of `xray`.
    """
    return opened("skin", hashes, source, size, channels)


def bone(hashes: Hashes, *, source: str = "bone", size: int = 128, channels: int = 1) -> Bundle:
    """Return the X-rays of femurs with an atypical fracture (AFF) and without one (NFF), with letters burnt in.

    Raises:
        BadInputError: as of `xray`.
    """
    return opened("bone", hashes, source, size, channels)


def bone_unlettered(hashes: Hashes, *, source: str = "bone", size: int = 128, channels: int = 1) -> Bundle:
    """Return the same femurs without the letters, where the phantom draws them; images of files stay as they are.

    Raises:
        BadInputError: as of `xray`.
    """
    drawing = {"label": False} if builtin(source) == "bone" else {}
    return opened("bone_unlettered", hashes, source, size, channels, drawing)


def breast(hashes: Hashes, *, source: str = "breast", size: int = 50, channels: int = 3) -> Bundle:
    """Return the patches of breast tissue with invasive ductal carcinoma (1) and without (0), their patients known.

    Raises:
        BadInputError: as of `xray`.
    """
    return opened("breast", hashes, source, size, channels)


def folder(hashes: Hashes, *, source: str, size: int = 64, channels: int = 1) -> Bundle:
    """Return the data set that a folder, a labels.csv or a built-in name holds.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(name_of(source), hashes, source, size, channels)


def opened(
    name: str, hashes: Hashes, source: str, size: int, channels: int, drawing: Mapping[str, Any] = AS_USUAL
) -> Bundle:
    """Return the data set that a source holds under another name; `drawing` says how its phantom is drawn.

    Raises:
        BadInputError: as of `xray`.
    """
    check_shape(size, channels)
    found = find(source, drawing)
    if isinstance(found, Phantom):
        if not found.classes:
            raise BadInputError(f"The built-in {found.name} holds images with masks and no classes: give {KNOWN}.")
        return phantom_bundle(name, found, size, channels)
    return bundle_of(name, hashes, found, size, channels)


def check_shape(size: int, channels: int) -> None:
    """Complain about a size or number of channels that no image has."""
    if size < 1:
        raise BadInputError(f"data.size={size}: give the height and width of the images in pixels, at least 1.")
    if channels not in (1, 3):
        raise BadInputError(f"data.channels={channels}: give 1 (grey) or 3 (RGB).")


def phantom_bundle(name: str, phantom: Phantom, size: int, channels: int) -> Bundle:
    """Return the images of a phantom as a data set, without its masks."""
    return Bundle(
        name=name,
        source=phantom.name,
        layout="a phantom made by medcls: no files, no real images",
        kind="phantom",
        classes=phantom.classes,
        labels=phantom.labels,
        parts=phantom.parts,
        patients=phantom.patients,
        names=tuple(map(str, range(len(phantom.labels)))),
        contents=("",) * len(phantom.labels),
        fingerprint="sha256:" + hashlib.sha256(phantom.recipe.encode()).hexdigest(),
        size=size,
        channels=channels,
        render=partial(_render, phantom),
        stored=partial(_stored, phantom),
    )


def _render(phantom: Phantom, row: int, size: int, channels: int) -> Images:
    return images.fit(phantom.render(row), size, channels)


def _stored(phantom: Phantom, row: int) -> tuple[str, tuple[int, int]]:
    height, width, *colours = phantom.render(row).shape
    return "RGB" if colours else "grey", (width, height)
