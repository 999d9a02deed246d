"""`medcls ui`: it serves a store, and names the saved views of a study and opens them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


def medcls(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=folder)


def test_ui_refuses_a_store_that_is_not_there_and_makes_none(tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    done = medcls("ui", "--tracking-uri", f"sqlite:///{store}")
    assert done.returncode == 2
    assert str(store) in done.stderr
    assert not store.exists()


def test_ui_says_where_a_server_is_open_already() -> None:
    done = medcls("ui", "--tracking-uri", "http://tracking.example:5000")
    assert (done.returncode, done.stdout) == (0, "The store is a server: open http://tracking.example:5000\n")


@pytest.mark.slow
def test_ui_serves_the_store_and_prints_the_command(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    making = "import mlflow, sys; mlflow.MlflowClient(sys.argv[1]).create_experiment('mine')"
    subprocess.run([sys.executable, "-c", making, store], check=True, capture_output=True, cwd=tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "medcls", "ui", "--tracking-uri", store, "--port", str(port)]
    with (tmp_path / "output").open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path, start_new_session=True)
    try:
        assert "mine" in experiments(port, server)
        assert (tmp_path / "output").read_text().startswith(f"mlflow ui --backend-store-uri {store} --port {port}\n")
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture
def viewed(tmp_path: Path) -> str:
    """Return a store in which a study has two saved views."""
    import mlflow

    from medcls.tracking import saved_views
    from medcls.tracking.view_state import View

    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = mlflow.MlflowClient(store)
    views = tuple(View(kind, kind.title(), "", "metrics.`n`", ()) for kind in ("variants", "best"))
    saved_views.save(client, client.create_experiment("mine"), saved_views.Views("xray", 3, views, "A question?"))
    return store


def test_ui_names_the_studies_that_have_views(viewed: str) -> None:
    done = medcls("ui", "yours", "--tracking-uri", viewed)
    assert done.returncode == 2
    assert "mine" in done.stderr


@pytest.mark.slow
def test_ui_prints_the_views_and_opens_the_first(viewed: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "medcls", "ui", "mine", "--open", "--tracking-uri", viewed, "--port", str(port)]
    with (tmp_path / "output").open("w") as output:
        environment = os.environ | {"BROWSER": str(browser)}
        server = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=tmp_path, start_new_session=True, env=environment
        )
    try:
        experiments(port, server)
        for _ in range(300):
            if (tmp_path / "opened").exists() and (tmp_path / "opened").read_text():
                break
            time.sleep(0.2)
        page = f"http://127.0.0.1:{port}/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=medcls"
        assert (tmp_path / "opened").read_text().strip() == f"{page}-variants-xray"
        assert (tmp_path / "output").read_text().splitlines()[1:3] == [
            f"mine, Variants: {page}-variants-xray",
            f"mine, Best: {page}-best-xray",
        ]
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def experiments(port: int, server: subprocess.Popen[bytes]) -> str:
    """Return what the server says of its experiments, as soon as it answers."""
    question = f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search?max_results=10"
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(question, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")
