"""The data functions of studies that segment: images with masks, from files or drawn by a phantom."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from medcls.data.classification_sets import opened, phantom_bundle
from medcls.data.content_hashes import Hashes
from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, DatasetSpec, Images
from medcls.data.levels import White, white_known
from medcls.data.masks import mask_files as masks
from medcls.data.masks.census import MaskFiles
from medcls.data.patients import patients_known, with_patients
from medcls.data.phantoms.types import Phantom
from medcls.data.readers import images
from medcls.data.readers.images import UnreadableImageError
from medcls.data.readers.layouts import read_source
from medcls.data.readers.pairs import PAIRS, pair_layout, read_pairs, without_partner
from medcls.data.readers.partners import without_masks
from medcls.data.readers.records import FOREGROUND, Record, fingerprint, patients_in
from medcls.data.readers.table import lists_classes, mask_table
from medcls.data.remains import remarks_on
from medcls.data.request import Request
from medcls.data.resolve import find, name_of
from medcls.data.white import with_white
from medcls.spec.constraints import constrained
from medcls.utils.errors import BadInputError


@constrained(masks.values_known, patients_known, white_known)
def lungs(
    hashes: Hashes,
    *,
    source: str = "lungs",
    size: int = 256,
    channels: int = 1,
    mask_values: str = masks.TWO,
    patients: str = "",
    white: White = None,
) -> DatasetSpec:
    """Return the chest X-rays with masks of both lungs.

    Args:
        hashes: the remembered hashes of files.
        source: a folder of images with masks, a table that lists them or a built-in name, "lungs" by default.
        size: height and width of the images in pixels, 256 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        mask_values: "two" (by default), "labels" or "grey": how the masks' values are read (`masks.whole`).
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return masked(hashes, Request("lungs", source, size, channels, patients, white), mask_values)


@constrained(masks.values_known, patients_known, white_known)
def nodules(
    hashes: Hashes,
    *,
    source: str = "nodules",
    size: int = 256,
    channels: int = 1,
    mask_values: str = masks.TWO,
    patients: str = "",
    white: White = None,
) -> DatasetSpec:
    """Return the chest X-rays with masks of small nodules, which take up very little of them.

    Args:
        hashes: the remembered hashes of files.
        source: a folder of images with masks, a table that lists them or a built-in name, "nodules" by default.
        size: height and width of the images in pixels, 256 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        mask_values: "two" (by default), "labels" or "grey": how the masks' values are read (`masks.whole`).
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return masked(hashes, Request("nodules", source, size, channels, patients, white), mask_values)


@constrained(masks.values_known, patients_known, white_known)
def glands(
    hashes: Hashes,
    *,
    source: str = "glands",
    size: int = 128,
    channels: int = 3,
    mask_values: str = masks.TWO,
    compared_on_test: bool = False,
    patients: str = "",
    white: White = None,
) -> DatasetSpec:
    """Return the pictures of colon tissue with masks of the glands, as the Warwick set has them.

    With `compared_on_test` nothing is held out, and a choice made by such scores flatters itself.

    Args:
        hashes: the remembered hashes of files.
        source: a folder of images with masks, a table that lists them or a built-in name, "glands" by default.
        size: height and width of the images in pixels, 128 by default.
        channels: 1 (grey) or 3 (RGB), 3 by default.
        mask_values: "two" (by default), "labels" or "grey": how the masks' values are read (`masks.whole`).
        compared_on_test: whether runs are compared on the test set and trained on the whole training set; False by
            default.
        patients: whose the images are: "" (by default) takes what the files say, or "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None (by default) for what their bits hold, a stored value,
            or "image" or "set" for percentiles.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    bundle = masked(hashes, Request("glands", source, size, channels, patients, white), mask_values)
    return _compared_on_test(bundle) if compared_on_test else bundle


def masked(hashes: Hashes, request: Request, values: str) -> DatasetSpec:
    """Return the data set of images with masks that a request asks for.

    Args:
        hashes: the remembered hashes of files.
        request: the source and how its images are wanted.
        values: "two", "labels" or "grey": how the masks' values are read (`masks.whole`).

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    request.check_shape()
    origin = find(request.source)
    if isinstance(origin, Phantom):
        if origin.classes or len(origin.masks) != 1:
            raise BadInputError(f"The built-in {origin.name} holds images of classes and no masks: give {PAIRS}.")
        drawn = next(iter(origin.masks.values()))
        bundle = phantom_bundle(origin, request)
        return replace(bundle, classes=(FOREGROUND,), masks=lambda row, side: masks.fit(drawn(row) > 127, side))
    return of_files(hashes, origin, request, values)


def any_kind(hashes: Hashes, source: str, size: int = 64, channels: int = 1, *, patients: str = "") -> DatasetSpec:
    """Return the data set that a source holds, of images with classes or with masks: for looking at it.

    Args:
        hashes: the remembered hashes of files.
        source: a folder, a table, a file of arrays or a built-in name.
        size: height and width of the images in pixels, 64 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        patients: whose the images are, by default what the files say (`patients.with_patients`).

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    origin = find(source)
    request = Request(name_of(source), source, size, channels, patients)
    if _holds_masks(origin):
        return masked(hashes, request, masks.TWO)
    return opened(hashes, request)


