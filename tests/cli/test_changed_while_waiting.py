"""A command that waits for another takes its images as they are when its turn comes."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcls import data
from medcls.tracking.lock import work_dir_lock


def blacken(images: Path) -> None:
    for number, path in enumerate(sorted(images.rglob("*.png"))):
        Image.fromarray(np.full((12, 10), number // 12, np.uint8)).save(path)


def take_a_class_away(images: Path) -> None:
    for path in (images / "a").iterdir():
        path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("change", [blacken, take_a_class_away])
def test_images_that_changed_while_a_command_waited_count_as_they_are(
    place: Any, images: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    flags = ("--data", images, "--only", "narrow", "--offline", "--wait")
    with ExitStack() as stack:
        holding = stack.enter_context(ExitStack())
        holding.enter_context(work_dir_lock(place.work, wait=False, tell=print))
        process = stack.enter_context(place.start(place.TINY, *flags, environment={"PYTHONUNBUFFERED": "1"}))
        while "waiting for" not in (place.folder / "out.txt").read_text():
            assert process.poll() is None, (place.folder / "err.txt").read_text()
            time.sleep(0.1)
        change(images)
        holding.close()
        assert process.wait(900) == 0, (place.folder / "err.txt").read_text()
    assert "images: its images changed while this command waited" in (place.folder / "out.txt").read_text()
    (described,) = place.summary()["data_sets"]
    bundle = data.xray(data.Hashes(tmp_path / "hashes"), source=str(images), size=8)
    assert described["fingerprint"] == bundle.fingerprint
    (decoded,) = place.work.glob("cache/*-8x8x1")
    assert decoded.name.startswith(bundle.fingerprint[7:23])
