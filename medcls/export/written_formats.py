"""Writing a network in export formats, and comparing what each file predicts with the run's own predictions."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Images
from medcls.evaluation import classification, segmentation
from medcls.export.format_names import FILES
from medcls.export.formats import FORMATS
from medcls.export.parity import TOLERANCE, Answers, agrees, answers_to, parity
from medcls.utils.errors import BadInputError, first_line
from medcls.utils.tensors import KerasModel

Parity = dict[str, float | int]
"""How far an exported model's predictions are from the run's."""


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Attributes:
        parities: format -> how far its predictions are from the run's.
        missing: format -> why it could not be written, in a sentence.
    """

    parities: Mapping[str, Parity]
    missing: Mapping[str, str]


@dataclass(frozen=True)
class Evidence:
    """What an exported model is checked by.

    Attributes:
        data: the run's data set.
        rows: the rows of its validation set.
        answers: the run's own predictions there.
        examples: some training images, which determine the scale of 8-bit integers.
    """

    data: Dataset
    rows: NDArray[np.int64]
    answers: Answers
    examples: Images


def write_formats(
    network: KerasModel, folder: Path, names: Sequence[str], evidence: Evidence, *, partly: bool
) -> Exported:
    """Write a network in each format, and compare its predictions with the run's.

    Args:
        network: the run's network.
        folder: the directory.
        names: of the formats.
        evidence: by which the files are checked.
        partly: whether to write what can be written if some of the formats cannot.

    Raises:
        BadInputError: a format cannot be written, or predicts differently from the run; with `partly` only if that is
            true of all.
    """
    parities: dict[str, Parity] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            parities[name] = _checked(name, network, folder, evidence)
        except BadInputError as error:
            if not partly or (name == names[-1] and not parities):
                raise BadInputError(f"{error} Nothing was exported.") from error
            _remove(folder / FILES[name])
            missing[name] = str(error)
    return Exported(parities, missing)


def _checked(name: str, network: KerasModel, folder: Path, evidence: Evidence) -> Parity:
    """Write one format, read it again and return how far its predictions are from the run's.

    Args:
        name: of the format.
        network: the run's network.
        folder: the directory.
        evidence: by which the file is checked.

    Raises:
        BadInputError: it cannot be written, or predicts differently.
    """
    export_format, path = FORMATS[name], folder / FILES[name]
    export_format.check()
    _put(name, partial(export_format.write, network, path, evidence.examples))
    predict = export_format.read(path, network).predict
    found = parity(predict, evidence.data.images, evidence.rows, evidence.answers)
    if not export_format.exact:
        predicted = answers_to(predict, evidence.data.images, evidence.rows)
        return found | cost(evidence.data, evidence.rows, evidence.answers, predicted)
    if not agrees(found):
        _refuse(FILES[name], found, evidence.answers)
    return found


def _remove(path: Path) -> None:
    """Remove the file or directory of a format, if there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def cost(data: Dataset, rows: NDArray[np.int64], before: Answers, after: Answers) -> dict[str, float | int]:
    """Return the accuracy, or the mean Dice, of the stored predictions and of a less exact model's.

    Args:
        data: the data set.
        rows: the rows of the predicted images.
        before: the stored predictions.
        after: the predictions of the exported model.

    Returns:
        "score_before" and "score_after".
    """

    def score(answers: Answers) -> float:
        if data.masks is None:
            probabilities = classification.with_both_classes(answers)
            return classification.scores(data.labels[rows], probabilities, data.classes)["accuracy"]
        return segmentation.scores(data.masks[rows][..., 0] > 0, answers, data.classes)["dice"]

    return {"score_before": score(before), "score_after": score(after)}


def _put(name: str, write: Callable[[], None]) -> None:
    """Write a network in an export format.

    Raises:
        BadInputError: the format does not support the network.
    """
    try:
        write()
    except (BadInputError, OSError):
        raise
    except Exception as error:  # each converter has errors of its own
        raise BadInputError(f"The model cannot be written as {name} ({first_line(error)}).") from error


def _refuse(file: str, found: Parity, answers: Answers) -> None:
    """Refuse an exported model whose parity is not within the tolerance."""
    raise BadInputError(
        f"Loaded from {file}, the model predicts differently from the run: by up to "
        f"{found['largest_difference']:.1g} (allowed: {TOLERANCE:g}), and with another class for "
        f"{found['classes_changed']} of {answers[..., 0].size} {'pixels' if answers.ndim == 4 else 'images'}."
    )
