"""The final scores of predictions: at the study's size, and of masks at the images' own sizes too."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.evaluation import intervals as statistics
from medcls.evaluation.segmentation import means
from medcls.tasks.base import Task

Rows = NDArray[np.int64]


def scores(task: Task, data: Dataset, rows: Rows, predictions: Any) -> dict[str, float]:
    """Return the final scores of some images.

    Args:
        task: what the targets mean.
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: of these images, as the task reads them.
    """
    found = task.scores(task.truth(data, rows), predictions, data.classes)
    of_images = task.own_size(data, rows, predictions)
    own = means(of_images, np.ones((1, len(rows))))
    return found | {name: float(values[0]) for name, values in own.items() if np.isfinite(values[0])}


def tested(task: Task, data: Dataset, rows: Rows, predictions: Any) -> Mapping[str, Any]:
    """Return the final scores of a held-out set with 95% bootstrap intervals, patients kept together where known.

    Args:
        task: what the targets mean.
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: of these images, as the task reads them.
    """
    patients = None if data.patients is None else data.patients[rows]
    found: dict[str, Any] = dict(task.tested(task.truth(data, rows), predictions, data.classes, patients))
    of_images = task.own_size(data, rows, predictions)
    if of_images:
        values = means(of_images, np.ones((1, len(rows))))
        intervals = statistics.bootstrap_intervals(
            lambda weights: means(of_images, weights), len(rows), patients, resamples=2000, seed=0
        )
        for name, interval in intervals.items():
            found[name] = {"value": float(values[name][0]), "ci95": list(interval)}
    return found
