"""One experiment of an MLflow store: creates its nodes, finds them again, and logs to them without ever waiting."""

import contextlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.tracking import sqlite_tables
from medcls.tracking.entries import DataRecord, Ending, EntryStatus, Node
from medcls.utils import store_uris as uris
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.lazy import mlflow
from medcls.utils.naming import in_store
from medcls.utils.redaction import text_without_secrets, without_secrets
from medcls.utils.texts import printable, storable

BATCH = 900  # metrics in one request; MLflow accepts 1,000
LONGEST = 5000  # characters of a value; MLflow accepts 6,000 in a parameter and 8,000 in a tag
NAME = 250  # characters of a run's name; a database accepts no more
IDENTITY, INTERRUPTED, PARENT = "medcls.node", "medcls.interrupted", "mlflow.parentRunId"
ERROR = "medcls.error"
NAMES = "medcls.names"  # the tag that lists the names that MLflow does not accept as they are
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"})

DRIVERS = re.compile(r"\(\w+(\.\w+)+\) ")  # before messages: "(sqlite3.OperationalError) disk full"
LOGGERS = ("alembic", "mlflow.store", "sqlalchemy")  # they also print tracebacks of exceptions that are raised

Point = tuple[str, float, int, int]
"""One value of a metric: name, value, milliseconds since 1970, epoch."""


