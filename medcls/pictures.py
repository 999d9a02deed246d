"""The figures of a finished run: how it learnt, and what it makes of the images that it is judged on."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.cache import open_decoded
from medcls.data.types import Decoded
from medcls.evaluation import classification
from medcls.report import calibration, canvas, classes, confusion, curves, errors, thresholds
from medcls.spec import Run
from medcls.tracking.journal import RunFolder


def pictures(
    run: Run, folder: RunFolder, result: Mapping[str, Any], decoded: Path | None
) -> dict[Path, Callable[[Path], None]]:
    """Return where a run's figures belong in its folder, and what draws each into a file.

    The refit under cross-validation has those of the held-out part too, beginning with "test_".
    """
    drawings = {"learning_curves.png": partial(_curves, run, folder, result["best_epoch"])}
    if decoded is not None:
        compared = folder.read_arrays("predictions")
        if compared is not None:
            part = Part(compared, decoded, f"{run.label}, comparison part")
            drawings |= {f"{name}.png": partial(part.save, draw) for name, draw in FIGURES.items()}
        tested = folder.read_arrays("test") if run.folds is not None and run.fold is None else None
        if tested is not None:
            part = Part(tested, decoded, f"{run.label}, held-out part")
            drawings |= {f"test_{name}.png": partial(part.save, draw) for name, draw in FIGURES.items()}
    return {folder.path / name: draw for name, draw in drawings.items()}


class Part:
    """The images that a run has predicted.

    Attributes:
        rows: their places in the data set, of shape (n,).
        probabilities: of shape (n, classes).
        title: of all figures.
    """

    def __init__(self, predicted: Mapping[str, NDArray[Any]], decoded: Path, title: str) -> None:
        self.rows: NDArray[np.int64] = predicted["rows"]
        self.probabilities: NDArray[np.floating] = predicted["predictions"]
        self.title, self._decoded = title, decoded

    def save(self, draw: Callable[["Part"], Any], path: Path) -> None:
        """Write the figure that a function makes of this part."""
        canvas.save(draw(self), path)

    @cached_property
    def data(self) -> Decoded:
        """The data set; opened when the first figure is drawn."""
        return open_decoded(self._decoded)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The true classes, of shape (n,)."""
        labels: NDArray[np.int64] = self.data.labels[self.rows]
        return labels


def _curves(run: Run, folder: RunFolder, best_epoch: int, path: Path) -> None:
    canvas.save(curves.learning_curves(folder.history(), best_epoch, run.label), path)


def _confusion(part: Part) -> Any:
    count = len(part.data.classes)
    matrix = classification.confusion_matrix(part.labels, part.probabilities.argmax(axis=1), count)
    return confusion.confusion_matrix(matrix, part.data.classes, part.title)


def _roc(part: Part) -> Any:
    return thresholds.roc(part.labels, part.probabilities, part.data.classes, part.title)


def _precision_recall(part: Part) -> Any:
    return thresholds.precision_recall(part.labels, part.probabilities, part.data.classes, part.title)


def _calibration(part: Part) -> Any:
    return calibration.calibration_diagram(part.labels, part.probabilities, part.title)


def _class_scores(part: Part) -> Any:
    patients = None if part.data.patients is None else part.data.patients[part.rows]
    return classes.class_scores(part.labels, part.probabilities, part.data.classes, patients, part.title)


def _certain_errors(part: Part) -> Any:
    chosen = errors.worst(part.labels, part.probabilities)
    rows = part.rows[chosen]
    return errors.certain_errors(
        part.data.images[rows],
        part.labels[chosen],
        part.probabilities[chosen],
        [part.data.names[row] for row in rows],
        part.data.classes,
        f"{part.title}: the most certain errors",
    )


FIGURES = MappingProxyType(
    {
        "confusion_matrix": _confusion,
        "roc": _roc,
        "precision_recall": _precision_recall,
        "calibration": _calibration,
        "class_scores": _class_scores,
        "certain_errors": _certain_errors,
    }
)
"""What is drawn of every part, by the figure's name."""
