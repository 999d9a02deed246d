"""The figures of a finished run: how it learnt, and what it makes of the images that it is judged on."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.pseudonyms import Pseudonyms
from medcls.evaluation import classification, segmentation
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
    worst_errors,
)
from medcls.report.figures import segmentation as outlines
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.utils.files import draw_whole


def pictures(
    run: Run, folder: RunDir, result: Mapping[str, Any], decoded: Path | None
) -> dict[Path, Callable[[Path], None]]:
    """Return where a run's figures belong in its folder, and what draws each into a file.

    The refit under cross-validation has those of the held-out part too, beginning with "test_".
    """
    drawings: dict[str, Callable[[Path], None]] = {}
    drawings["learning_curves.png"] = partial(_curves, run, folder, result["best_epoch"])
    if decoded is not None:
        compared = folder.read_arrays("predictions")
        if compared is not None:
            drawings |= Part(compared, decoded, f"{run.label}, comparison part").drawings()
        if run.folds is not None and run.fold is None:
            drawings |= _of_test(run, folder, decoded)
        drawings |= saliency_report.drawings(run, folder, decoded)
        maps = decision_map.written(folder)
        if maps:
            drawings["boundary.png"] = partial(_boundary, run, folder, decoded, maps)
            drawings["boundary.gif"] = partial(_film, run, folder, decoded, maps)
    return {folder.path / name: draw for name, draw in drawings.items()}


def draw_all(run: Run, folder: RunDir, decoded: Path) -> None:
    """Draw a finished run's figures that are not there yet. What fails is tried again, and said, by who shows them."""
    result = folder.result()
    with contextlib.suppress(Exception):  # a figure must never cost a result
        if result is not None and result["status"] == "finished":
            for path, figure in pictures(run, folder, result, decoded).items():
                if not path.exists():
                    draw_whole(path, figure)


def tested(run: Run, folder: RunDir, decoded: Path) -> dict[Path, Callable[[Path], None]]:
    """Return the same for the figures of the held-out part, where the run has predicted it."""
    return {folder.path / name: draw for name, draw in _of_test(run, folder, decoded).items()}


def _of_test(run: Run, folder: RunDir, decoded: Path) -> dict[str, Callable[[Path], None]]:
    predicted = folder.read_arrays("test")
    return {} if predicted is None else Part(predicted, decoded, f"{run.label}, held-out part").drawings("test_")


class Part:
    """The images that a run has predicted.

    Attributes:
        rows: their places in the data set, of shape (n,).
        probabilities: of shape (n, classes), or (n, height, width, 1) of the pixels.
        title: of all figures.
    """

    def __init__(self, predicted: Mapping[str, NDArray[Any]], decoded: Path, title: str) -> None:
        self.rows: NDArray[np.int64] = predicted["rows"]
        self.probabilities: NDArray[np.floating] = predicted["predictions"]
        self.title, self._decoded = title, decoded

    def drawings(self, prefix: str = "") -> dict[str, Callable[[Path], None]]:
        """Return what draws each figure into a file, by the file's name."""
        figures = OF_MASKS if self.data.masks is not None else OF_CLASSES
        names = [name for name in figures if self.data.holds_images or name not in OF_IMAGES]
        return {f"{prefix}{name}.png": partial(self.save, figures[name]) for name in names}

    def save(self, draw: Callable[["Part"], Any], path: Path) -> None:
        """Write the figure that a function makes of this part."""
        canvas.save(draw(self), path)

    @cached_property
    def data(self) -> Dataset:
        """The data set, opened once."""
        return open_decoded(self._decoded)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The true classes, of shape (n,)."""
        labels: NDArray[np.int64] = self.data.labels[self.rows]
        return labels

    @property
    def masks(self) -> NDArray[np.bool_]:
        """The true masks, of shape (n, height, width)."""
        assert self.data.masks is not None
        masks: NDArray[np.bool_] = self.data.masks[self.rows][..., 0] > 0
        return masks

    @cached_property
    def per_image(self) -> dict[str, NDArray[np.float64]]:
        """The scores of each mask, by name, each of shape (n,), NaN where it does not count."""
        return segmentation.judged(self.masks, self.probabilities)


def _curves(run: Run, folder: RunDir, best_epoch: int, path: Path) -> None:
    canvas.save(learning_curves.learning_curves(folder.history(), best_epoch, run.label), path)


def _boundary(run: Run, folder: RunDir, decoded: Path, maps: Sequence[Plane], path: Path) -> None:
    canvas.save(decision_boundary.boundary(maps[-1], _points(decoded), folder.history(), run.label), path)


def _film(run: Run, folder: RunDir, decoded: Path, maps: Sequence[Plane], path: Path) -> None:
    path.write_bytes(decision_boundary.film(maps, _points(decoded), folder.history(), run.label))


def _points(decoded: Path) -> decision_boundary.Points:
    data = open_decoded(decoded)
    return decision_boundary.Points(np.asarray(data.images), data.labels, data.classes)


def _confusion(part: Part) -> Any:
    count = len(part.data.classes)
    matrix = classification.confusion_matrix(part.labels, part.probabilities.argmax(axis=1), count)
    return confusion.confusion_matrix(matrix, part.data.classes, part.title)


def _roc(part: Part) -> Any:
    return roc.roc(part.labels, part.probabilities, part.data.classes, part.title)


def _precision_recall(part: Part) -> Any:
    return roc.precision_recall(part.labels, part.probabilities, part.data.classes, part.title)


def _calibration(part: Part) -> Any:
    return calibration.calibration_diagram(part.labels, part.probabilities, part.title)


def _class_scores(part: Part) -> Any:
    patients = None if part.data.patients is None else part.data.patients[part.rows]
    return class_scores.class_scores(part.labels, part.probabilities, part.data.classes, patients, part.title)


def _certain_errors(part: Part) -> Any:
    chosen = worst_errors.worst(part.labels, part.probabilities)
    rows = part.rows[chosen]
    return worst_errors.certain_errors(
        part.data.images[rows],
        part.labels[chosen],
        part.probabilities[chosen],
        Pseudonyms(part.data).files(rows),
        part.data.classes,
        f"{part.title}: the most certain errors",
    )


def _overlays(part: Part) -> Any:
    masks, found = part.masks, part.probabilities[..., 0] > 0.5
    names = Pseudonyms(part.data).files(part.rows)
    return outlines.overlays(part.data.images, part.rows, masks, found, part.per_image["dice"], names, part.title)


def _spread(part: Part) -> Any:
    return outlines.spread(part.per_image, part.title)


OF_CLASSES = MappingProxyType(
    {
        "confusion_matrix": _confusion,
        "roc": _roc,
        "precision_recall": _precision_recall,
        "calibration": _calibration,
        "class_scores": _class_scores,
        "certain_errors": _certain_errors,
    }
)
"""What is drawn of every part whose images have classes, by the figure's name."""

OF_MASKS = MappingProxyType({"outlines": _overlays, "spread": _spread})
"""The same where they have masks."""

OF_IMAGES = ("certain_errors",)
