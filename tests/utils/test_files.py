"""A file is written whole or not at all; devices, pipes and links stay what they are."""

import os
import re
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from medcls import BadInputError
from medcls.utils.files import is_dead, read_json, remove_unfinished, write_atomically, write_json, written_whole
from medcls.utils.outputs import check_writable, write_output

FULL_DISK = """
import resource, sys
from pathlib import Path
from medcls.utils.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_atomically(Path(sys.argv[1]), lambda file: file.write(bytes(5000)))
"""
SLOW = """
import sys, time
from pathlib import Path
from medcls.utils.files import write_atomically
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
        (half,) = tmp_path.glob(f".{process.pid}.*.file")
        remove_unfinished(tmp_path, of=is_dead)
        assert half.exists()
        process.kill()
    others = {tmp_path / name for name in (".hidden", ".1.file", ".git.file", f".{'9' * 30}.file", "file.2")}
    for path in others:
        path.touch()
    remove_unfinished(tmp_path, of=is_dead)
    assert set(tmp_path.iterdir()) == others
    remove_unfinished(tmp_path / "a folder that is not there", of=is_dead)


def test_what_lies_where_it_could_be_written_beside_is_not_touched(tmp_path: Path):
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"mine")
    (tmp_path / f".{os.getpid()}.file").symlink_to(victim)
    names = []
    for content in (b"one", b"two"):
        write_atomically(path, lambda file, content=content: (names.append(Path(file.name).name), file.write(content)))
    assert (victim.read_bytes(), path.read_bytes()) == (b"mine", b"two")
    assert names[0] != names[1]


@pytest.mark.parametrize("write", [write_atomically, write_output])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_keeps_its_permissions(tmp_path: Path, mode: int, write):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path, lambda file: file.write(b"new"))
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


def test_a_link_stays_one_and_its_file_is_written(tmp_path: Path):
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(Path("elsewhere", "target"))  # which is not there yet
    (tmp_path / "second").symlink_to("link")
    for path, content in ((link, b"first"), (tmp_path / "second", b"second")):
        check_writable("--json", path)
        write_output(path, lambda file, content=content: file.write(content))
        assert path.is_symlink()
        assert target.read_bytes() == content
    assert [each.name for each in target.parent.iterdir()] == ["target"]


def test_a_device_stays_one(tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    before = Path(os.devnull).stat()
    for path in (Path(os.devnull), link):
        check_writable("--json", path)
        write_output(path, lambda file: file.write(b"nothing"))
    after = Path(os.devnull).stat()
    assert (after.st_mode, after.st_rdev, after.st_ino) == (before.st_mode, before.st_rdev, before.st_ino)
    assert link.is_symlink()


def test_a_pipe_is_written_as_soon_as_somebody_reads(tmp_path: Path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    check_writable("--json", pipe)
    reader = threading.Timer(0.5, lambda: heard.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, lambda file: file.write(b"x" * 300_000))  # more than a pipe holds
    reader.join()
    assert heard == [b"x" * 300_000]
    assert pipe.is_fifo()


WRITING = """
import sys
from pathlib import Path
from medcls.utils.outputs import check_writable, write_output
print("before")
check_writable("--json", Path(sys.argv[1]))
write_output(Path(sys.argv[1]), lambda file: file.write(b"[1]"))
print()
print("after")
"""


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_standard_output_is_written_into_wherever_it_goes(tmp_path: Path, path: str, kind: str):
    (tmp_path / "link").symlink_to("/dev/stdout")
    command, log = [sys.executable, "-c", WRITING, path], tmp_path / "log"
    log.write_text("there already\n")
    if kind == "pipe":
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    else:
        with log.open("a") as file:
            subprocess.run(command, stdout=file, check=True, cwd=tmp_path)
        said = log.read_text().removeprefix("there already\n")
    assert said == "before\n[1]\nafter\n"
    assert Path("/dev/stdout").is_symlink()


def test_what_a_shell_puts_in_place_of_a_process_is_written_into(tmp_path: Path):
    script = f"'{sys.executable}' -c \"$0\" >(cat > told) > said; wait; sleep 0.2"
    subprocess.run(["bash", "-c", script, WRITING], check=True, cwd=tmp_path)
    assert ((tmp_path / "told").read_text(), (tmp_path / "said").read_text()) == ("[1]", "before\n\nafter\n")


def test_what_takes_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        with pytest.raises(BadInputError, match="--out socket is a socket"):
            check_writable("--out", Path("socket"))
    Path("lost").symlink_to(Path("no", "folder"))
    with pytest.raises(BadInputError, match="there is no folder"):
        check_writable("--out", Path("lost"))


def test_a_folder_that_is_written_touches_no_other(tmp_path: Path):
    others = [tmp_path / name for name in ("best.unfinished", ".best.unfinished", f".best.{2**22 + 7}.mine.unfinished")]
    for other in others:
        other.mkdir()
        (other / "mine.txt").write_text("mine")
    with written_whole(tmp_path / "best") as folder:
        (folder / "made").write_text("whole")
        assert not (tmp_path / "best").exists()
    assert (tmp_path / "best" / "made").read_text() == "whole"
    with pytest.raises(KeyError), written_whole(tmp_path / "other"):
        raise KeyError
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "best"])
    assert all((other / "mine.txt").read_text() == "mine" for other in others)


HALF = """
import os, signal, sys
from pathlib import Path
from medcls.utils.files import written_whole
with written_whole(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_command_left_of_a_folder_goes_with_the_next(tmp_path: Path):
    subprocess.run([sys.executable, "-c", HALF, str(tmp_path / "best")], check=False)
    (left,) = tmp_path.iterdir()
    assert re.search(r"\.unfinished$", left.name)
    with written_whole(tmp_path / "best") as folder:
        assert not left.exists()
        (folder / "made").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


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