def _holds_masks(origin: Path | Phantom) -> bool:
    """Tell whether a source is for segmentation; a table that has labels too is taken by its labels."""
    if isinstance(origin, Phantom):
        return not origin.classes
    table = mask_table(origin)
    if table is not None:
        return not lists_classes(table)
    if pair_layout(origin):
        return True
    if not pair_layout(origin, asked=True):
        return False
    try:
        without_masks(read_source(origin), origin)
    except BadInputError:  # no classes, or patients for classes
        return True
    return False


def of_files(hashes: Hashes, source: Path, request: Request, values: str) -> DatasetSpec:
    """Return the data set that a folder of images with masks holds.

    Args:
        hashes: the remembered hashes of files.
        source: the folder, or a table that lists images with masks.
        request: how its images are wanted.
        values: "two", "labels" or "grey": how the masks' values are read (`masks.whole`).

    Raises:
        BadInputError: no such layout, images or masks without a counterpart, or nothing to train on.
    """
    records = read_pairs(source)
    if not any(record.part in (TRAIN, UNSPLIT) for record in records):
        raise BadInputError(f"{source} has no image with a mask to train on: add some to train.")
    records, remarks = with_patients(source, records, request.patients, hashes)
    of_images = hashes.sha256_of([record.path for record in records])
    of_masks = hashes.sha256_of([_mask(record) for record in records])
    contents = [_together(image, mask, values) for image, mask in zip(of_images, of_masks, strict=True)]
    order = sorted(range(len(records)), key=lambda row: (records[row].part, contents[row]))
    files = [((records[row].path, of_images[row]), (_mask(records[row]), of_masks[row])) for row in order]
    records, contents = [records[row] for row in order], [contents[row] for row in order]

    def unchanged(row: int) -> AbstractContextManager[None]:
        return hashes.unchanged(*files[row])

    store = hashes.folder / "survey.sqlite"
    mask_files = MaskFiles(str(source), records, contents, values, store, unchanged)
    bundle = DatasetSpec(
        name=request.name,
        source=str(source),
        layout=pair_layout(source, asked=True),
        kind="files",
        classes=(FOREGROUND,),
        labels=np.zeros(len(records), np.int64),
        parts=np.array([record.part for record in records], np.str_),
        patients=patients_in(records),
        names=tuple(record.name for record in records),
        contents=tuple(contents),
        fingerprint=fingerprint(records, contents),
        size=request.size,
        channels=request.channels,
        render=partial(_image, records, contents),
        stored=partial(_stored, records),
        masks=mask_files.fitted,
        marks=mask_files.marks,
        unchanged=unchanged,
        remarks=remarks if mask_table(source) else without_partner(source) + remarks + remarks_on(source, None),
    )
    return with_white(bundle, [record.path for record in records], request.white, hashes)


def _mask(record: Record) -> Path:
    assert record.mask is not None
    return record.mask


def _together(image: str, mask: str, values: str) -> str:
    """Return the hash of an image with its mask, "" if one of them cannot be read."""
    return hashlib.sha256(f"{image} {mask} {values}".encode()).hexdigest() if image and mask else ""


def _image(records: Sequence[Record], contents: Sequence[str], row: int, size: int, channels: int) -> Images:
    if not contents[row]:  # the fingerprint lacks it, so it is never to be used even if it can be read by now
        raise UnreadableImageError("missing or not readable, it or its mask")
    return images.decode(records[row].path, size, channels)


def _stored(records: Sequence[Record], row: int) -> tuple[str, tuple[int, int]]:
    """Return how an image is stored, and its size as it is shown, which its mask must have."""
    height, width = images.whole(records[row].path).shape[:2]
    return images.kind_of(records[row].path)[0], (width, height)


def _compared_on_test(bundle: DatasetSpec) -> DatasetSpec:
    """Return the data set with its test set as validation set, if it has no validation set."""
    if VALIDATION in bundle.parts or TEST not in bundle.parts:
        return bundle
    digest = hashlib.sha256(f"{bundle.fingerprint} compared on test".encode()).hexdigest()
    parts = np.where(bundle.parts == TEST, VALIDATION, bundle.parts)
    return replace(bundle, parts=parts, fingerprint=f"sha256:{digest}")
