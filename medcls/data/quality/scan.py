"""The scan of a data set: every image is decoded once, copies are found, and both are remembered by content."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import DatasetSpec, Tell
from medcls.data.marks import Marks
from medcls.data.masks.findings import with_faults_of_masks
from medcls.data.quality.connected import smallest_connected
from medcls.data.quality.duplicates import LEAST_SIDE, copies
from medcls.data.quality.registration import SIDE
from medcls.data.readers.images import DECODER, UnreadableImageError
from medcls.data.sqlite_cache import transact

FINDER = 2  # raised whenever other images count as copies of one another
CREATE = (
    """CREATE TABLE IF NOT EXISTS looks (sha256 TEXT, decoder INTEGER, fault TEXT, stored TEXT, width INTEGER,
    height INTEGER, thumbnail BLOB, PRIMARY KEY (sha256, decoder)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS links (contents TEXT PRIMARY KEY, pairs TEXT) WITHOUT ROWID",
)
AT_ONCE = 200  # images in one query of the store, and between two calls that report progress


class Look(NamedTuple):
    """The result of decoding one image.

    Attributes:
        fault: why it cannot be decoded, "" if it can.
        stored: how its pixels are stored, e.g. "RGB"; "" by default.
        width: in pixels, 0 by default.
        height: in pixels, 0 by default.
        thumbnail: the bytes of a small grey picture; empty (by default) for images too small to have copies.
    """

    fault: str
    stored: str = ""
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""


@dataclass(frozen=True)
class Survey:
    """The results of scanning a data set's images, in its order.

    Attributes:
        faults: of length n: why an image or its mask cannot be used, "" if both can.
        stored: of length n: how its pixels are stored, e.g. "RGB", and its width and height.
        copies: of shape (n,), int64: images with the same number show the same picture. Of images smaller than
            LEAST_SIDE pixels only identical files do.
        marks: what the masks mark, None where there are none.
    """

    faults: tuple[str, ...]
    stored: tuple[tuple[str, tuple[int, int]], ...]
    copies: NDArray[np.int64]
    marks: Marks | None


def survey(bundle: DatasetSpec, folder: Path, tell: Tell = lambda *_: None) -> Survey:
    """Decode every image of a data set made of files, except for those whose results are in `folder` already.

    Args:
        bundle: the data set.
        folder: where hashes and decoded images are cached.
        tell: called with the current step, how much of it is done, and how much there is; does nothing by default.

    Raises:
        BadInputError: its masks contradict one another.
    """
    marks = None if bundle.marks is None else bundle.marks(tell)
    store = folder / "survey.sqlite"
    looks: dict[str, Look] = transact(store, lambda file: _known_looks(file, set(bundle.contents)), {})
    new = {content: row for row, content in enumerate(bundle.contents) if content and content not in looks}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch in _batches(list(new)):
            tell("looking at images", len(looks), len(looks) + len(new))
            new_looks = pool.map(lambda content: _look(bundle, new.pop(content)), batch)
            looks_of_batch = dict(zip(batch, new_looks, strict=True))
            transact(store, partial(_remember, looks_of_batch), None)
            looks |= looks_of_batch
    looks[""] = Look("missing or not readable")
    seen = [looks[content] for content in bundle.contents]
    sizes = [(look.width, look.height) for look in seen]
    faults = tuple(look.fault for look in seen)
    return Survey(
        faults if marks is None else with_faults_of_masks(faults, sizes, marks),
        tuple((look.stored, (look.width, look.height)) for look in seen),
        linked(bundle.contents, _links(looks, store, tell)),
        marks,
    )


