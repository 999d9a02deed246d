"""From a model's answers to mask files: each at its image's own size, all of them or none."""

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

MARKED = 255


@dataclass(frozen=True)
class Marked:
    """What a model has found in one image.

    Attributes:
        file: the image.
        mask: where its mask lies.
        share: of the image's area, 0..1.
    """

    file: Path
    mask: Path
    share: float


def mask_files(files: Sequence[Path], places: Sequence[Path]) -> dict[Path, Path]:
    """Return where the mask of each image lies in the folder of masks: as the image lies in the folder that was given.

    Raises:
        BadInputError: two images would have the same mask.
    """
    masks = {file: file.relative_to(_home(file, places)).with_name(f"{_stem(file)}.png") for file in files}
    twice = {mask for mask, count in Counter(masks.values()).items() if count > 1}
    if twice:
        same = [str(file) for file, mask in masks.items() if mask in twice]
        raise BadInputError(f"--mask: the masks of {listed(same)} would have one name: give one of them at a time.")
    return masks


def mark(
    model: Predictor, masks: dict[Path, Path], folder: Path, *, skip_bad: bool, progress: Progress
) -> tuple[list[Marked], list[str]]:
    """Write the masks of images into a folder, which is new or empty; return them, and the bad files with the reasons.

    Args:
        model: of masks.
        masks: image -> where its mask lies in the folder.
        folder: is written beside and renamed when whole.
        skip_bad: go on without files that cannot be read.
        progress: told how many files are done.

    Raises:
        BadInputError: files that cannot be read, all named, unless they are skipped; or the folder cannot be written.
    """
    try:
        with written_whole(folder) as beside:

            def keep(answer: Prediction) -> Marked:
                mask = at_own_size(answer)
                _save(mask, beside / masks[answer.file])
                return Marked(answer.file, folder / masks[answer.file], float(np.mean(mask > 0)))

            return predictions(model, list(masks), keep, skip_bad=skip_bad, progress=progress)
    except OSError as error:
        raise BadInputError(f"--mask {folder} cannot be written ({error.strerror or error}).") from error


def at_own_size(answer: Prediction) -> NDArray[np.uint8]:
    """Return the mask of an answer, of its image's (height, width): 255 where the probability is above a half, else 0.

    The probabilities are resized, not the mask, so that its outline is as smooth as the image.
    """
    resized = enlarged(answer.probabilities, answer.own_size)
    return np.where(resized > 0.5, np.uint8(MARKED), np.uint8(0))


def _save(mask: NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path, "PNG")


def _stem(file: Path) -> str:
    return file.name if has_no_suffix(file) else file.stem


def _home(file: Path, places: Sequence[Path]) -> Path:
    return next((place for place in places if place != file and file.is_relative_to(place)), file.parent)
