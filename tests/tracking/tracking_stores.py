"""What the tests of tracking look at: a store's whole content, and a server that can be killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

STUDIES = Path(__file__).parents[1] / "tiny"
UNIQUE = re.compile(r"[+%][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # what MLflow adds to the name of a logged image
LIMIT = 300.0  # seconds, after which a server or a command counts as hanging


def content(uri: str) -> dict[str, dict[str, Any]]:
    """Return all that a store holds of each node by its identity, without the store's own ids and the last command."""
    import mlflow

    client, found = mlflow.MlflowClient(uri), {}
    for experiment in client.search_experiments():
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        names = {run.info.run_id: run.data.tags["medcls.node"] for run in runs}
        assert len(set(names.values())) == len(runs), "a node is there twice"
        found |= {names[run.info.run_id]: _node(client, run, names) for run in runs}
    return found


def _node(client: Any, run: Any, names: dict[str, str]) -> dict[str, Any]:
    tags = dict(run.data.tags)
    if tags.get("medcls.level") != "run":  # of the last command, not of the work
        tags = {name: value for name, value in tags.items() if "git" not in name and name != "mlflow.note.content"}
    parent = names.get(tags.pop("mlflow.parentRunId", ""))
    history = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "times": (run.info.start_time, run.info.end_time),
        "parent": parent,
        "tags": tags,
        "parameters": run.data.params,
        "metrics": {name: sorted((m.step, m.timestamp, m.value) for m in each) for name, each in history.items()},
        "inputs": [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs],
        "files": sorted(UNIQUE.sub("", file) for file in _files(client, run.info.run_id)),
    }


def _files(client: Any, run_id: str, folder: str | None = None) -> list[str]:
    found = []
    for each in client.list_artifacts(run_id, folder):
        assert each.is_dir or each.file_size
        found += _files(client, run_id, each.path) if each.is_dir else [each.path]
    return found


class Server:
    """An MLflow server of this machine whose files lie in `home`, and its store too unless it is elsewhere."""

    def __init__(self, home: Path, store: str | None = None) -> None:
        self.home = home
        self._store = store or f"sqlite:///{home / 'server.db'}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        line = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        line += ["--workers", "1", "--backend-store-uri", self._store]
        line += ["--artifacts-destination", str(self.home / "files")]
        with (self.home / "server.log").open("a") as log:
            spared = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            environment = os.environ | spared  # eight more processes, for what no study asks
            self._process = subprocess.Popen(line, stdout=log, stderr=log, start_new_session=True, env=environment)
        deadline = time.monotonic() + LIMIT
        while not self._answers():
            assert time.monotonic() < deadline, (self.home / "server.log").read_text()
            time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal."""
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Kill it as nothing can prevent."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class Command:
    """A study's command whose work folder and summary lie in `home`."""

    def __init__(self, study: str, images: Path, home: Path, store: str | None = None, *flags: str) -> None:
        self.home, self.work, self.summary = home, home / "runs", home / "summary.json"
        self.store = store or f"sqlite:///{home / 'mlflow.db'}"
        places = {"--data": images, "--work-dir": self.work, "--json": self.summary}
        self._line = [sys.executable, str(STUDIES / f"{study}.py"), "--workers", "1", "--threads", "1", *flags]
        self._line += [str(part) for place in places.items() for part in place]

    def start(self, store: str | None = None) -> subprocess.Popen[str]:
        """Start the command, with another store if one is given."""
        self.home.mkdir(parents=True, exist_ok=True)
        line = [*self._line, "--tracking-uri", store or self.store]
        environment = os.environ | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}  # a server's first answer may take it 3 s
        with (self.home / "errors").open("w") as errors:
            return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)

    def run(self, store: str | None = None) -> tuple[int, str]:
        """Run the command to its end; return its exit code and all that it said."""
        process = self.start(store)
        output, _ = process.communicate(timeout=LIMIT * 3)
        return process.returncode, output + (self.home / "errors").read_text()
