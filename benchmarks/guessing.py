"""A learner that learns nothing, in a file of its own because the process of a run imports the file of its learner."""

import time

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.tasks import Task
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow
from medcls.training.result import Fitted


def guess(
    data: Dataset,
    split: Split,  # noqa: ARG001
    task: Task,  # noqa: ARG001
    folder: RunDir,
    seed: int,
    *,
    epochs: int = 1,
) -> Fitted:
    """Learn nothing, and assign every point to the first class.

    Args:
        data: the data set.
        split: its sets.
        task: of the study.
        folder: the run directory.
        seed: of the run.
        epochs: of the run.
    """

    def predict(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.eye(len(data.classes), dtype=np.float32)[np.zeros(len(rows), int)]

    metrics = {"loss": 1.0, "val_loss": 1.0, "accuracy": 0.5, "val_accuracy": 0.5, "learning_rate": 0.0}
    folder.append(EpochRow(0, metrics, time=int(time.time() * 1000)))
    folder.write_checkpoint(1, CheckpointState(stopped=True), {})
    return Fitted(None, predict, epochs, 0, {"total": 0, "trainable": 0}, str(seed))
