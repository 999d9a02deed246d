"""What a phantom is: a made-up data set whose every image follows from a seed and a row number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcls.data.phantoms import folders

SIZE = 128  # of the X-rays' film

Pixels = NDArray[np.uint8]
Render = Callable[[int], Pixels]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A deterministic stand-in for a data set of images of one size.

    Attributes:
        name: the built-in name that it stands in for, e.g. "xray".
        classes: class names, in the order of their labels; none where every image has a mask instead.
        labels: of shape (n,), int64: the class of each image, 0 where there are no classes.
        parts: of shape (n,), str: TRAIN, VALIDATION, TEST or UNSPLIT for each image.
        render: row number -> the image, of that shape, uint8, whatever was rendered before and where.
        recipe: everything that the pixels depend on, as text: two phantoms of one recipe are the same. The code in it
            is the digest of the functions that draw, wherever their files lie.
        shape: of every image: (height, width) of a grey one, (height, width, 3) of one in colour.
        masks: what is marked -> (row number -> its mask, of shape (height, width), uint8, 255 there and 0 elsewhere).
        patients: of shape (n,), str: the patient of each image, or None where each is one of its own.
        file: part, class, number within the part -> where an image lies in a folder laid out as the real data set.
        mask_file: an image's file, what is marked -> where that mask lies.
    """

    name: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    render: Render
    recipe: str
    shape: tuple[int, ...] = (SIZE, SIZE)
    masks: Mapping[str, Render] = field(default_factory=dict)
    patients: NDArray[np.str_] | None = None
    file: Callable[[str, str, int], str] = folders.by_prefix
    mask_file: Callable[[str, str], str] = folders.mask_apart


def by_class(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return the labels of a part that has `counts[label]` images of each class, class by class."""
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)
