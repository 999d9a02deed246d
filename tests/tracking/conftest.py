"""What the tests of tracking share: images, a search and a failing study that have run, and a server."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tracking_stores import Command, Server


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two classes of noisy images that differ in brightness, already split."""
    folder, generator = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name, level in (("dark", 90.0), ("light", 130.0)):
        (folder / name).mkdir()
        for number in range(20):
            pixels = generator.normal(level, 40.0, (12, 12)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def search(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a search that has run, its store a SQLite file."""
    command = Command("tracked_search", pictures, tmp_path_factory.mktemp("search"))
    code, said = command.run()
    assert code == 0, said
    return command


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a server that is running."""
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.kill()
