"""Images and labels of a set in a file of arrays, and the arrays that are refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.readers.images import MOST_PIXELS
from medcls.data.readers.records import Record
from medcls.data.readers.stacks import Stack
from medcls.utils.errors import BadInputError


@dataclass(frozen=True)
class Part:
    """One set of a data set of arrays: its images and, of shape (n,), the class number of each."""

    part: str
    images: Stack
    labels: NDArray[np.int64]


def records_of(parts: Sequence[Part]) -> list[Record]:
    """Return a record of every image, set by set.

    The names of classes are numbers padded with zeros so that they sort as numbers do: "00" to "10" if there are eleven
    classes.
    """
    largest = max(int(arrays.labels.max(initial=0)) for arrays in parts)
    digits = len(str(largest))
    records = []
    for arrays in parts:
        for row, label in enumerate(arrays.labels.tolist()):
            name = f"{arrays.images.name}[{row}]"
            records.append(Record(arrays.images.path, name, f"{label:0{digits}}", arrays.part))
    return records


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every error that reading an array causes into one sentence that names the file.

    Raises:
        BadInputError: the file cannot be read.
    """
    try:
        yield
    except BadInputError:
        raise
    except Exception as error:  # a damaged file makes the parsers raise anything
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise BadInputError(f"{path} cannot be read ({reason}): repair it or download it again.") from error


def stack_of(
    path: Path,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    opened: Callable[[], AbstractContextManager[IO[bytes]]],
    start: int,
    plain_at: int | None,
) -> Stack:
    """Return a stack of grey or RGB images in bytes.

    Args:
        path: the file.
        name: what the array is called in the file, for messages.
        shape: (n, height, width), (n, height, width, 1) or (n, height, width, 3).
        dtype: of the array.
        opened: opens the file for reading.
        start: the position of the first pixel in what `opened` returns, in bytes.
        plain_at: its position in the file itself, in bytes; None where the file is packed.

    Raises:
        BadInputError: images that are not grey or RGB in bytes, or are too large.
    """
    if dtype != np.uint8:
        raise BadInputError(f"{path} has {name} of type {dtype}: save images as uint8, 0 to 255.")
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if not (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)) or 0 in shape:
        raise BadInputError(
            f"{path} has {name} of shape {shape}: give (images, height, width), with one axis more, of 3, if RGB."
        )
    if shape[1] * shape[2] > MOST_PIXELS:
        raise BadInputError(f"{path} has {name} of {shape[1]}x{shape[2]} pixels: {MOST_PIXELS:,} are read at most.")
    return Stack(path, name, shape, opened, start, plain_at)


def part_of(part: str, images: Stack, name: str, labels: NDArray[Any]) -> Part:
    """Return a set of images with their labels.

    Args:
        part: the set: TRAIN, VALIDATION, TEST or UNSPLIT.
        images: the set's images.
        name: what the labels are called in the file, for messages.
        labels: of shape (n,) or (n, 1).

    Raises:
        BadInputError: labels that are not one whole number from 0 for each image.
    """
    path = images.path
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise BadInputError(
            f"{path} has {labels.shape[1]} labels for each image ({name}): medcls tells classes apart, of which an "
            "image has one; give a set with one label for each image."
        )
    if labels.dtype.kind not in "iub" or (labels.size and int(labels.min()) < 0):
        raise BadInputError(f"{path} has {name} of type {labels.dtype}: give each class as a whole number from 0.")
    if labels.shape not in {(images.shape[0],), (images.shape[0], 1)}:
        raise BadInputError(
            f"{path} has {images.shape[0]} images in {images.name} and {name} of shape {labels.shape}: "
            "give one label for each image."
        )
    return Part(part, images, labels.reshape(-1).astype(np.int64))
