"""The champion behind `mlflow models serve`: an image posted, the same probabilities back."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from export_commands import Trained, medcls

from medcls.data.readers.images import decode

pytestmark = pytest.mark.slow
PATIENCE = 120.0  # seconds until a server answers


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def server(trained: Trained, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a server of the champion, started as README says."""
    port = free_port()
    command = ["-m", "mlflow", "models", "serve", "-m", "models:/medcls-small_study@champion"]
    command += ["--env-manager", "local", "--port", str(port)]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": trained.store}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=said, stderr=said, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(address):
            assert process.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline, (tmp_path / "said").read_text()
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/ping", timeout=5) as reply:
            return int(reply.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def test_an_image_posted_comes_back_with_the_same_probabilities(trained: Trained, server: str, capsys):
    files = [trained.images / "dark" / "3.png", trained.images / "bright" / "1.png"]
    images = np.stack([decode(file, 12, 1) for file in files])
    body = json.dumps({"inputs": images.tolist()}).encode()
    request = urllib.request.Request(f"{server}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        found = json.load(reply)["predictions"]
    capsys.readouterr()
    assert medcls("predict", trained.exported, *files, "--json") == 0
    expected = [list(each["probabilities"].values()) for each in json.loads(capsys.readouterr().out)]
    assert np.abs(np.array(found) - np.array(expected)).max() <= 1e-6
