"""Data sets of image files or of files of arrays: their order, their fingerprint, and how an image is read."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import DatasetSpec, Images, Render, Stored
from medcls.data.patients import with_patients
from medcls.data.readers import dicom, images
from medcls.data.readers.arrays import Part, reading, records_of
from medcls.data.readers.layouts import layout_of, read_arrays, read_source
from medcls.data.readers.partners import without_masks
from medcls.data.readers.records import Record, fingerprint, ordered, patients_in
from medcls.data.readers.stacks import Stacks, sha256_of
from medcls.data.readers.table import table_of
from medcls.data.remains import remarks_on
from medcls.data.request import Request
from medcls.data.white import with_white
from medcls.utils.errors import BadInputError

Row = tuple[Record, str, tuple[int, int]]  # an image, the hash of its content, its stack and its number in it


def bundle_of(hashes: Hashes, source: Path, request: Request) -> DatasetSpec:
    """Return the data set that a folder, a labels.csv or a file of arrays holds.

    Args:
        hashes: the remembered hashes of files.
        source: the folder, table or file.
        request: how its images are wanted.

    Raises:
        BadInputError: no known layout, files that cannot be listed, or no data set for classification.
    """
    arrays = read_arrays(source)
    if arrays:
        return _of_arrays(hashes, source, arrays, request)
    return _of_files(hashes, source, request)


def _of_files(hashes: Hashes, source: Path, request: Request) -> DatasetSpec:
    records, aside = without_masks(read_source(source), source)
    records = ordered(source, records)
    layout = layout_of(source, records)
    _refuse_dicom_without_its_library(records)
    records, remarks = with_patients(source, records, request.patients, hashes)
    if table_of(source) is None:
        remarks += remarks_on(source, {record.label for record in records})
    contents = hashes.sha256_of([record.path for record in records])
    rows = _by_content([(record, content, (0, 0)) for record, content in zip(records, contents, strict=True)])
    render, stored = partial(_decode, rows), partial(_stored, rows)
    bundle = _bundle(request, source, layout, rows, render, stored)
    bundle = replace(bundle, unchanged=partial(_unchanged, hashes, rows), remarks=aside + remarks)
    return with_white(bundle, [record.path for record, _, _ in rows], request.white, hashes)


def _of_arrays(hashes: Hashes, source: Path, sets: Sequence[Part], request: Request) -> DatasetSpec:
    request.refuse_patients(f"{source} holds arrays of images, which have no names")
    request.refuse_white(f"{source} holds arrays of bytes")
    stacks = Stacks([arrays.images for arrays in sets], hashes.folder)
    records = records_of(sets)
    ordered(source, records)  # raises BadInputError for classes of which no study can be made
    contents: list[str] = []
    for stack in stacks.stacks:
        with reading(stack.path):
            contents += hashes.sha256_of_rows(stack.path, stack.name, stack.sha256_of_rows)
    for arrays, again in zip(sets, read_arrays(source), strict=True):
        if not np.array_equal(arrays.labels, again.labels):  # then these images do not belong to these labels
            raise BadInputError(f"{again.images.path} changed while it was read: run the command again.")
    rows = _by_content(list(zip(records, contents, stacks.places(), strict=True)))
    layout = "MNIST's idx files"
    if len({stack.path for stack in stacks.stacks}) == 1:
        layout = f"arrays in {sets[0].images.path.name}"
    render, stored = partial(_unpack, rows, stacks), partial(_stored_in, rows, stacks)
    return _bundle(request, source, layout, rows, render, stored)


def _by_content(rows: Sequence[Row]) -> list[Row]:
    """Return rows by set, class and content: renamed files must change neither a run nor the fingerprint."""
    return sorted(rows, key=lambda row: (row[0].part, row[0].label, row[1]))


def _bundle(
    request: Request, source: Path, layout: str, rows: Sequence[Row], render: Render, stored: Stored
) -> DatasetSpec:
    records, contents, _ = zip(*rows, strict=True)
    classes = sorted({record.label for record in records})
    number = {label: position for position, label in enumerate(classes)}
    return DatasetSpec(
        name=request.name,
        source=str(source),
        layout=layout,
        kind="files",
        classes=tuple(classes),
        labels=np.array([number[record.label] for record in records], np.int64),
        parts=np.array([record.part for record in records], np.str_),
        patients=patients_in(records),
        names=tuple(record.name for record in records),
        contents=contents,
        fingerprint=fingerprint(records, contents),
        size=request.size,
        channels=request.channels,
        render=render,
        stored=stored,
    )


def _decode(rows: Sequence[Row], row: int, size: int, channels: int) -> Images:
    record, content, _ = rows[row]
    if not content:  # the fingerprint lacks it, so it is never to be used even if it can be read by now
        raise images.UnreadableImageError("missing or not readable")
    return images.decode(record.path, size, channels)


def _stored(rows: Sequence[Row], row: int) -> tuple[str, tuple[int, int]]:
    return images.kind_of(rows[row][0].path)


def _unchanged(hashes: Hashes, rows: Sequence[Row], row: int) -> AbstractContextManager[None]:
    record, content, _ = rows[row]
    return hashes.unchanged((record.path, content))


def _unpack(rows: Sequence[Row], stacks: Stacks, row: int, size: int, channels: int) -> Images:
    record, content, (stack, position) = rows[row]
    with reading(record.path):
        try:
            pixels = stacks.image(stack, position)
        except OSError as error:
            reason = f"{record.path} cannot be unpacked into {stacks.folder} ({error.strerror or error})"
            raise BadInputError(f"{reason}: make room or use another folder.") from error
    if pixels is None or sha256_of(pixels) != content:
        raise BadInputError(f"{record.path} changed while it was read: run the command again.")
    return images.fit(pixels, size, channels)


def _stored_in(rows: Sequence[Row], stacks: Stacks, row: int) -> tuple[str, tuple[int, int]]:
    _, height, width, *colours = stacks.stacks[rows[row][2][0]].shape
    return "RGB" if colours else "grey", (width, height)


def _refuse_dicom_without_its_library(records: Sequence[Record]) -> None:
    """Raise one error before anything is read, in place of one for every file."""
    if find_spec("pydicom") is None:
        for record in records:
            if dicom.is_named_as_dicom(record.path):
                raise BadInputError(f"{record.path} is {dicom.MISSING}.")
