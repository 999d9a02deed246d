"""Models for inference, and their predictions for image files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.data.levels import AS_STORED, Levels
from medcls.data.readers.images import UnreadableImageError, decode_sized
from medcls.data.readers.listing import images_below
from medcls.data.readers.records import listed
from medcls.evaluation.classification import with_both_classes
from medcls.export.parity import Predict, at_once
from medcls.utils.errors import BadInputError
from medcls.utils.tensors import KerasModel

NAMED = 100  # bad files in one message


Kept = TypeVar("Kept")
Progress = Callable[[int], None]
"""Called with the number of files that are done."""


@dataclass(frozen=True)
class Predictor:
    """A model for inference.

    Attributes:
        name: the folder, file or URI that it was opened from.
        predict: a batch of images, of shape (n, size, size, channels), 0..255 -> the model's own answers.
        size: height and width of the images that it takes, in pixels.
        channels: 1 (grey) or 3 (RGB).
        classes: the names of the classes, in the order of the probabilities.
        numbered: whether the names of the classes are not known and numbers stand for them.
        network: the Keras network, None where the format holds none.
        pixels: whether it predicts masks, a probability for each pixel, instead of classes.
        levels: what is black and white in images of more than 8 bits.
        origin: a sentence that says which outcome of which study the model is from, "" where that is not known.
    """

    name: str
    predict: Predict
    size: int
    channels: int
    classes: tuple[str, ...]
    numbered: bool
    network: KerasModel | None
    pixels: bool = False
    levels: Levels = AS_STORED
    origin: str = ""

    def answers(self, images: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the model's probabilities, of shape (n, classes), or (n, size, size, 1) if it predicts masks.

        Args:
            images: of shape (n, size, size, channels), 0..255; they are predicted batch by batch.

        Raises:
            BadInputError: the model's answers are not probabilities.
        """
        batch_size = at_once((self.size, self.size, self.channels))
        answers = []
        for start in range(0, len(images), batch_size):
            answers.append(_probabilities(self, images[start : start + batch_size]))
        return np.concatenate(answers)


@dataclass(frozen=True)
class Prediction:
    """What a model predicts for one image.

    Attributes:
        file: the image.
        probabilities: of shape (classes,), or (size, size, 1) if the model predicts masks.
        own_size: height and width of the image in its file, in pixels.
    """

    file: Path
    probabilities: NDArray[np.float32]
    own_size: tuple[int, int]


def images_among(places: Sequence[Path]) -> list[Path]:
    """Return the given files, and all image files in and below the given folders.

    Raises:
        BadInputError: a file or folder does not exist, or a folder has no images.
    """
    images = []
    for place in places:
        if place.is_dir():
            below = images_below(place)
            if not below:
                raise BadInputError(f"{place} has no image that can be read: give files or folders of images.")
            images += below
        elif place.exists():
            images.append(place)
        else:
            raise BadInputError(f"There is no file or folder {place}: give images, or folders of images.")
    return images


def predictions(
    model: Predictor,
    files: Sequence[Path],
    keep: Callable[[Prediction], Kept],
    *,
    skip_bad: bool,
    progress: Progress,
    remedy: str = "repair or remove them, or leave them out with --skip-bad-files",
) -> tuple[list[Kept], list[str]]:
    """Predict image files batch by batch, so that memory does not grow with their number.

    Args:
        model: the model.
        files: the images.
        keep: called with each prediction in turn; returns what to keep of it.
        skip_bad: leave out files that cannot be read.
        progress: called with the number of files that are done.
        remedy: for the error message: what to do about files that cannot be read.

    Returns:
        What was kept of the predictions, and the files that cannot be read, each with the reason.

    Raises:
        BadInputError: some files cannot be read and are not to be left out; or the answers are not probabilities.
    """
    kept: list[Kept] = []
    bad: list[str] = []
    batch_size = at_once((model.size, model.size, model.channels))
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), batch_size):
            batch = files[start : start + batch_size]
            good: list[Path] = []
            images: list[Images] = []
            own_sizes: list[tuple[int, int]] = []
            for file, decoded in zip(batch, pool.map(lambda file: _decoded(file, model), batch), strict=True):
                if isinstance(decoded, str):
                    bad.append(f"{file} ({decoded})")
                else:
                    good.append(file)
                    images.append(decoded[0])
                    own_sizes.append(decoded[1])
            if good and (skip_bad or not bad):
                answers = _probabilities(model, np.stack(images))
                for file, answer, own_size in zip(good, answers, own_sizes, strict=True):
                    kept.append(keep(Prediction(file, answer, own_size)))
            progress(start + len(batch))
    if bad and not skip_bad:
        raise BadInputError(f"{len(bad)} of {len(files)} images cannot be read: {listed(bad, NAMED)}; {remedy}.")
    return kept, bad


def _decoded(file: Path, model: Predictor) -> tuple[Images, tuple[int, int]] | str:
    """Return an image at the model's size, and its own height and width; or the reason why it cannot be read."""
    try:
        return decode_sized(file, model.size, model.channels, model.levels)
    except UnreadableImageError as error:
        return str(error)


def _probabilities(model: Predictor, images: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float32]:
    answers = model.predict(images)
    if model.pixels:
        valid = bool(np.all((answers >= 0) & (answers <= 1)))
    else:
        answers = with_both_classes(answers)
        tolerance = min(max(answers.shape[1] / 512, 1e-3), 0.02)  # 8-bit models round each probability
        valid = bool(np.all(answers >= 0) and np.allclose(answers.sum(axis=1), 1, atol=tolerance))
    if not valid:
        raise BadInputError(f"{model.name} does not return probabilities: end it with a softmax or a sigmoid.")
    return answers
