"""`medcls data fetch` as a user types it, against a real server on loopback."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from file_server import serving

from medcls.cli.main import main
from medcls.data import published
from medcls.data.published import PUBLISHED, Published
from medcls.data.resolve import find

CONTENT = np.random.default_rng(0).bytes(1_000_000)
NAME = "medmnist:retinamnist"
FILE = Path("medmnist", "retinamnist.npz")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's folder of data sets."""
    folder = tmp_path / "sets"
    folder.mkdir()
    monkeypatch.setenv("MEDCLS_DATA", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CONTENT be the published file: the real one is not to be had without a network."""
    checksum = "md5:" + hashlib.md5(CONTENT).hexdigest()
    file = Published(PUBLISHED[NAME].file, PUBLISHED[NAME].url, checksum)
    monkeypatch.setattr(published, "PUBLISHED", MappingProxyType({**PUBLISHED, NAME: file}))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the sentence in which a command is refused."""
    assert main(["data", "fetch", *arguments]) == 2
    sentence = capsys.readouterr().err
    assert re.fullmatch(r"medcls: .+\.\n", sentence), sentence
    return sentence


def test_a_data_set_is_fetched_once_and_then_found(home: Path, known: None, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(CONTENT) as server:
        assert main(["data", "fetch", NAME, "--mirror", server.url]) == 0
        told = capsys.readouterr()
        assert told.out.splitlines() == [
            f"downloading {server.url}/retinamnist.npz",
            f"{NAME} is in {home / FILE}. Use it with --data {NAME}",
        ]
        assert told.err == ""
        assert (home / FILE).read_bytes() == CONTENT
        assert find(NAME) == home / FILE
        assert main(["data", "fetch", NAME, "--mirror", server.url]) == 0
        assert capsys.readouterr().out == f"{NAME} is in {home / FILE}. Use it with --data {NAME}\n"
    assert server.asked == [("/files/retinamnist.npz", 0)]


@pytest.mark.skipif(sys.platform != "linux", reason="downloads lie elsewhere on other systems")
def test_without_a_folder_of_data_sets_it_goes_into_the_cache(
    home: Path, known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEDCLS_DATA")
    with serving(CONTENT) as server:
        assert main(["data", "fetch", NAME, "--mirror", server.url]) == 0
    assert find(NAME) == home.parent / "cache" / "medcls" / FILE
    monkeypatch.setenv("MEDCLS_DATA", str(home))
    assert main(["data", "fetch", NAME]) == 0  # is there, asks nobody
    assert list(home.iterdir()) == []


def test_another_file_than_the_published_one_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(CONTENT) as server:
        assert PUBLISHED[NAME].checksum in refused(capsys, NAME, "--mirror", server.url)
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["medmnist:nothing"], ["medmnist:nothing", "medmnist:pathmnist", "_224"]),
        (["xray"], ["xray", "mnist"]),
        ([NAME, "--mirror", "ftp://example.org"], ["--mirror ftp://example.org", "https://"]),
        ([NAME, "--mirror", "http://127.0.0.1:9"], ["http://127.0.0.1:9/retinamnist.npz", str(FILE), "Connection"]),
    ],
)
def test_what_cannot_be_fetched_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    sentence = refused(capsys, *arguments)
    assert [word for word in words if word not in sentence] == []


def test_a_set_of_several_labels_is_fetched_with_a_warning(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "medmnist:chestmnist", "--mirror", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().out.startswith("medmnist:chestmnist has several labels per image")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Ctrl-C to send")
def test_ctrl_c_keeps_what_has_come(home: Path) -> None:
    part = home / f"{FILE}.part"
    with serving(CONTENT, pause=60.0) as server:
        command = [sys.executable, "-m", "medcls", "data", "fetch", NAME, "--mirror", server.url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 300
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (
        130,
        "medcls: Interrupted. The downloaded part is kept; run the same command to resume.\n",
    )
    assert [path.name for path in home.rglob("*") if path.is_file()] == [part.name]
    assert part.read_bytes() == CONTENT[: part.stat().st_size] != b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    mother, daughter = pty.openpty()
    with serving(CONTENT, cuts=[800_000, 0]) as server:
        command = [sys.executable, "-m", "medcls", "data", "fetch", NAME, "--mirror", server.url]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        process = subprocess.Popen(command, stdout=daughter, stderr=subprocess.PIPE, env=environment)
        process.communicate(timeout=300)
    os.close(daughter)
    shown = b""
    try:
        while more := os.read(mother, 2**16):
            shown += more
    except OSError:
        pass  # how a terminal ends whose other end is closed
    os.close(mother)
    assert process.returncode == 2
    assert "MB" in shown.decode()
    assert "━" in shown.decode()
