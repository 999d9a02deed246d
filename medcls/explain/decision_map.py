"""Maps of a network's decision boundary in the plane, written to the run directory while the network trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.spec.constraints import at_least, constrained
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.utils.lazy import keras

MARGIN = 0.1  # of the points' extent, beyond them
PREFIX = "plane-"

Extent = tuple[float, float, float, float]
"""Left, right, bottom and top."""


@dataclass(frozen=True)
class Plane:
    """A map of the plane after some epochs.

    Attributes:
        epochs: how many epochs had been trained.
        extent: left, right, bottom and top of the map.
        probabilities: of the second class, of shape (rows, columns), from the bottom up.
    """

    epochs: int
    extent: Extent
    probabilities: NDArray[np.float32]


def extent_of(points: NDArray[np.float32]) -> Extent:
    """Return the extent of a map that shows all points, of shape (n, 2), with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * (high - low) + 1e-6
    (left, bottom), (right, top) = low - margin, high + margin
    return float(left), float(right), float(bottom), float(top)


def grid(extent: Extent, resolution: int) -> NDArray[np.float32]:
    """Return the points of a map, row by row from the bottom up, of shape (resolution^2, 2)."""
    left, right, bottom, top = extent
    x, y = np.meshgrid(np.linspace(left, right, resolution), np.linspace(bottom, top, resolution))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


@constrained(at_least(1, "every"), at_least(2, "resolution"))
def frames(
    data: Dataset,
    split: Split,  # noqa: ARG001
    task: Task,
    folder: RunDir,
    *,
    every: int = 3,
    resolution: int = 60,
) -> list[keras.callbacks.Callback]:
    """Return a callback that writes a map of the plane while a network trains on points.

    There is no callback if the examples are not points in the plane. A map depends on the epoch's weights alone, so a
    resumed run writes the same maps.

    Args:
        data: the data set.
        split: its training, validation and test set.
        task: what the targets mean.
        folder: the run directory.
        every: after how many epochs a map is written.
        resolution: the rows and columns of a map.
    """
    if data.images.shape[1:] != (2,):
        return []
    extent = extent_of(np.asarray(data.images))
    points = grid(extent, resolution)

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
            if (epoch + 1) % every:
                return
            probabilities = task.read(self.model.predict_on_batch(points))[:, 1].reshape(resolution, resolution)
            arrays = {"probabilities": probabilities.astype(np.float32), "extent": np.array(extent)}
            folder.write_arrays(f"{PREFIX}{epoch + 1:06d}", arrays)

    return [Watcher()]


def written(folder: RunDir) -> list[Plane]:
    """Return the maps in a run directory, in the order of their epochs."""
    planes = []
    for path in sorted(folder.path.glob(f"{PREFIX}*.npz")):
        arrays = folder.read_arrays(path.stem)
        if arrays is not None:
            left, right, bottom, top = arrays["extent"].tolist()
            epochs = int(path.stem.removeprefix(PREFIX))
            planes.append(Plane(epochs, (left, right, bottom, top), arrays["probabilities"]))
    return planes