def linked(contents: Sequence[str], links: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """Return for each content the number of its group: equal contents, and contents that a chain of links connects.

    Args:
        contents: of length n; an empty one belongs to no group.
        links: pairs of contents that belong together.

    Returns:
        The numbers of the groups, of shape (n,), int64, in the alphabetical order of each group's first content.
    """
    names = [content or f"unreadable {row}" for row, content in enumerate(contents)]
    distinct = set(names)
    for link in links:
        distinct.update(link)
    numbers = {name: number for number, name in enumerate(sorted(distinct))}
    pairs = [(numbers[one], numbers[other]) for one, other in links]
    groups = smallest_connected(len(numbers), np.array(pairs, np.int64).reshape(-1, 2))
    return np.unique(groups[[numbers[name] for name in names]], return_inverse=True)[1]


def _look(bundle: DatasetSpec, row: int) -> Look:
    try:
        with bundle.unchanged(row):
            stored, (width, height) = bundle.stored(row)
            thumbnail = bundle.render(row, SIDE, 1)[:, :, 0]
    except UnreadableImageError as error:
        return Look(str(error))
    large = min(width, height) >= LEAST_SIDE
    return Look("", stored, width, height, thumbnail.tobytes() if large else b"")


def _links(looks: Mapping[str, Look], store: Path, tell: Tell) -> list[tuple[str, str]]:
    """Return pairs of contents that link all copies, other than identical files."""
    large = sorted(content for content, look in looks.items() if min(look.width, look.height) >= LEAST_SIDE)
    name = hashlib.sha256(json.dumps([DECODER, FINDER, large]).encode()).hexdigest()
    remembered: list[tuple[str, str]] | None = transact(store, lambda file: _known_links(file, name), None)
    if remembered is not None:
        return remembered
    unseen = {content for content in large if not looks[content].thumbnail}
    kept: dict[str, bytes] = transact(store, lambda file: _thumbnails(file, unseen), {})
    raw = b"".join(looks[content].thumbnail or kept[content] for content in large)
    thumbnails = np.frombuffer(raw, np.uint8).reshape(-1, SIDE, SIDE)
    pairs = copies(thumbnails, lambda done, total: tell("comparing images", done, total))
    links = [(large[one], large[other]) for one, other in pairs]
    transact(store, lambda file: _remember_links(file, name, links), None)
    return links


def _batches(contents: Sequence[str]) -> list[Sequence[str]]:
    return [contents[start : start + AT_ONCE] for start in range(0, len(contents), AT_ONCE)]


def _known_looks(file: sqlite3.Connection, contents: set[str]) -> dict[str, Look]:
    looks: dict[str, Look] = {}
    for batch in _batches(list(contents)):
        marks = ",".join("?" * len(batch))
        columns = "sha256, fault, stored, width, height"
        query = f"SELECT {columns} FROM looks WHERE decoder = ? AND sha256 IN ({marks})"
        for content, *values in file.execute(query, (DECODER, *batch)):
            looks[content] = Look(*values)
    return looks


def _thumbnails(file: sqlite3.Connection, contents: set[str]) -> dict[str, bytes]:
    thumbnails: dict[str, bytes] = {}
    for batch in _batches(list(contents)):
        marks = ",".join("?" * len(batch))
        query = f"SELECT sha256, thumbnail FROM looks WHERE decoder = ? AND sha256 IN ({marks})"
        thumbnails |= dict(file.execute(query, (DECODER, *batch)))
    return thumbnails


def _remember(looks: Mapping[str, Look], file: sqlite3.Connection) -> None:
    for table in CREATE:
        file.execute(table)
    rows = [(content, DECODER, *look) for content, look in looks.items()]
    columns = "sha256, decoder, fault, stored, width, height, thumbnail"
    file.executemany(f"INSERT OR REPLACE INTO looks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _known_links(file: sqlite3.Connection, name: str) -> list[tuple[str, str]] | None:
    row = file.execute("SELECT pairs FROM links WHERE contents = ?", (name,)).fetchone()
    return None if row is None else [(one, other) for one, other in json.loads(row[0])]


def _remember_links(file: sqlite3.Connection, name: str, links: Sequence[tuple[str, str]]) -> None:
    file.execute("INSERT OR REPLACE INTO links VALUES (?, ?)", (name, json.dumps(links)))
