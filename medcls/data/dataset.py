"""What a data set is: a description first, pixels later."""

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

TRAIN, VALIDATION, TEST, UNSPLIT = "train", "validation", "test", ""

Images = NDArray[np.uint8]
Examples = NDArray[Any]  # images in bytes, or points in float32
Render = Callable[[int, int, int], Any]
RenderMask = Callable[[int, int], Any]
Stored = Callable[[int], tuple[str, tuple[int, int]]]
Tell = Callable[[str, int, int], None]
Unchanged = Callable[[int], AbstractContextManager[None]]
Depth = Callable[[int], Any]


def _cannot_change(row: int) -> AbstractContextManager[None]:  # noqa: ARG001
    return nullcontext()


@dataclass(frozen=True)
class Remark:
    """What is to be said of a data set as it was read.

    Attributes:
        kind: of finding.
        sentence: what it is, for people.
        count: how many images, patients or folders it concerns, as the sentence says.
        names: all that it concerns.
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
        layout: how its files are laid out, for people, e.g. "train/, validation/, in each CLASS/*".
        kind: "files" (the user's images), "phantom" (made by medcls) or "toolkit" (made by a library).
        classes: class names, in the order of their labels.
        labels: of shape (n,), int64: the class of each image.
        parts: of shape (n,), str: TRAIN, VALIDATION, TEST or UNSPLIT for each image.
        patients: of shape (n,), str: the patient of each image, or None where unknown.
        names: of length n: each image's path below the source, or its number in a phantom.
        contents: of length n: the SHA-256 of each image's content in hex; "" in a phantom and for what cannot be read.
        fingerprint: "sha256:" and 64 hex digits over everything from the classes on but the names.
        size: height and width to which every image is resized, in pixels; 0 where the examples are no images but
            points, of `channels` coordinates each.
        channels: 1 (grey) or 3 (RGB).
        render: (row number, size, channels) -> the image, of shape (size, size, channels), uint8; or the point, of
            shape (channels,), float32.
        stored: row number -> how the image's pixels are stored, e.g. "RGB", and its (width, height).
        masks: (row number, size) -> what is to be found in the image, of shape (size, size, 1), uint8, 1 there and 0
            elsewhere; None where images have classes instead. Then there is one class, "foreground".
        unchanged: row number -> what an image's file is read within: it raises BadInputError if the file does not have
            the content that the fingerprint was made of.
        remarks: what is to be said of how its files were understood.
        marks: (told of progress) -> what masks that are files mark; None where there are none.
        levels: what is black and white in images of more than 8 bits; `contents` and the fingerprint depend on it.
        depth: row number -> how far the stored values of an image of more than 8 bits reach, None if it has no more;
            None itself where there are no files.
    """

    name: str
    source: str
    layout: str
    kind: str
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
        return (self.size, self.size, self.channels) if self.size else (self.channels,)

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
        example: Examples = self.render(row, self.size, self.channels)
        return example


@dataclass(frozen=True)
class Dataset:
    """A data set whose images are decoded, as every worker opens it.

    `images` is a read-only memory map of shape (n, size, size, channels), uint8, or of points' coordinates, of shape
    (n, coordinates), float32; `masks` one of shape (n, size, size, 1), uint8, 0 or 1, or None; `whole` has the masks in
    their own sizes where they are files. The other attributes are the Bundle's.
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
    """Row numbers of a Decoded data set: what a run trains on, is compared on and (once) tested on."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True)
class Picked:
    """Some rows of an array as an array of its own, read when they are asked for: it may be larger than memory."""

    array: Examples
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return (len(self.rows), *self.array.shape[1:])

    @cached_property
    def _read(self) -> Reader:
        return Reader(self.array)

    def __getitem__(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows at some positions, float32."""
        return np.asarray(self._read(self.rows[positions]), np.float32)
