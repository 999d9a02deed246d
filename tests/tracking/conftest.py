"""What the tests of tracking share: images, a search and a failing study that have run, and a server."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import FLAGS, copied, run_study, served
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


@pytest.fixture(scope="session")
def repository(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository in which two studies have run on the default store."""
    studies = ("tracked_search", "tracked_seeds")
    copy = copied(tmp_path_factory.mktemp("copy") / "medcls", *studies)
    for number, study in enumerate(studies, start=1):
        said = run_study(copy, study, pictures)
        link = f"mlflow ui, then open http://127.0.0.1:5000/#/experiments/{number}/runs?workflowType=machine_learning"
        assert f"Compare the runs: {link}&viewStateShareKey=medcls-" in said
    return copy


@pytest.fixture(scope="session")
def address(repository: Path) -> Iterator[str]:
    """Return the address of `mlflow ui`, started in the copy with no flag but a free port."""
    with served(repository) as address:
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a browser without a past."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield browser
    browser.quit()
