"""A study that is trained once for all tests of what comes after training."""

from pathlib import Path

import numpy as np
import pytest
from export_commands import Trained, medcls
from PIL import Image


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return a place where the small study was run and its best model exported; not to be changed."""
    trained = Trained(tmp_path_factory.mktemp("trained"))
    generator = np.random.default_rng(0)
    for level, name in enumerate(("bright", "dark", "grey")):
        (trained.images / name).mkdir(parents=True)
        for number in range(20):
            pixels = generator.normal((190, 60, 120)[level], 70, (16, 14)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(trained.images / name / f"{number}.png")
    ended = trained.run()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert medcls("export", "small_study", "--out", trained.exported, "--work-dir", trained.work) == 0
    return trained


@pytest.fixture
def copy(trained: Trained, tmp_path: Path) -> Trained:
    """Return a copy of the trained place that a test may change."""
    return trained.copied(tmp_path)