class Store:
    """One experiment of a store. Only opening it explains errors; the other methods raise MLflow's own exceptions.

    Args:
        uri: of the store.
        experiment: the experiment's name.
        description: shown above the experiment.
        place: the directory for the experiment's files, unless a server or the directory of a SQLite file keeps them.

    Raises:
        BadInputError: the store cannot be reached.
    """

    def __init__(self, uri: str, experiment: str, description: str, place: Path) -> None:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.uri = uri
        self._ids: dict[str, str] = {}
        self._ended: set[str] = set()
        self._known: dict[str, Any] = {}
        self._doubtful: str | None = None
        with self.explained():
            sqlite_tables.make(uri)
            self._client = mlflow.MlflowClient(uri)
            self._experiment = self._open(experiment, description, place)
            self._file = sqlite_tables.identity(uri)

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn any exception in the block into one sentence about the store.

        Raises:
            BadInputError: the block raised an exception.
        """
        try:
            yield
        except Exception as error:
            raise BadInputError(
                f"The MLflow store {without_secrets(self.uri)} cannot be reached ({sentence(error, self.uri)}): start "
                "it, choose another with --tracking-uri, or go on with --offline."
            ) from error

    @property
    def page(self) -> str:
        """Where the experiment's runs are in MLflow's user interface, behind the address of its server."""
        return f"/#/experiments/{self._experiment}/runs?workflowType=machine_learning"

    def find(self, identity: str, started: int) -> None:
        """Read the node of a study from the store, and all nodes below it.

        A node with another start comes from another work directory, and is left alone.

        Args:
            identity: of the study's node.
            started: when the study was started, in milliseconds since 1970.
        """
        self._remember(self._search(f"tags.`{IDENTITY}` = '{identity}' and attributes.start_time = {started}"))
        if identity in self._ids:
            below = self._search(f"tags.`{IDENTITY}` LIKE '{identity}/%'")
            while children := [run for run in below if run.data.tags.get(PARENT) in self._ids.values()]:
                self._remember(children)
                below = [run for run in below if run not in children]

    def check_there(self) -> None:
        """Check that a SQLite store is still the file that was opened: what is written into a removed file is lost.

        Raises:
            FileNotFoundError: the file was removed or replaced.
        """
        if sqlite_tables.identity(self.uri) != self._file:
            raise FileNotFoundError(f"its file {uris.file(self.uri)} was removed or replaced")

    def has_ended(self, identity: str) -> bool:
        """Tell whether a node has ended for good in the store: it is no study, and neither failed nor interrupted."""
        return identity in self._ended

    def forget(self, identity: str) -> None:
        """Leave a node in the store as it is, so that a new one is created beside it."""
        self._ids.pop(identity, None)
        self._known.pop(identity, None)
        self._ended.discard(identity)

    def run_id(self, identity: str) -> str | None:
        """Return MLflow's own id of a node, None while the store does not have the node."""
        return self._ids.get(identity)

    def create(self, node: Node, started: int) -> None:
        """Create a node, or continue the one that the store has: what it lacks is added, its start stays.

        Args:
            node: what is created.
            started: in milliseconds since 1970.
        """
        tags = {**_texts(node.tags), IDENTITY: node.identity}
        if node.parent in self._ids:
            tags[PARENT] = self._ids[node.parent]
        if self._doubtful == node.identity:  # the store may have created it although its answer was lost
            where = f"tags.`{PARENT}` = '{tags[PARENT]}'" if PARENT in tags else f"attributes.start_time = {started}"
            self._remember(self._search(f"tags.`{IDENTITY}` = '{node.identity}' and {where}"))
        if node.identity in self._ids:
            self._continue(node.identity, tags)
        else:
            self._doubtful = node.identity
            run = self._client.create_run(self._experiment, started, tags, printable(node.name)[:NAME])
            self._doubtful = None
            self._ids[node.identity] = run.info.run_id
        self._describe(node)

    def log(self, identity: str, points: Iterable[Point], tags: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Log values of metrics; the store drops values that it has already. The tags come with the last request.

        The name of a metric in the store depends on the names that are logged with it, so all metrics that a node has
        at an epoch must be logged together.

        Args:
            identity: of the node.
            points: the values.
            tags: None as a value leaves the tag out.
        """
        points = list(points)
        names = in_store(name for name, *_ in points)
        metrics = [mlflow.entities.Metric(names[name], value, time, step) for name, value, time, step in points]
        *before, last = [metrics[first : first + BATCH] for first in range(0, max(len(metrics), 1), BATCH)]
        for batch in before:
            self._client.log_batch(self._ids[identity], metrics=batch)
        if last or tags:
            self._client.log_batch(self._ids[identity], metrics=last, tags=_tags(_texts(tags)))

    def end(self, identity: str, ending: Ending) -> None:
        """Log the final scores, the tags and the files of a node, but no empty files, and end the node."""
        run_id = self._ids[identity]
        scores = [(name, value, ending.ended, 0) for name, value in ending.metrics.items()]
        self.log(identity, scores, {**ending.tags, **_changed(in_store(ending.metrics))})
        for path, place in {**ending.files, **dict.fromkeys(ending.drawings, "")}.items():
            if path.exists() and path.stat().st_size:
                self._client.log_artifact(run_id, str(path), place or None)
        self._client.set_terminated(run_id, ending.status.value, ending.ended)
        self._ended.add(identity)

    def interrupt(self, identity: str, time: int) -> None:
        """Show a node as killed until its command is run again."""
        self._client.set_tag(self._ids[identity], INTERRUPTED, "true")
        self._client.set_terminated(self._ids[identity], EntryStatus.KILLED.value, time)

    def refuses(self, error: Exception) -> bool:
        """Tell whether the store refused a call, so that trying again would not help."""
        return isinstance(error, mlflow.exceptions.MlflowException) and error.error_code in REFUSALS

    def _open(self, name: str, description: str, place: Path) -> str:
        """Return the id of the experiment, which is created if the store does not have it."""
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            is_remote = self.uri.startswith(("http", "databricks"))  # then the server decides where files are kept
            files = None if is_remote else (_files(self.uri, place) / name).as_uri()
            tags = {"mlflow.note.content": description, "mlflow.experimentKind": "custom_model_development"}
            with contextlib.suppress(mlflow.exceptions.MlflowException):  # another driver may create it at this moment
                return str(self._client.create_experiment(name, files, tags))
            experiment = self._client.get_experiment_by_name(name)
            assert experiment is not None
        if experiment.lifecycle_stage == "deleted":
            self._client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)

    def _search(self, query: str) -> list[Any]:
        """Return the runs that a query finds, the newest first."""
        runs: list[Any] = []
        token = None
        while token != "":
            page = self._client.search_runs([self._experiment], query, max_results=1000, page_token=token)
            runs += page
            token = page.token or ""
        return runs

    def _remember(self, runs: Iterable[Any]) -> None:
        """Remember nodes that the store has; of several with one identity the newest counts."""
        for run in runs:
            tags, status = run.data.tags, run.info.status
            if self._ids.setdefault(tags[IDENTITY], run.info.run_id) == run.info.run_id:
                self._known[tags[IDENTITY]] = run.data
                was_pruned = status == EntryStatus.KILLED and INTERRUPTED not in tags
                if PARENT in tags and (status == EntryStatus.FINISHED or was_pruned):
                    self._ended.add(tags[IDENTITY])

    def _continue(self, identity: str, tags: Mapping[str, str]) -> None:
        """Show a node as running again, without the tags of its earlier end."""
        self._client.update_run(self._ids[identity], status="RUNNING")
        self._client.log_batch(self._ids[identity], tags=_tags(tags))
        before = self._known[identity].tags if identity in self._known else {}
        for tag in {INTERRUPTED, ERROR} & before.keys():
            self._client.delete_tag(self._ids[identity], tag)
            del before[tag]

    def _describe(self, node: Node) -> None:
        """Log the parameters that the store does not have yet, and the data sets."""
        run_id = self._ids[node.identity]
        logged = self._known[node.identity].params if node.identity in self._known else ()
        names = in_store(node.parameters)
        missing: list[Any] = []
        for name, value in node.parameters.items():
            if names[name] not in logged:
                missing.append(mlflow.entities.Param(names[name], storable(str(value))[:LONGEST]))
        for first in range(0, len(missing), 100):
            self._client.log_batch(run_id, params=missing[first : first + 100])
        if node.data:
            self._client.log_inputs(run_id, [_dataset(data) for data in node.data])


def import_client() -> None:
    """Import MLflow, which takes seconds, at a moment when other processes are at work anyway."""
    _ = mlflow.MlflowClient


def experiments(uri: str) -> int:
    """Return how many experiments a store has; it raises MLflow's own exceptions."""
    return len(mlflow.MlflowClient(uri).search_experiments())


def sentence(error: Exception, *uris: str) -> str:
    """Return the message of an exception in one line, without the client's own words around it.

    Args:
        error: the exception.
        *uris: whose passwords are removed from the message.
    """
    lines = str(error).strip().splitlines() or [""]
    text = next((line for line in lines if DRIVERS.match(line)), lines[0])
    cause = re.search(r"Caused by \w+\((?:.*?: )?\"?(.*?)\"?\)+$", text)
    message = text_without_secrets(cause.group(1) if cause else text, *uris)[:200]
    if isinstance(error, OSError | TrainingError | mlflow.exceptions.MlflowException):
        return message
    return f"{type(error).__name__}: {message}"


def _changed(names: Mapping[str, str]) -> dict[str, str | None]:
    """Return the tag that lists the metrics which have other names in the store than in the study, a line each."""
    lines = [f"{safe}: {printable(name)}" for name, safe in names.items() if safe != name]
    return {NAMES: "\n".join(lines) or None}


def _texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as MLflow accepts them; those with the value None are left out."""
    texts: dict[str, str] = {}
    for name, value in tags.items():
        if value is not None:
            texts[name] = storable(str(value))[:LONGEST]
    return texts


def _tags(texts: Mapping[str, str]) -> list[Any]:
    return [mlflow.entities.RunTag(name, value) for name, value in texts.items()]


def _dataset(data: DataRecord) -> Any:
    """Return a data set as MLflow's input of a run."""
    digest = data.fingerprint.removeprefix("sha256:")[:36]  # as long as MLflow's column; the source has all of it
    source = json.dumps({"uri": data.source, "fingerprint": data.fingerprint})
    name = in_store([data.name])[data.name]
    dataset = mlflow.entities.Dataset(name, digest, data.kind, source, profile=json.dumps(dict(data.profile)))
    return mlflow.entities.DatasetInput(dataset, [mlflow.entities.InputTag("mlflow.data.context", "training")])


def _files(uri: str, place: Path) -> Path:
    """Return the directory for files beside a SQLite store, as MLflow's own server would choose it; else `place`."""
    database = uris.file(uri)
    return place if database is None else database.parent / "mlruns"
