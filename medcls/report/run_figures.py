"""The figures of a finished run: learning curves, and figures of its predictions for validation and test set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.pseudonyms import Pseudonyms
from medcls.evaluation import classification
from medcls.evaluation import segmentation as mask_scores
from medcls.explain import decision_map
from medcls.explain.decision_map import Plane
from medcls.report import saliency_report
from medcls.report.figures import (
    calibration,
    canvas,
    class_scores,
    confusion,
    decision_boundary,
    learning_curves,
    roc,
    segmentation,
    worst_errors,
)
from medcls.report.figures.segmentation import Segmented
from medcls.report.figures.worst_errors import Misclassified
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.files import draw_whole
from medcls.utils.lazy import matplotlib

Draw = Callable[[Path], None]
"""Draws one figure into a file."""

MakeFigure = Callable[[], "matplotlib.figure.Figure"]


def pictures(run: Run, folder: RunDir, result: RunResult, decoded: Path | None) -> dict[Path, Draw]:
    """Return the paths of a run's figures in its run directory, each with the function that draws it.

    The refit under cross-validation has figures of the test set too, whose names begin with "test_".

    Args:
        run: the run.
        folder: its run directory.
        result: how it ended.
        decoded: the folder of its data set's decoded images, None where they are not at hand.
    """
    assert result.best_epoch is not None
    drawings: dict[str, Draw] = {}
    drawings["learning_curves.png"] = partial(_draw_learning_curves, run, folder, result.best_epoch)
    if decoded is not None:
        drawings |= _of_set(run, folder, decoded, "predictions")
        if run.is_refit:
            drawings |= _of_set(run, folder, decoded, "test")
        drawings |= saliency_report.drawings(run, folder, decoded)
        planes = decision_map.written(folder)
        if planes:
            drawings["boundary.png"] = partial(_draw_boundary, run, folder, decoded, planes)
            drawings["boundary.gif"] = partial(_draw_film, run, folder, decoded, planes)
    return {folder.path / name: draw for name, draw in drawings.items()}


def draw_all(run: Run, folder: RunDir, decoded: Path) -> None:
    """Draw those figures of a finished run that are not there yet.

    A figure that cannot be drawn is left out here; whoever shows it tries again and reports the error.

    Args:
        run: the run.
        folder: its run directory.
        decoded: the folder of its data set's decoded images.
    """
    result = folder.result()
    with contextlib.suppress(Exception):  # a figure must never cost a result
        if result is not None and result.is_finished:
            for path, draw in pictures(run, folder, result, decoded).items():
                if not path.exists():
                    draw_whole(path, draw)


def tested(run: Run, folder: RunDir, decoded: Path) -> dict[Path, Draw]:
    """Return the paths of a run's figures of the test set, each with the function that draws it.

    Args:
        run: the run; without predictions for the test set it has no such figures.
        folder: its run directory.
        decoded: the folder of its data set's decoded images.
    """
    return {folder.path / name: draw for name, draw in _of_set(run, folder, decoded, "test").items()}


def _of_set(run: Run, folder: RunDir, decoded: Path, predictions: str) -> dict[str, Draw]:
    """Return the figures of one set by their file names: "predictions" of the validation set, or "test"."""
    arrays = folder.read_arrays(predictions)
    if arrays is None:
        return {}
    set_name, prefix = ("test set", "test_") if predictions == "test" else ("validation set", "")
    figures = of_predictions(open_decoded(decoded), arrays["rows"], arrays["predictions"], f"{run.label}, {set_name}")
    return {f"{prefix}{name}.png": partial(_save, make) for name, make in figures.items()}


def of_predictions(
    data: Dataset, rows: NDArray[np.int64], predictions: NDArray[np.floating], title: str
) -> dict[str, MakeFigure]:
    """Return what makes each figure of a network's predictions, by name.

    Args:
        data: the data set.
        rows: the rows of the images that were predicted, of shape (n,).
        predictions: of the images: of shape (n, classes), or of shape (n, height, width, 1) where there are masks.
        title: of the figures.
    """
    if data.masks is None:
        return _of_classes(data, rows, predictions, title)
    return _MaskFigures(data, data.masks, rows, predictions, title).by_name()


def _of_classes(
    data: Dataset, rows: NDArray[np.int64], probabilities: NDArray[np.floating], title: str
) -> dict[str, MakeFigure]:
    """Return what makes each figure of a classifier's predictions.

    Args:
        data: the data set.
        rows: the rows of the images that were predicted, of shape (n,).
        probabilities: the predictions, of shape (n, classes).
        title: of the figures.
    """
    labels, classes = data.labels[rows], data.classes
    patients = None if data.patients is None else data.patients[rows]
    matrix = classification.confusion_matrix(labels, probabilities.argmax(axis=1), len(classes))
    figures: dict[str, MakeFigure] = {
        "confusion_matrix": partial(confusion.confusion_matrix, matrix, classes, title),
        "roc": partial(roc.roc, labels, probabilities, classes, title),
        "precision_recall": partial(roc.precision_recall, labels, probabilities, classes, title),
        "calibration": partial(calibration.calibration_diagram, labels, probabilities, title),
        "class_scores": partial(class_scores.class_scores, labels, probabilities, classes, patients, title),
    }
    if data.holds_images:
        figures["certain_errors"] = partial(_certain_errors, data, rows, probabilities, title)
    return figures


def _certain_errors(
    data: Dataset, rows: NDArray[np.int64], probabilities: NDArray[np.floating], title: str
) -> matplotlib.figure.Figure:
    worst = worst_errors.worst(data.labels[rows], probabilities)
    rows = rows[worst]
    files = Pseudonyms(data).files(rows)
    wrong = Misclassified(data.images[rows], data.labels[rows], probabilities[worst], files, data.classes)
    return worst_errors.certain_errors(wrong, f"{title}: the most confident errors")


class _MaskFigures:
    """The figures of predicted masks.

    Args:
        data: the data set.
        masks: all its masks, of shape (images, height, width, 1).
        rows: the rows of the images that were predicted, of shape (n,).
        probabilities: the predictions, of shape (n, height, width, 1).
        title: of the figures.
    """

    def __init__(
        self,
        data: Dataset,
        masks: NDArray[np.uint8],
        rows: NDArray[np.int64],
        probabilities: NDArray[np.floating],
        title: str,
    ) -> None:
        self._data, self._masks, self._rows = data, masks, rows
        self._probabilities, self._title = probabilities, title

    def by_name(self) -> dict[str, MakeFigure]:
        """Return what makes each figure."""
        return {"outlines": self._outlines, "spread": self._spread}

    def _outlines(self) -> matplotlib.figure.Figure:
        segmented = Segmented(
            images=self._data.images,
            rows=self._rows,
            masks=self._true_masks,
            predicted=self._probabilities[..., 0] > 0.5,
            dice=self._scores["dice"],
            files=Pseudonyms(self._data).files(self._rows),
        )
        return segmentation.overlays(segmented, self._title)

    def _spread(self) -> matplotlib.figure.Figure:
        return segmentation.spread(self._scores, self._title)

    @cached_property
    def _true_masks(self) -> NDArray[np.bool_]:
        """The true masks, of shape (n, height, width)."""
        return np.asarray(self._masks[self._rows][..., 0] > 0)

    @cached_property
    def _scores(self) -> dict[str, NDArray[np.float64]]:
        """The scores of each mask by name, each of shape (n,), NaN where undefined; computed once for both figures."""
        return mask_scores.judged(self._true_masks, self._probabilities)


def _save(make: MakeFigure, path: Path) -> None:
    canvas.save(make(), path)


def _draw_learning_curves(run: Run, folder: RunDir, best_epoch: int, path: Path) -> None:
    canvas.save(learning_curves.learning_curves(folder.history(), best_epoch, run.label), path)


def _draw_boundary(run: Run, folder: RunDir, decoded: Path, planes: Sequence[Plane], path: Path) -> None:
    canvas.save(decision_boundary.boundary(planes[-1], _points(decoded), folder.history(), run.label), path)


def _draw_film(run: Run, folder: RunDir, decoded: Path, planes: Sequence[Plane], path: Path) -> None:
    path.write_bytes(decision_boundary.film(planes, _points(decoded), folder.history(), run.label))


def _points(decoded: Path) -> decision_boundary.Points:
    data = open_decoded(decoded)
    return decision_boundary.Points(np.asarray(data.images), data.labels, data.classes)
