"""A published file comes over a real connection: whole, checked, and from where it stopped."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from file_server import serving
from filelock import FileLock

from medcls import BadInputError
from medcls.data.download import CHUNK, fetch
from medcls.data.published import PUBLISHED, Published

CONTENT = np.random.default_rng(0).bytes(1_000_000)


def published(content: bytes = CONTENT, url: str = "http://127.0.0.1:9/none") -> Published:
    return Published("sets/one.npz", url, "md5:" + hashlib.md5(content).hexdigest())


def names(home: Path) -> list[str]:
    """Return what lies in a folder of data sets."""
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def refusal(home: Path, mirror: str, file: Published | None = None, patience: float = 30.0) -> str:
    """Return the sentence in which a download is refused."""
    with pytest.raises(BadInputError) as refused:
        fetch(file or published(), home, mirror, patience=patience)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_a_file_comes_whole_and_once(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with serving(CONTENT) as server:
        path = fetch(published(), tmp_path / "home", server.url, lambda *each: told.append(each))
        assert path == tmp_path / "home" / "sets" / "one.npz"
        assert path.read_bytes() == CONTENT
        fetch(published(), tmp_path / "home", server.url)
    assert server.asked == [("/files/one.npz", 0)]
    assert names(tmp_path / "home") == ["sets/one.npz"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_without_a_mirror_the_published_address_is_asked(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        fetch(published(url=f"{server.url}/elsewhere/one.npz?download=1"), tmp_path)
    assert server.asked == [("/files/elsewhere/one.npz?download=1", 0)]


def test_it_goes_on_at_once_where_a_connection_breaks(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[10 * CHUNK, CHUNK, 20 * CHUNK]) as server:
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT
    assert [first for _, first in server.asked] == [0, 10 * CHUNK, 11 * CHUNK, 31 * CHUNK]


@pytest.mark.parametrize("says_length", [True, False])
def test_it_goes_on_from_a_part_that_was_left(tmp_path: Path, says_length: bool) -> None:
    with serving(CONTENT, cuts=[10 * CHUNK, 0]) as server:
        sentence = refusal(tmp_path, server.url)
        assert "Run the same command to resume" in sentence
        assert names(tmp_path) == ["sets/one.npz.part"]
        server.says_length = says_length
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT
    assert [first for _, first in server.asked] == [0, 10 * CHUNK, 10 * CHUNK]
    assert names(tmp_path) == ["sets/one.npz"]


def test_a_server_that_knows_no_parts_is_asked_for_everything(tmp_path: Path) -> None:
    with serving(CONTENT, cuts=[10 * CHUNK], ranges=False) as server:
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"other bytes", CONTENT + b"more", CONTENT[:-1] + b"?"])
def test_a_part_of_another_file_is_given_up(tmp_path: Path, left: bytes) -> None:
    part = tmp_path / "sets" / "one.npz.part"
    part.parent.mkdir()
    part.write_bytes(left)
    with serving(CONTENT) as server:
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT
    assert [first for _, first in server.asked] == [len(left), 0]


def test_a_part_that_was_whole_costs_no_second_download(tmp_path: Path) -> None:
    part = tmp_path / "sets" / "one.npz.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    with serving(CONTENT) as server:
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT
    assert server.asked == [("/files/one.npz", len(CONTENT))]


def test_a_killed_command_goes_on_and_leaves_no_litter(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from medcls.data.download import fetch\n"
        "from medcls.data.published import Published\n"
        "fetch(Published('sets/one.npz', '', sys.argv[3]), Path(sys.argv[1]), sys.argv[2])"
    )
    part = tmp_path / "sets" / "one.npz.part"
    with serving(CONTENT, pause=60.0) as server:
        command = [sys.executable, "-c", code, str(tmp_path), server.url, published().checksum]
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 300
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept = part.stat().st_size
        assert kept > 0
        server.pause = 0.0
        fetch(published(), tmp_path, server.url)
    assert [first for _, first in server.asked] == [0, kept]
    assert names(tmp_path) == ["sets/one.npz"]


def test_what_is_not_the_published_file_is_refused(tmp_path: Path) -> None:
    with serving(b"a page that asks you to log in") as server:
        sentence = refusal(tmp_path, server.url)
    assert f"{server.url}/one.npz" in sentence
    assert published().checksum in sentence
    assert "--mirror" in sentence
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_an_answer_without_the_file_is_told(tmp_path: Path, status: int) -> None:
    with serving(CONTENT, status=status) as server:
        sentence = refusal(tmp_path, server.url)
    assert f"{server.url}/one.npz answers {status} " in sentence
    assert f"put the file at {tmp_path / 'sets' / 'one.npz'}" in sentence
    assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid", "http://[", "moon://base"])
def test_a_server_out_of_reach_is_told(tmp_path: Path, url: str) -> None:
    sentence = refusal(tmp_path, url)
    assert f"{url}/one.npz cannot be reached (" in sentence
    assert f"put the file at {tmp_path / 'sets' / 'one.npz'}" in sentence
    assert "object at 0x" not in sentence
    assert names(tmp_path) == []


def test_a_slow_server_is_waited_for_and_a_silent_one_is_not(tmp_path: Path) -> None:
    with serving(CONTENT, pause=0.5) as server:
        assert fetch(published(), tmp_path / "slow", server.url).read_bytes() == CONTENT
    with serving(CONTENT, pause=60.0, cuts=[CHUNK, 0]) as server:
        assert "Run the same command to resume" in refusal(tmp_path / "silent", server.url, patience=0.3)
    assert names(tmp_path / "silent") == ["sets/one.npz.part"]


@pytest.mark.parametrize("length", [1_000_000, None])
def test_a_server_that_drips_is_not_waited_for(tmp_path: Path, length: int | None) -> None:
    over, listening = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listening.accept()
        connection.recv(10_000)
        told = "" if length is None else f"Content-Length: {length}\r\n"
        connection.sendall(f"HTTP/1.1 200 OK\r\n{told}\r\n".encode())
        with suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"x")
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    sentence = refusal(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}", patience=1.0)
    over.set()
    thread.join()
    listening.close()
    assert "less than 1024 bytes a second" in sentence
    assert "Run the same command to resume" in sentence
    assert time.monotonic() - began < 60


def test_a_file_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "sets" / "one.npz"
    own.parent.mkdir()
    own.write_bytes(b"my own")
    with serving(CONTENT) as server:
        assert f"{own} exists but is not the published file" in refusal(tmp_path, server.url)
    assert own.read_bytes() == b"my own"
    assert server.asked == []


def test_two_commands_do_not_fetch_the_same_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    with FileLock(tmp_path / "sets" / "one.npz.lock"), serving(CONTENT) as server:
        assert "by another command" in refusal(tmp_path, server.url)
    assert server.asked == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "sets").write_text("a file where a folder belongs")
    assert f"{tmp_path / 'sets' / 'one.npz'} cannot be written" in refusal(tmp_path, "http://127.0.0.1:9")


def test_no_room_left_keeps_what_has_come(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving(CONTENT) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
        try:
            sentence = refusal(tmp_path, server.url)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert "(no space left)" in sentence
        assert names(tmp_path) == ["sets/one.npz.part"]
        assert fetch(published(), tmp_path, server.url).read_bytes() == CONTENT
    assert [first for _, first in server.asked] == [0, 500_000]


def test_everything_published_has_a_place_an_address_and_a_checksum_of_its_own() -> None:
    assert len(PUBLISHED) == 1 + 12 * 4
    assert len({each.file for each in PUBLISHED.values()}) == len(PUBLISHED)
    assert len({each.url for each in PUBLISHED.values()}) == len(PUBLISHED)
    assert len({each.checksum for each in PUBLISHED.values()}) == len(PUBLISHED)
    large = PUBLISHED["medmnist:organsmnist_224"]
    assert large.url == "https://zenodo.org/records/10519652/files/organsmnist_224.npz?download=1"
    assert large.address("https://mirror.example/sets/") == "https://mirror.example/sets/organsmnist_224.npz"
