"""What the tests of killing share: images, and a search and a run that nothing disturbs."""

from pathlib import Path

import numpy as np
import pytest
from crash_commands import Command
from PIL import Image


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of unequal classes of noisy bars."""
    folder, generator = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for name, count in (("across", 24), ("down", 18), ("plain", 12)):
        (folder / name).mkdir()
        for number in range(count):
            pixels = generator.normal(120.0, 50.0, (16, 16))
            place = slice(start := int(generator.integers(2, 12)), start + 3)
            if name == "across":
                pixels[place] += 60
            if name == "down":
                pixels[:, place] += 60
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def search(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a search that has run undisturbed."""
    command = Command("tiny_search", images, tmp_path_factory.mktemp("search"))
    assert command.run().code == 0
    return command


@pytest.fixture(scope="session")
def run(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a single run that was trained undisturbed, its best epoch in the middle, nothing in the store."""
    flags = ("--only", "small", "--offline", "--threads", "1", "--set", "learner.epochs=40")
    command = Command(
        "tiny_runs", images, tmp_path_factory.mktemp("run"), (*flags, "--set", "learner.stop.patience=12")
    )
    assert command.run().code == 0
    return command
