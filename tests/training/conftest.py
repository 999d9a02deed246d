"""A data set so small that a training takes a moment."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_network import Fit, features

from medcls.data.dataset import Dataset, Split
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.training import gradient
from medcls.training.result import Fitted


@pytest.fixture
def decoded() -> Dataset:
    """Return 30 images of 8 by 8 of three unequal classes, the brighter the higher the class, with much noise."""
    labels = np.array([0, 0, 1, 0, 2, 0, 1, 0, 1, 0] * 3)
    noise = np.random.default_rng(0).integers(0, 180, (30, 8, 8, 1))
    images = (noise + 30 * labels[:, None, None, None]).astype(np.uint8)
    return Dataset(images, labels, np.full(30, ""), None, tuple(map(str, range(30))), ("a", "b", "c"))


@pytest.fixture
def rows() -> Split:
    """Return 18 rows for training (5 batches of 4, the last of 2), 7 for validation, 5 for testing."""
    shuffled = np.random.default_rng(1).permutation(30)
    return Split(shuffled[:18], shuffled[18:25], shuffled[25:])


@pytest.fixture
def fit(decoded: Dataset, rows: Split, tmp_path: Path) -> Fit:
    """Return a function that trains in a run folder of the given name, on from where that folder stands."""

    def fit(name: str, *, seed: int = 0, **learner: Any) -> tuple[Fitted, RunDir]:
        folder = RunDir(tmp_path / name)
        folder.path.mkdir(exist_ok=True)
        learner = {"model": features, "batch_size": 4, "epochs": 3, **learner}
        return gradient(decoded, rows, MULTICLASS, folder, seed, **learner), folder

    return fit
