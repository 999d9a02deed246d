"""What is recorded while a run trains: (data, split, task, run directory) -> Keras callbacks that change nothing."""

import numpy as np

from medcls.data.dataset import Dataset, Split
from medcls.data.loading import batches
from medcls.spec.constraints import for_task, of_classes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback

BATCH = 500

__all__ = ["held_out", "nothing"]


def nothing(data: Dataset, split: Split, task: Task, folder: RunDir) -> list[Callback]:  # noqa: ARG001
    """Record nothing but the history.

    Args:
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        folder: the run directory.
    """
    return []


@for_task(of_classes)
def held_out(data: Dataset, split: Split, task: Task, folder: RunDir) -> list[Callback]:  # noqa: ARG001
    """Add the accuracy on the test set to the history of every epoch, as `test_accuracy`.

    It shows how much choosing the epoch on the test set would flatter the result; nothing is chosen by it.

    Args:
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        folder: the run directory.
    """
    if not len(split.test):
        return []
    labels = data.labels[split.test]
    blank = np.zeros((len(labels), 1), np.float32)
    images = batches.evaluation(batches.Examples(data.images, split.test, blank, blank[:, 0]), BATCH)

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
            outputs = np.concatenate([self.model.predict_on_batch(batch) for batch, _, _ in images])
            predicted = task.read(outputs).argmax(axis=1)
            logs["test_accuracy"] = float((predicted == labels).mean())

    return [Watcher()]
