"""A file is written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from medcls.files import is_dead, read_json, remove_unfinished, write_atomically, write_json

FULL_DISK = """
import resource, sys
from pathlib import Path
from medcls.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_atomically(Path(sys.argv[1]), lambda file: file.write(bytes(5000)))
"""
SLOW = """
import sys, time
from pathlib import Path
from medcls.files import write_atomically
write_atomically(Path(sys.argv[1]), lambda file: (print("writing", flush=True), time.sleep(600)))
"""


def test_a_new_file_replaces_the_old_one_and_leaves_nothing_beside(tmp_path: Path):
    path = tmp_path / "file"
    for content in (b"old", b"new"):
        write_atomically(path, lambda file, content=content: file.write(content))
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_writer_that_raises_leaves_the_old_content(tmp_path: Path, error: type[BaseException]):
    def write(file):
        file.write(b"half")
        raise error

    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_leaves_the_old_content(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    ended = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True)
    assert "OSError" in ended.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_was_writing_is_removed_and_a_living_ones_is_not(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "file")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        half = tmp_path / f".{process.pid}.file"
        remove_unfinished(tmp_path, of=is_dead)
        assert half.exists()
        process.kill()
    others = {tmp_path / name for name in (".hidden", ".1.file", ".git.file", f".{'9' * 30}.file", "file.2")}
    for path in others:
        path.touch()
    remove_unfinished(tmp_path, of=is_dead)
    assert set(tmp_path.iterdir()) == others
    remove_unfinished(tmp_path / "a folder that is not there", of=is_dead)


def test_json_is_read_back_and_a_damaged_file_is_none(tmp_path: Path):
    path = tmp_path / "value.json"
    assert read_json(path) is None
    assert read_json(path / "below a file that is not there") is None
    write_json(path, {"a": [1, 0.1, None, "ä"]})
    assert read_json(path) == {"a": [1, 0.1, None, "ä"]}
    path.write_bytes(path.read_bytes()[:-3])
    assert read_json(path) is None


def test_json_refuses_what_is_no_number_and_keeps_the_old_value(tmp_path: Path):
    path = tmp_path / "value.json"
    write_json(path, 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, float("nan"))
    assert read_json(path) == 1
