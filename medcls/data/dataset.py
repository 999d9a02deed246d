"""What a data set is: its description before any image is decoded, its decoded images, and a split of its rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.levels import AS_STORED, Levels
from medcls.data.marks import Marks
from medcls.data.memmap_reader import Reader
from medcls.data.whole_masks import WholeMasks
from medcls.evaluation.run_record import DataKind

TRAIN, VALIDATION, TEST, UNSPLIT = "train", "validation", "test", ""

Images = NDArray[np.uint8]
Examples = NDArray[Any]  # images in bytes, or points in float32
Render = Callable[[int, int, int], Examples]
RenderMask = Callable[[int, int], Images]
Stored = Callable[[int], tuple[str, tuple[int, int]]]
Tell = Callable[[str, int, int], None]
Unchanged = Callable[[int], AbstractContextManager[None]]
Depth = Callable[[int], Any]


def _cannot_change(row: int) -> AbstractContextManager[None]:  # noqa: ARG001
    return nullcontext()


@dataclass(frozen=True)
class Remark:
    """A remark on how the files of a data set were understood.

    Attributes:
        kind: the kind of finding.
        sentence: the remark, for people.
        count: how many images, patients or folders it concerns.
        names: the names of these images, patients or folders.
    """

    kind: str
    sentence: str
    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetSpec:
    """A data set before its images are decoded: enough to plan, split and name every run.

    Attributes:
        name: what the study calls it, e.g. "xray".
        source: the folder, file or built-in name it comes from.
        layout: how its files are laid out, for people, e.g. `train/, validation/, in each CLASS/*`.
        kind: "files" (the user's images), "phantom" (made by medcls) or "toolkit" (made by a library).
        classes: class names, in the order of their labels.
        labels: of shape (n,), int64: the class of each image.
        parts: of shape (n,), str: the set of each image: TRAIN, VALIDATION, TEST or UNSPLIT.
        patients: of shape (n,), str: the patient of each image, or None where unknown.
        names: of length n: each image's path below the source, or its number in a phantom.
        contents: of length n: the SHA-256 of each image's content in hex; "" in a phantom and for what cannot be read.
        fingerprint: "sha256:" and 64 hex digits over the classes and each image's set, class, patient and content.
        size: height and width to which every image is resized, in pixels; 0 where the examples are points of
            `channels` coordinates each.
        channels: 1 (grey) or 3 (RGB).
        render: (row number, size, channels) -> the image, of shape (size, size, channels), uint8; or the point, of
            shape (channels,), float32.
        stored: row number -> how the image's pixels are stored, e.g. "RGB", and its (width, height).
        masks: (row number, size) -> the image's mask, of shape (size, size, 1), uint8, 1 in the foreground and 0
            elsewhere; the one class is then "foreground". None where images have classes instead.
        unchanged: row number -> the context in which an image's file is read: it raises BadInputError if the file does
            not have the content that the fingerprint was made of.
        remarks: remarks on how its files were understood.
        marks: (progress callback) -> what the mask files mark; None where there are none.
        levels: what is black and white in images of more than 8 bits; `contents` and the fingerprint depend on it.
        depth: row number -> how far the stored values of an image of more than 8 bits reach, None if it has no more;
            None itself where there are no files.
    """

    name: str
    source: str
    layout: str
    kind: DataKind
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    patients: NDArray[np.str_] | None
    names: tuple[str, ...]
    contents: tuple[str, ...]
    fingerprint: str
    size: int
    channels: int
    render: Render
    stored: Stored
    masks: RenderMask | None = None
    unchanged: Unchanged = _cannot_change
    remarks: tuple[Remark, ...] = ()
    marks: Callable[[Tell], Marks] | None = None
    levels: Levels = AS_STORED
    depth: Depth | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example as a network sees it: (size, size, channels), or (coordinates,) of a point."""
        if self.size:
            return (self.size, self.size, self.channels)
        return (self.channels,)

    @property
    def dtype(self) -> type[np.uint8 | np.float32]:
        """The type of an example's numbers: pixels are bytes, coordinates are float32."""
        return np.uint8 if self.size else np.float32

    @property
    def noun(self) -> str:
        """What its examples are called: images or points."""
        return "images" if self.size else "points"

    def decode(self, row: int) -> Examples:
        """Return an example as a network sees it, of `shape` and `dtype`."""
        return self.render(row, self.size, self.channels)


@dataclass(frozen=True)
class Dataset:
    """A data set whose images are decoded, as every worker opens it.

    Attributes:
        images: a read-only memory map of shape (n, size, size, channels), uint8; or points' coordinates, of shape
            (n, coordinates), float32.
        labels: of shape (n,), int64: the class of each image.
        parts: of shape (n,), str: the set of each image: TRAIN, VALIDATION, TEST or UNSPLIT.
        patients: of shape (n,), str: the patient of each image, or None where unknown.
        names: of length n: each image's path below the source, or its number in a phantom.
        classes: class names, in the order of their labels.
        fingerprint: "sha256:" and 64 hex digits over the classes and each image's set, class, patient and content.
        masks: a read-only memory map of shape (n, size, size, 1), uint8, 1 in the foreground and 0 elsewhere; None
            where images have classes instead.
        whole: the masks in their own sizes where they are files, else None.
        levels: what is black and white in images of more than 8 bits.
    """

    images: Examples
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    patients: NDArray[np.str_] | None
    names: tuple[str, ...]
    classes: tuple[str, ...]
    fingerprint: str = ""
    masks: Images | None = None
    whole: WholeMasks | None = None
    levels: Levels = AS_STORED

    @property
    def holds_images(self) -> bool:
        """Whether its examples are images rather than points."""
        return self.images.ndim == 4


@dataclass(frozen=True)
class Split:
    """Row numbers of the training, validation and test set of a run, each of shape (rows,)."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True)
class Picked:
    """Some rows of an array that may be larger than memory, read when they are indexed."""

    array: Examples
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the chosen rows: (rows, ...)."""
        return (len(self.rows), *self.array.shape[1:])

    @cached_property
    def _read(self) -> Reader:
        return Reader(self.array)

    def __getitem__(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows at the given positions among the chosen ones, float32."""
        return np.asarray(self._read(self.rows[positions]), np.float32)


Targets = NDArray[np.float32] | Picked  # of shape (n, classes), (n, 1) or (n, height, width, 1)
