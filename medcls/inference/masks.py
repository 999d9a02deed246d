"""Mask files from a model's predictions: each at the size of its image; either all are written or none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.readers.dicom import has_no_suffix
from medcls.data.readers.records import listed
from medcls.evaluation.segmentation import enlarged
from medcls.inference.predictor import Prediction, Predictor, Progress, predictions
from medcls.utils.errors import BadInputError
from medcls.utils.files import written_whole
from medcls.utils.lazy import PIL

MARKED = 255  # the value of pixels within a mask


@dataclass(frozen=True)
class Marked:
    """An image and its predicted mask.

    Attributes:
        file: the image.
        mask: the file of its mask.
        share: the fraction of the image's area within the mask, 0..1.
    """

    file: Path
    mask: Path
    share: float


def mask_files(files: Sequence[Path], places: Sequence[Path]) -> dict[Path, Path]:
    """Return the path of each image's mask within the folder of masks.

    Args:
        files: the images.
        places: the files and folders that the user gave: an image in a folder keeps its path below that folder.

    Raises:
        BadInputError: two images would have the same mask file.
    """
    masks: dict[Path, Path] = {}
    for file in files:
        stem = file.name if has_no_suffix(file) else file.stem
        masks[file] = file.relative_to(_home(file, places)).with_name(f"{stem}.png")
    counts = Counter(masks.values())
    alike = [str(file) for file, mask in masks.items() if counts[mask] > 1]
    if alike:
        raise BadInputError(
            f"--mask: the masks of {listed(alike)} would have the same file name: give them in separate commands."
        )
    return masks


def mark(
    model: Predictor, masks: dict[Path, Path], folder: Path, *, skip_bad: bool, progress: Progress
) -> tuple[list[Marked], list[str]]:
    """Write the predicted masks of images into a new or empty folder.

    Args:
        model: a model that predicts masks.
        masks: image -> path of its mask within the folder.
        folder: the folder; it appears when all masks are written.
        skip_bad: leave out files that cannot be read.
        progress: called with the number of files that are done.

    Returns:
        The masks, and the files that cannot be read, each with the reason.

    Raises:
        BadInputError: some files cannot be read and are not to be left out; or the folder cannot be written.
    """
    try:
        with written_whole(folder) as unfinished:

            def keep(prediction: Prediction) -> Marked:
                mask = at_own_size(prediction)
                path = unfinished / masks[prediction.file]
                path.parent.mkdir(parents=True, exist_ok=True)
                PIL.Image.fromarray(mask).save(path, "PNG")
                return Marked(prediction.file, folder / masks[prediction.file], float(np.mean(mask > 0)))

            return predictions(model, list(masks), keep, skip_bad=skip_bad, progress=progress)
    except OSError as error:
        raise BadInputError(f"--mask {folder} cannot be written ({error.strerror or error}).") from error


def at_own_size(prediction: Prediction) -> NDArray[np.uint8]:
    """Return a predicted mask at its image's own size, of shape (height, width): 255 where the probability exceeds 0.5.

    The probabilities are resized rather than the mask, so that the outline is as smooth as the image.
    """
    resized = enlarged(prediction.probabilities, prediction.own_size)
    return np.where(resized > 0.5, np.uint8(MARKED), np.uint8(0))


def _home(file: Path, places: Sequence[Path]) -> Path:
    """Return the folder that a file was found in: the one that the user gave, or the file's own."""
    for place in places:
        if place != file and file.is_relative_to(place):
            return place
    return file.parent
