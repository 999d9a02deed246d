"""What the masks of a data set hold: each file looked at once and remembered by its content."""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images, Tell, Unchanged
from medcls.data.marks import Marks
from medcls.data.masks import mask_files
from medcls.data.masks.meaning import decide
from medcls.data.masks.turning import UPRIGHT, turned
from medcls.data.masks.values import NONE, Content, Meaning, Value
from medcls.data.readers.images import DECODER, UnreadableImageError
from medcls.data.readers.records import Record
from medcls.data.sqlite_cache import transact

READER = 1  # raised whenever a mask file is judged by other rules
AT_ONCE = 200  # masks in one question to the store, and between two words about the progress
CREATE = """CREATE TABLE IF NOT EXISTS mask_files
(content TEXT, decoder INTEGER, reader INTEGER, seen TEXT, PRIMARY KEY (content, decoder, reader)) WITHOUT ROWID"""


class Seen(NamedTuple):
    """The result of reading an image with its mask.

    Attributes:
        fault: why the mask cannot be decoded, "" if it can.
        content: the values of the mask, None (by default) if it cannot be decoded.
        image_turned: the image's EXIF orientation, upright by default.
        mask_turned: the mask's EXIF orientation, upright by default.
    """

    fault: str
    content: Content | None = None
    image_turned: int = UPRIGHT
    mask_turned: int = UPRIGHT


@dataclass(frozen=True)
class MaskFiles:
    """The masks of a data set made of files, in its order.

    Attributes:
        source: the data set.
        records: the images with their masks.
        contents: the hash of each image with its mask, "" if one of them cannot be read.
        values: "two", "labels" or "grey".
        store: the SQLite file in which the results of reading masks are remembered.
        unchanged: row number -> the context in which an image and its mask are read: it raises BadInputError if
            a file has changed.
    """

    source: str
    records: Sequence[Record]
    contents: Sequence[str]
    values: str
    store: Path
    unchanged: Unchanged
    _known: list[tuple[Meaning, Sequence[Seen]]] = field(default_factory=list, repr=False, compare=False)
    _turn: AbstractContextManager[bool] = field(default_factory=Lock, repr=False, compare=False)

    def file(self, row: int) -> Path:
        """Return the file of a mask."""
        mask = self.records[row].mask
        assert mask is not None
        return mask

    def meaning(self, tell: Tell = lambda *_: None) -> tuple[Meaning, Sequence[Seen]]:
        """Return the meaning of the masks' values and the result of reading each mask; every file is read once.

        Raises:
            BadInputError: the files contradict one another.
        """
        with self._turn:
            if not self._known:
                seen = self._look(tell)
                readable = []
                for row, pair in enumerate(seen):
                    if pair.content:
                        readable.append((self.file(row), pair.content))
                self._known.append((decide(self.source, self.values, readable), seen))
        return self._known[0]

    def marks(self, tell: Tell = lambda *_: None) -> Marks:
        """Return what the masks mark.

        Raises:
            BadInputError: the files contradict one another.
        """
        meaning, seen = self.meaning(tell)
        return Marks(
            meaning.sentence,
            tuple(self.file(row).name for row in range(len(seen))),
            tuple(self._fault(row, meaning, pair) for row, pair in enumerate(seen)),
            tuple(pair.content.size if pair.content else (0, 0) for pair in seen),
            np.array([meaning.extent(pair.content) if pair.content else NONE for pair in seen], np.int64),
            np.array([(pair.image_turned, pair.mask_turned) for pair in seen], np.int64).reshape(len(seen), 2),
            self._whole_unchanged,
        )

    def whole(self, row: int) -> NDArray[np.bool_]:
        """Return a mask in its own size.

        Raises:
            UnreadableImageError: it cannot be decoded, or is not what it should be.
        """
        meaning, seen = self.meaning()
        fault = self._fault(row, meaning, seen[row])
        if fault:
            raise UnreadableImageError(fault)
        try:
            return mask_files.whole(self.file(row), self.values, meaning)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"its mask {self.file(row).name}: {error}") from error

    def _whole_unchanged(self, row: int) -> NDArray[np.bool_]:
        with self.unchanged(row):
            return self.whole(row)

    def fitted(self, row: int, size: int) -> Images:
        """Return a mask of shape (size, size, 1), 0 or 1.

        Raises:
            UnreadableImageError: it cannot be decoded, or is not what it should be.
        """
        return mask_files.fit(self.whole(row), size)

    def _fault(self, row: int, meaning: Meaning, seen: Seen) -> str:
        fault = meaning.fault(seen.content) if seen.content else seen.fault
        return f"its mask {self.file(row).name}: {fault}" if fault else ""

    def _look(self, tell: Tell) -> list[Seen]:
        seen: dict[str, Seen] = transact(self.store, partial(_remembered, set(self.contents)), {})
        new: dict[str, int] = {}
        for row, content in enumerate(self.contents):
            if content and content not in seen:
                new[content] = row
        names = list(new)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(names), AT_ONCE):
                tell("looking at masks", len(seen), len(seen) + len(names) - start)
                batch = names[start : start + AT_ONCE]
                seen_now = pool.map(lambda content: self._see(new[content]), batch)
                seen_of_batch = dict(zip(batch, seen_now, strict=True))
                transact(self.store, partial(_remember, seen_of_batch), None)
                seen |= seen_of_batch
        seen[""] = Seen("missing or not readable")
        return [seen[content] for content in self.contents]

    def _see(self, row: int) -> Seen:
        with self.unchanged(row):
            try:
                content = mask_files.content_of(self.file(row), self.values)
            except UnreadableImageError as error:
                return Seen(str(error))
            try:
                return Seen("", content, turned(self.records[row].path), turned(self.file(row)))
            except (OSError, ValueError, SyntaxError):  # the image is damaged, which is said where images are looked at
                return Seen("", content)


def _remembered(contents: set[str], file: sqlite3.Connection) -> dict[str, Seen]:
    remembered: dict[str, Seen] = {}
    wanted = list(contents)
    for start in range(0, len(wanted), AT_ONCE):
        batch = wanted[start : start + AT_ONCE]
        marks = ",".join("?" * len(batch))
        query = f"SELECT content, seen FROM mask_files WHERE decoder = ? AND reader = ? AND content IN ({marks})"
        for content, seen in file.execute(query, (DECODER, READER, *batch)):
            remembered[content] = _seen(json.loads(seen))
    return remembered


def _remember(seen: Mapping[str, Seen], file: sqlite3.Connection) -> None:
    file.execute(CREATE)
    rows = [(content, DECODER, READER, json.dumps(pair)) for content, pair in seen.items()]
    file.executemany("INSERT OR REPLACE INTO mask_files VALUES (?, ?, ?, ?)", rows)


def _seen(stored: list[Any]) -> Seen:
    fault, content, *orientations = stored
    return Seen(fault, content and _content(content), *orientations)


def _content(stored: list[Any]) -> Content:
    content = Content(*stored)
    return content._replace(
        values=tuple(Value(*value) for value in content.values),
        size=(content.size[0], content.size[1]),
        bare=None if content.bare is None else _content(list(content.bare)),
    )
