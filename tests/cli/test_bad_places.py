"""Places that cannot be written to: one sentence that names the flag and the place, exit code 2, at the start."""

import ctypes
import json
import os
import sys

import pytest

from medcls.tracking.lock import work_dir_lock

# As root nothing is forbidden; a process that gave this power away is refused like anybody else.
POWERLESS = """
import ctypes, os, sys
if os.geteuid() == 0:
    [ctypes.CDLL(None).prctl(24, power, 0, 0, 0) for power in (1, 2)]  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
os.execv(sys.argv[1], sys.argv[1:])
"""
powerless = pytest.mark.skipif(
    sys.platform != "linux" or (os.geteuid() == 0 and ctypes.CDLL(None).prctl(23, 8, 0, 0, 0) != 1),
    reason="nothing can be forbidden to this user",
)


@pytest.fixture
def forbidden(tmp_path):
    """Return a folder that may be read but not written to."""
    folder = tmp_path / "forbidden"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.fixture
def file(tmp_path):
    """Return a file where a folder is wanted."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    return file


@powerless
def test_a_work_folder_without_write_permission(place, images, forbidden):
    wrapper = [sys.executable, "-c", POWERLESS]
    ended = place.run(place.BONUS, "--data", images, "--work-dir", forbidden / "runs", wrapper=wrapper)
    ended.check_complaint(2, "--work-dir", forbidden / "runs", "Permission denied")
    assert list(forbidden.iterdir()) == []
    place.check_untouched()


@powerless
def test_a_summary_without_write_permission(place, images, forbidden):
    wrapper = [sys.executable, "-c", POWERLESS]
    ended = place.run(place.BONUS, "--data", images, "--json", forbidden / "summary.json", wrapper=wrapper)
    ended.check_complaint(2, "--json", forbidden, "Permission denied")
    place.check_untouched()


@powerless
def test_a_store_without_write_permission(place, images, forbidden):
    wrapper = [sys.executable, "-c", POWERLESS]
    uri = f"sqlite:///{forbidden / 'mlflow.db'}"
    ended = place.run(place.BONUS, "--data", images, "--tracking-uri", uri, wrapper=wrapper)
    ended.check_complaint(2, uri, "--tracking-uri", "--offline")
    assert list(forbidden.iterdir()) == []
    place.check_untouched()


@pytest.mark.parametrize("plan", [[], ["--plan"]], ids=["run", "plan"])
@pytest.mark.parametrize("below", ["", "runs"])
def test_a_file_is_no_work_folder(place, images, file, below, plan):
    folder = file / below if below else file
    place.run(place.BONUS, "--data", images, "--work-dir", folder, *plan).check_complaint(2, "--work-dir", folder)
    place.check_untouched()


def test_a_summary_needs_a_folder_and_the_name_of_a_file(place, images, file, tmp_path):
    for path, reason in ((tmp_path, "is a folder"), (tmp_path / "nowhere" / "x.json", "no folder"), (file / "x", "")):
        place.run(place.BONUS, "--data", images, "--json", path).check_complaint(2, "--json", path, reason)
    place.check_untouched()


def test_a_store_below_a_file(place, images, file):
    uri = f"sqlite:///{file / 'mlflow.db'}"
    ended = place.run(place.BONUS, "--data", images, "--tracking-uri", uri)
    ended.check_complaint(2, uri, "--tracking-uri", "--offline")
    place.check_untouched()


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "moon://base", "file:///dev/null/store"])
def test_a_store_that_cannot_be_reached(place, images, uri):
    ended = place.run(place.BONUS, "--data", images, "--tracking-uri", uri)
    ended.check_complaint(2, uri, "--tracking-uri", "--offline")
    place.check_untouched()


def test_a_store_that_is_damaged_is_left_as_it_is(place, images):
    place.store.write_text("This is no database. " * 100)
    before = place.store.read_bytes()
    place.run(place.BONUS, "--data", images).check_complaint(2, place.store, "--tracking-uri", "--offline")
    assert place.store.read_bytes() == before
    assert place.run_folders() == []
    place.check_clean()


@pytest.mark.slow
def test_nothing_is_dropped_for_a_store_that_cannot_be_reached(finished):
    def kept():
        files = [
            path for folder in (*finished.run_folders(), *finished.work.glob("studies/*")) for path in folder.iterdir()
        ]
        return {path: path.read_bytes() for path in sorted(files)}

    before, uri = kept(), "http://127.0.0.1:9"
    ended = finished.run(finished.TINY, "--data", finished.images, "--force", "--tracking-uri", uri)
    ended.check_complaint(2, uri, "--tracking-uri", "--offline")
    assert kept() == before
    assert sum(path.name == "result.json" for path in before) == 4


def test_a_work_folder_of_another_command(place, images):
    with work_dir_lock(place.work, wait=False, tell=print):
        record = (place.work / "owner.json").read_text()
        ended = place.run(place.BONUS, "--data", images, "--work-dir", place.work)
        ended.check_complaint(2, f"Another command is using {place.work}", f"process {os.getpid()}", "--wait")
        assert sorted(each.name for each in place.work.iterdir()) == ["cache", "driver.lock", "owner.json"]
    assert json.loads(record)["process"] == os.getpid()
