"""What all tests share: small image folders, and no deadlines on a machine that others use too."""

import signal
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
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
