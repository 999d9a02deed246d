"""Points in the plane, of two classes: three toys on which a network can be watched while it learns."""

import numpy as np
from numpy.typing import NDArray

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import UNSPLIT, DatasetSpec
from medcls.data.from_arrays import toolkit
from medcls.data.resolve import POINTS, builtin
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import sklearn

TOYS = ("2blob", "blob_circle", "4blob")
CLASSES = ("0", "1")
SPREAD = 0.6  # standard deviation of a blob


def toy2d(
    hashes: Hashes,  # noqa: ARG001
    *,
    name: str = "2blob",
    source: str = POINTS,
    points: int = 1000,
    seed: int = 0,
) -> DatasetSpec:
    """Return points of two coordinates and two classes, made with scikit-learn.

    Args:
        hashes: not needed, as there are no files.
        name: "2blob", two clouds; "blob_circle", a cloud and a circle around it; "4blob", four clouds of which
            opposite ones are of one class.
        source: "toy2d": there are no others.
        points: how many there are, half of each class.
        seed: another one, other points.

    Raises:
        BadInputError: another source, an unknown name, or too few points.
    """
    if builtin(source) != POINTS:
        raise BadInputError(f"{source!r} cannot stand for the toy {name}: its points are made, give no --data.")
    if name not in TOYS:
        raise BadInputError(f"data.name={name!r} is not a toy data set: use {', '.join(TOYS)}.")
    if points < 20 or seed < 0:
        raise BadInputError(f"data.points={points}, data.seed={seed}: give at least 20 points and a seed from 0 up.")
    made, labels = (_two_blobs, _blob_and_circle, _four_blobs)[TOYS.index(name)](points // 2, seed)
    parts = np.full(len(labels), UNSPLIT, "U1")
    source = f"the toy {name} of scikit-learn's making"
    return toolkit(name, source, CLASSES, labels, parts, made.astype(np.float32), size=0, channels=2)


Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def _two_blobs(points: int, seed: int) -> Points:
    made, labels = sklearn.datasets.make_blobs([points, points], centers=[(-1.5, -1.0), (1.5, 1.0)], **_cloud(seed))
    return made, labels.astype(np.int64)


def _blob_and_circle(points: int, seed: int) -> Points:
    blob, _ = sklearn.datasets.make_blobs([points], centers=[(0.0, 0.0)], **_cloud(seed))
    circle, _ = sklearn.datasets.make_circles((points, 0), noise=0.1, random_state=seed)
    return np.concatenate([blob, 2.5 * circle]), np.repeat([0, 1], points)


def _four_blobs(points: int, seed: int) -> Points:
    centers = [(-2.0, -2.0), (-2.0, 2.0), (2.0, 2.0), (2.0, -2.0)]
    counts = [points - points // 2, points - points // 2, points // 2, points // 2]
    made, corners = sklearn.datasets.make_blobs(counts, centers=centers, **_cloud(seed))
    return made, corners.astype(np.int64) % 2


def _cloud(seed: int) -> dict[str, float | int]:
    return {"cluster_std": SPREAD, "random_state": seed}
