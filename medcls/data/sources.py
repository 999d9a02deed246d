"""The data functions of a study: a source and a size -> a Bundle."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from medcls.data import images
from medcls.data.catalogue import find, name_of
from medcls.data.hashes import Hashes
from medcls.data.layouts import read_source
from medcls.data.phantoms.types import Phantom
from medcls.data.records import Record, fingerprint, ordered
from medcls.data.types import Bundle, Images
from medcls.errors import BadInputError


def xray(hashes: Hashes, *, source: str = "xray", size: int = 64, channels: int = 1) -> Bundle:
    """Return the X-ray data set: nine body regions, C1 to C9, unequally frequent.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return _bundle("xray", hashes, source, size, channels)


def folder(hashes: Hashes, *, source: str, size: int = 64, channels: int = 1) -> Bundle:
    """Return the data set that a folder, a labels.csv or a built-in name holds.

    Raises:
        BadInputError: a source that cannot be used, or a size or number of channels that makes no sense.
    """
    return _bundle(name_of(source), hashes, source, size, channels)


def _bundle(name: str, hashes: Hashes, source: str, size: int, channels: int) -> Bundle:
    if size < 1:
        raise BadInputError(f"data.size={size}: give the height and width of the images in pixels, at least 1.")
    if channels not in (1, 3):
        raise BadInputError(f"data.channels={channels}: give 1 (grey) or 3 (RGB).")
    found = find(source)
    if isinstance(found, Phantom):
        return _phantom(name, found, size, channels)
    return _files(name, hashes, found, size, channels)


def _files(name: str, hashes: Hashes, source: Path, size: int, channels: int) -> Bundle:
    found = ordered(source, read_source(source))
    hashed = zip(found, hashes.sha256_of([record.path for record in found]), strict=True)
    # By content, not by name: a run must not change when files are renamed, as its fingerprint does not.
    rows = sorted(hashed, key=lambda row: (row[0].part, row[0].label, row[1]))
    records, contents = [record for record, _ in rows], [content for _, content in rows]
    classes = sorted({record.label for record in records})
    known = all(record.patient is not None for record in records)
    return Bundle(
        name=name,
        source=str(source),
        kind="files",
        classes=tuple(classes),
        labels=np.array([classes.index(record.label) for record in records], np.int64),
        parts=np.array([record.part for record in records], np.str_),
        patients=np.array([record.patient for record in records], np.str_) if known else None,
        names=tuple(record.name for record in records),
        contents=tuple(contents),
        fingerprint=fingerprint(records, contents),
        size=size,
        channels=channels,
        render=partial(_decode, records, contents),
    )


def _decode(records: Sequence[Record], contents: Sequence[str], row: int, size: int, channels: int) -> Images:
    if not contents[row]:  # not part of the fingerprint, so never to be used even if it can be read by now
        raise images.UnreadableImageError("missing or not readable")
    return images.decode(records[row].path, size, channels)


def _phantom(name: str, phantom: Phantom, size: int, channels: int) -> Bundle:
    return Bundle(
        name=name,
        source=phantom.name,
        kind="phantom",
        classes=phantom.classes,
        labels=phantom.labels,
        parts=phantom.parts,
        patients=None,
        names=tuple(map(str, range(len(phantom.labels)))),
        contents=("",) * len(phantom.labels),
        fingerprint="sha256:" + hashlib.sha256(phantom.recipe.encode()).hexdigest(),
        size=size,
        channels=channels,
        render=partial(_render, phantom),
    )


def _render(phantom: Phantom, row: int, size: int, channels: int) -> Images:
    return images.fit(phantom.render(row), size, channels)
