"""The mirror of run folders in MLflow: written by the driver alone, in batches, nothing twice, nothing lost.

What is to be written waits in a queue, in order. A store that does not answer leaves it waiting; what a driver
could not write before it ended is written when the command is run again, because every node that the store does
not show as ended is mirrored anew from its folder, and rows that the store has already are dropped by it.
"""

import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from medcls.errors import BadInputError
from medcls.lazy import lazy
from medcls.tracking.nodes import Ending, Node

mlflow = lazy("mlflow")
entities = lazy("mlflow.entities")

BATCH = 900  # metrics in one request; MLflow takes 1,000
PATIENCE = 10.0  # seconds between two knocks at a store that does not answer
IDENTITY = "medcls.node"


class Mirror:
    """One experiment of one store.

    Raises:
        BadInputError: the store cannot be reached.
    """

    def __init__(self, uri: str, experiment: str, artifacts: Path, description: str) -> None:
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
        logging.getLogger("alembic").setLevel(logging.ERROR)
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        self.uri = uri
        self.lost: str | None = None
        self._queue: deque[Callable[[], None]] = deque()
        self._next_knock = 0.0
        self._nodes: dict[str, Node] = {}
        self._ids: dict[str, str] = {}
        self._ended: set[str] = set()
        self._epochs: dict[str, int] = {}
        try:
            with _schema_lock(uri):
                self._client = mlflow.MlflowClient(uri)
                self._experiment = self._open(experiment, artifacts, description)
            self._find_nodes()
        except Exception as error:
            raise BadInputError(
                f"The MLflow store {_without_password(uri)} cannot be reached ({_first_line(error)}): start it, "
                "choose another with --tracking-uri, or go on with --offline."
            ) from error

    def open(self, node: Node) -> None:
        """Show a node; its epochs follow with every sync. A node that the store has is taken up again."""
        if node.identity not in self._nodes:
            self._nodes[node.identity] = node
            if node.identity not in self._ended:
                self._queue.append(lambda: self._create(node))

    def close(self, identity: str, ending: Ending) -> None:
        """Write a node's last epochs, its scores and files, and end it."""
        if identity in self._ended:
            return
        self._follow(self._nodes[identity])
        self._ended.add(identity)
        self._queue.append(lambda: self._end(identity, ending))

    def reopen(self, identity: str) -> None:
        """Let a node that has ended be written again (a study whose command is run again)."""
        self._ended.discard(identity)

    def has_ended(self, identity: str) -> bool:
        """Tell whether the store, or what is queued for it, shows the node as ended."""
        return identity in self._ended

    def run_id(self, identity: str) -> str | None:
        """Return the store's own id of a node, None while it is not there."""
        return self._ids.get(identity)

    def sync(self, *, now: bool = False) -> bool:
        """Write what is waiting; return whether the store has everything. Never raises for a lost store."""
        for identity, node in self._nodes.items():
            if identity not in self._ended:
                self._follow(node)
        if time.monotonic() < self._next_knock and not now:
            return False
        while self._queue:
            try:
                self._queue[0]()
            except Exception as error:  # noqa: BLE001 - whatever the store's client raises: it is lost for now
                self.lost = _first_line(error)
                self._next_knock = time.monotonic() + PATIENCE
                return False
            self._queue.popleft()
        self.lost = None
        return True

    def _open(self, name: str, artifacts: Path, description: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            local = self.uri.startswith("sqlite")
            place = artifacts.as_uri() if local else None
            return str(self._client.create_experiment(name, place, {"mlflow.note.content": description}))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _find_nodes(self) -> None:
        token = None
        while True:
            page = self._client.search_runs([self._experiment], max_results=1000, page_token=token)
            for run in page:
                identity = run.data.tags.get(IDENTITY)
                if identity:
                    self._ids[identity] = run.info.run_id
                    if run.info.status != "RUNNING":
                        self._ended.add(identity)
            token = page.token
            if not token:
                return

    def _create(self, node: Node) -> None:
        tags = {name: str(value) for name, value in node.tags.items() if value is not None}
        tags[IDENTITY] = node.identity
        if node.parent is not None:
            tags["mlflow.parentRunId"] = self._ids[node.parent]
        if node.identity not in self._ids:
            made = self._client.create_run(self._experiment, node.started, tags, node.name)
            self._ids[node.identity] = made.info.run_id
        run_id = self._ids[node.identity]
        self._client.update_run(run_id, status="RUNNING")
        tag_list = [entities.RunTag(name, value) for name, value in tags.items()]
        parameters = [entities.Param(name, str(value)) for name, value in node.parameters.items()]
        for first in range(0, max(len(parameters), 1), 100):
            self._client.log_batch(run_id, params=parameters[first : first + 100], tags=tag_list[:100])
        if node.data is not None:
            self._client.log_inputs(run_id, [_dataset(node)])

    def _follow(self, node: Node) -> None:
        """Queue the epochs that the checkpoint holds and that are not queued yet."""
        if node.folder is None:
            return
        first = self._epochs.get(node.identity, 0)
        rows = node.folder.held_rows()[first:]
        if not rows:
            return
        self._epochs[node.identity] = first + len(rows)
        metrics = [
            entities.Metric(name, value, row["time"], row["epoch"])
            for row in rows
            for name, value in {**row["metrics"], **row["system"], "seconds": row["seconds"]}.items()
        ]
        for start in range(0, len(metrics), BATCH):
            self._queue.append(lambda part=metrics[start : start + BATCH]: self._log(node.identity, part))  # type: ignore[misc]

    def _log(self, identity: str, metrics: list[Any]) -> None:
        self._client.log_batch(self._ids[identity], metrics=metrics)

    def _end(self, identity: str, ending: Ending) -> None:
        run_id = self._ids[identity]
        metrics = [entities.Metric(name, value, ending.ended, 0) for name, value in ending.metrics.items()]
        tags = [entities.RunTag(name, str(value)) for name, value in ending.tags.items() if value is not None]
        self._client.log_batch(run_id, metrics=metrics, tags=tags)
        for path, place in ending.files.items():
            if path.exists():
                self._client.log_artifact(run_id, str(path), place or None)
        self._client.set_terminated(run_id, ending.status, ending.ended)


def _dataset(node: Node) -> Any:
    data = node.data
    assert data is not None
    digest = data.fingerprint.removeprefix("sha256:")[:36]  # as long as MLflow's column; the tag has it whole
    source = json.dumps({"uri": data.source, "fingerprint": data.fingerprint})
    profile = json.dumps(dict(data.profile))
    made = entities.Dataset(data.name, digest, data.kind, source, profile=profile)
    return entities.DatasetInput(made, [entities.InputTag("mlflow.data.context", "training")])


def _schema_lock(uri: str) -> Any:
    """Return a lock under which a fresh SQLite store gets its tables: two at once would spoil it."""
    if not uri.startswith("sqlite:///"):
        return contextlib.nullcontext()
    path = Path(uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
