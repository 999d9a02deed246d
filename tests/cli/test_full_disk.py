"""A disk that fills up: one clear sentence, nothing half-written, and the same command goes on when there is room."""

import shutil
import subprocess
import sys

import pytest

LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""
LARGE = ["--only", "narrow", "--seeds", 0, "--set", "learner.model.units=2000", "--offline"]  # 1.5 MB a checkpoint
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


def limited(size):
    """Return the command that starts another one whose files may not grow beyond `size` bytes."""
    return [sys.executable, "-c", LIMITED, str(size)]


@pytest.fixture
def small_disk(tmp_path):
    """Return a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@posix
def test_no_room_for_the_decoded_images(place, images):
    flags = ["--data", images, "--set", "data.size=64"]
    place.run(place.BONUS, *flags, wrapper=limited(100_000)).check_complaint(2, place.work, "make room")
    place.check_untouched()


@posix
@pytest.mark.slow
def test_no_room_for_a_checkpoint(place, images):
    ended = place.run(place.TINY, "--data", images, *LARGE, wrapper=limited(500_000))
    ended.check_complaint(1, "1 of 1 runs", "No space left", place.work, "run the same command again")
    assert [run["status"] for run in place.summary()["runs"]] == ["failed"]
    place.check_clean()
    assert place.run(place.TINY, "--data", images, *LARGE).code == 0
    assert [run["status"] for run in place.summary()["runs"]] == ["finished"]


@pytest.mark.slow
def test_a_small_disk_that_is_made_larger(place, images, small_disk):
    flags = ["--data", images, *LARGE, "--work-dir", small_disk / "runs"]
    place.run(place.TINY, *flags).check_complaint(1, "No space left", small_disk, "run the same command again")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert place.run(place.TINY, *flags).code == 0
    assert [run["status"] for run in place.summary()["runs"]] == ["finished"]
    place.check_clean()
