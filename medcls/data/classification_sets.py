"""The data functions of studies that classify images: each describes the data set that a source holds."""

import hashlib
from collections.abc import Mapping
from functools import partial

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import DatasetSpec, Images
from medcls.data.from_files import bundle_of
from medcls.data.levels import White, white_known
from medcls.data.patients import patients_known
from medcls.data.phantoms.types import Phantom
from medcls.data.readers import images
from medcls.data.readers.layouts import KNOWN
from medcls.data.request import Request
from medcls.data.resolve import AS_USUAL, builtin, find, name_of
from medcls.spec.constraints import constrained
from medcls.utils.errors import BadInputError


@constrained(patients_known, white_known)
def xray(
    hashes: Hashes, *, source: str = "xray", size: int = 64, channels: int = 1, patients: str = "", white: White = None
) -> DatasetSpec:
    """Return the X-ray data set: nine body regions, C1 to C9, unequally frequent.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name, "xray" by default.
        size: height and width of the images in pixels, 64 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(hashes, Request("xray", source, size, channels, patients, white))


@constrained(patients_known, white_known)
def skin(
    hashes: Hashes, *, source: str = "skin", size: int = 128, channels: int = 1, patients: str = "", white: White = None
) -> DatasetSpec:
    """Return the skin lesions under the dermatoscope: melanomas (Mel) and naevi (Nev), equally frequent.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name, "skin" by default.
        size: height and width of the images in pixels, 128 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(hashes, Request("skin", source, size, channels, patients, white))


@constrained(patients_known, white_known)
def bone(
    hashes: Hashes, *, source: str = "bone", size: int = 128, channels: int = 1, patients: str = "", white: White = None
) -> DatasetSpec:
    """Return the X-rays of femurs with an atypical fracture (AFF) and without one (NFF), with letters burnt in.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name, "bone" by default.
        size: height and width of the images in pixels, 128 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(hashes, Request("bone", source, size, channels, patients, white))


@constrained(patients_known, white_known)
def bone_unlettered(
    hashes: Hashes, *, source: str = "bone", size: int = 128, channels: int = 1, patients: str = "", white: White = None
) -> DatasetSpec:
    """Return the X-rays of femurs with (AFF) and without (NFF) an atypical fracture, the phantom's without its letters.

    Images of files stay as they are.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name, "bone" by default.
        size: height and width of the images in pixels, 128 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    drawing = {"label": False} if builtin(source) == "bone" else {}
    return opened(hashes, Request("bone_unlettered", source, size, channels, patients, white), drawing)


@constrained(patients_known, white_known)
def breast(
    hashes: Hashes,
    *,
    source: str = "breast",
    size: int = 50,
    channels: int = 3,
    patients: str = "",
    white: White = None,
) -> DatasetSpec:
    """Return the patches of breast tissue with invasive ductal carcinoma (1) and without (0), their patients known.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name, "breast" by default.
        size: height and width of the images in pixels, 50 by default.
        channels: 1 (grey) or 3 (RGB), 3 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(hashes, Request("breast", source, size, channels, patients, white))


@constrained(patients_known, white_known)
def folder(
    hashes: Hashes, *, source: str, size: int = 64, channels: int = 1, patients: str = "", white: White = None
) -> DatasetSpec:
    """Return the data set that a folder, a labels.csv or a built-in name holds.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a labels.csv, a file of arrays or a built-in name.
        size: height and width of the images in pixels, 64 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return opened(hashes, Request(name_of(source), source, size, channels, patients, white))


def opened(hashes: Hashes, request: Request, drawing: Mapping[str, object] = AS_USUAL) -> DatasetSpec:
    """Return the data set of images with classes that a request asks for.

    Args:
        hashes: the remembered hashes of files.
        request: the source and how its images are wanted.
        drawing: the parameters with which a phantom is drawn, none by default.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    request.check_shape()
    origin = find(request.source, drawing)
    if isinstance(origin, Phantom):
        if not origin.classes:
            raise BadInputError(f"The built-in {origin.name} holds images with masks and no classes: give {KNOWN}.")
        return phantom_bundle(origin, request)
    return bundle_of(hashes, origin, request)


def phantom_bundle(phantom: Phantom, request: Request) -> DatasetSpec:
    """Return the images of a phantom as a data set, without its masks.

    Raises:
        BadInputError: the request chooses patients or a white level, which only image files can have.
    """
    request.refuse_patients(f"{phantom.name} is drawn by medcls")
    request.refuse_white(f"{phantom.name} is drawn by medcls in 8 bits")
    return DatasetSpec(
        name=request.name,
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
        size=request.size,
        channels=request.channels,
        render=partial(_render, phantom),
        stored=partial(_stored, phantom),
    )


def _render(phantom: Phantom, row: int, size: int, channels: int) -> Images:
    return images.fit(phantom.render(row), size, channels)


def _stored(phantom: Phantom, row: int) -> tuple[str, tuple[int, int]]:
    height, width, *colours = phantom.render(row).shape
    return "RGB" if colours else "grey", (width, height)
