"""SHA-256 of files, remembered: right, read once, and never in the way."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from medcls import data

HASH_ALL = """
import pathlib, sys
from medcls import data
print("begun", flush=True)
print(*data.Hashes(sys.argv[1]).sha256_of(sorted(pathlib.Path(sys.argv[2]).iterdir())))
"""


@pytest.fixture(scope="module")
def opened() -> list[str]:
    """Return a list to which the name of every file that Python opens is appended."""
    names: list[str] = []

    def note(event: str, details: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(details[0], str | bytes):
            names.append(os.fsdecode(details[0]))

    sys.addaudithook(note)  # for the life of the process: there is no way to remove one
    return names


@pytest.fixture
def read(opened: list[str], files: list[Path]) -> Callable[[data.Hashes], int]:
    """Return a function that hashes all the files, checks the hashes and returns how many files were opened."""

    def read(hashes: data.Hashes) -> int:
        opened.clear()
        digests = hashes.sha256_of(files)
        count = len(set(opened) & {str(file) for file in files})
        assert digests == expected(files)
        return count

    return read


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "files").mkdir()
    paths = [tmp_path / "files" / f"{number:04} é.bin" for number in range(1200)]  # more than one look-up
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % (number // 2))
    return paths


def expected(paths: list[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_every_file_is_read_once_and_again_only_when_it_changes(
    tmp_path: Path, files: list[Path], read: Callable[[data.Hashes], int]
) -> None:
    hashes = data.Hashes(tmp_path / "below" / "hashes.sqlite")
    assert read(hashes) == len(files)
    assert read(hashes) == 0
    assert read(data.Hashes(tmp_path / "below" / "hashes.sqlite")) == 0
    files[3].write_bytes(b"longer than before")
    before = files[5].stat()
    files[5].write_bytes(b"9")
    os.utime(files[5], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files[5].stat().st_size == before.st_size
    assert read(hashes) == 2
    assert read(hashes) == 0


def test_a_change_just_after_hashing_is_seen(tmp_path: Path) -> None:
    path, hashes = tmp_path / "file", data.Hashes(tmp_path / "hashes")
    for number in range(30):
        path.write_bytes(b"%03d" % number)
        assert hashes.sha256_of([path]) == expected([path])


def test_order_repeats_relative_paths_and_other_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("a")
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/\xff\xfe.png"))
    odd.write_text("odd")
    monkeypatch.chdir(tmp_path)
    hashes = data.Hashes(tmp_path / "hashes")
    paths = [odd, Path("a"), tmp_path / "a", odd]
    assert hashes.sha256_of(paths) == hashes.sha256_of(paths) == expected(paths)
    assert hashes.sha256_of([]) == []


def test_what_cannot_be_read_has_no_hash_until_it_can(tmp_path: Path) -> None:
    hashes, path = data.Hashes(tmp_path / "hashes"), tmp_path / "later"
    assert hashes.sha256_of([path, tmp_path]) == ["", ""]
    path.write_text("now")
    assert hashes.sha256_of([path]) == expected([path])


def test_a_damaged_store_costs_only_the_time_to_read_again(
    tmp_path: Path, files: list[Path], read: Callable[[data.Hashes], int]
) -> None:
    store = tmp_path / "hashes.sqlite"
    hashes = data.Hashes(store)
    assert read(hashes) == len(files)
    whole = store.read_bytes()
    for damaged in (b"no database" * 500, whole[: len(whole) // 2], whole[:4096] + b"\xaa" * (len(whole) - 4096)):
        store.write_bytes(damaged)
        assert read(hashes) > 0
        for _ in range(3):  # a store that was damaged further on is noticed a look-up or two later
            read(hashes)
        assert read(hashes) == 0
    store.write_bytes(b"")
    assert read(hashes) == len(files)
    assert read(hashes) == 0


def test_a_place_that_cannot_hold_a_store_is_no_hindrance(tmp_path: Path, files: list[Path]) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "file" / "hashes", tmp_path / "folder", Path("/proc/none/hashes")):
        assert data.Hashes(place).sha256_of(files) == expected(files)


def test_a_read_only_store_is_still_read() -> None:
    code = """
import os, pathlib, sys
from medcls import data
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setuid(65534)  # the permissions do not bind root
opened = []
sys.addaudithook(lambda event, details: opened.append(details[0]) if event == "open" else None)
root = pathlib.Path(sys.argv[1])
print(*data.Hashes(root / "store" / "hashes").sha256_of([root / "known", root / "new"]))
print(os.fsencode(root / "known") in opened, os.fsencode(root / "new") in opened)
"""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for each in ("known", "new"):
            (root / each).write_text(each)
        data.Hashes(root / "store" / "hashes").sha256_of([root / "known"])
        (root / "store" / "hashes").chmod(0o444)
        (root / "store").chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
        (root / "store").chmod(0o755)
        assert done.stdout.split() == [*expected([root / "known", root / "new"]), "False", "True"]


@pytest.mark.slow
def test_a_store_that_another_process_keeps_locked_is_no_hindrance(tmp_path: Path, files: list[Path]) -> None:
    hashes = data.Hashes(tmp_path / "hashes.sqlite")
    hashes.sha256_of(files[:-1])
    with closing(sqlite3.connect(tmp_path / "hashes.sqlite")) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert hashes.sha256_of(files) == expected(files)


def test_two_processes_may_hash_at_once(tmp_path: Path, files: list[Path]) -> None:
    store = tmp_path / "hashes.sqlite"
    command = [sys.executable, "-c", HASH_ALL, str(store), str(files[0].parent)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert errors == ""
        assert out.split()[1:] == expected(files)
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("SELECT count(*) FROM files").fetchone() == (len(files),)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_process_leaves_a_store_that_works(
    tmp_path: Path, files: list[Path], read: Callable[[data.Hashes], int]
) -> None:
    store = tmp_path / "hashes.sqlite"
    command = [sys.executable, "-c", HASH_ALL, str(store), str(files[0].parent)]
    for milliseconds in (20, 60, 100, 140):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(milliseconds / 1000)
            process.send_signal(signal.SIGKILL)
    hashes = data.Hashes(store)
    read(hashes)
    assert read(hashes) == 0


def test_a_text_in_a_file_is_read_again_only_when_the_file_has_changed(tmp_path: Path, files: list[Path]) -> None:
    asked: list[Path] = []

    def first_half(path: Path) -> str:
        asked.append(path)
        return path.read_text()[:2]

    wanted = [path.read_text()[:2] for path in files]
    for _ in range(2):
        assert data.Hashes(tmp_path / "store").texts_of(files, "half", first_half) == wanted
    assert sorted(asked) == files
    files[3].write_text("changed")
    assert data.Hashes(tmp_path / "store").texts_of([*files[:5], tmp_path / "none"], "half", first_half)[3:] == [
        "ch",
        wanted[4],
        "",
    ]
    assert asked[len(files) :] == [files[3]]
    assert data.Hashes(tmp_path / "store").texts_of(files[:1], "other", lambda _: "x") == ["x"]
