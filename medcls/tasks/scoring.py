"""Final scores of predictions: at the study's image size, and for masks at the images' own sizes too."""

import numpy as np

from medcls.data.dataset import Dataset
from medcls.evaluation import intervals as statistics
from medcls.evaluation.segmentation import means
from medcls.evaluation.summary import TestScore
from medcls.tasks.base import Predictions, Rows, Task


def scores(task: Task, data: Dataset, rows: Rows, predictions: Predictions) -> dict[str, float]:
    """Return the final scores of some images.

    Args:
        task: what the targets mean.
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: of these images, as the task reads them.
    """
    final = task.scores(task.truth(data, rows), predictions, data.classes)
    image_scores = task.own_size(data, rows, predictions)
    own_size = means(image_scores, np.ones((1, len(rows))))
    return final | {name: float(values[0]) for name, values in own_size.items() if np.isfinite(values[0])}


def tested(task: Task, data: Dataset, rows: Rows, predictions: Predictions) -> dict[str, TestScore]:
    """Return the final scores of a test set with 95% bootstrap intervals; a patient's images are drawn together.

    Args:
        task: what the targets mean.
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: of these images, as the task reads them.
    """
    patients = None if data.patients is None else data.patients[rows]
    final = dict(task.tested(task.truth(data, rows), predictions, data.classes, patients))
    image_scores = task.own_size(data, rows, predictions)
    if image_scores:
        values = means(image_scores, np.ones((1, len(rows))))
        intervals = statistics.bootstrap_intervals(
            lambda weights: means(image_scores, weights), len(rows), patients, resamples=2000, seed=0
        )
        for name, interval in intervals.items():
            final[name] = TestScore(float(values[name][0]), interval)
    return final
