"""One experiment of an MLflow store: what is written to it, found again, taken up again. It knows no waiting."""

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

BATCH = 900  # metrics in one request; MLflow takes 1,000
LONGEST = 5000  # characters of a value; MLflow takes 6,000 of a parameter and 8,000 of a tag
NAME = 250  # characters of a run's name; a database takes no more
IDENTITY, INTERRUPTED, PARENT = "medcls.node", "medcls.interrupted", "mlflow.parentRunId"
ERROR = "medcls.error"
NAMES = "medcls.names"  # the tag that says which names MLflow did not take as they are
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"})

DRIVERS = re.compile(r"\(\w+(\.\w+)+\) ")  # before what a database says, as in "(sqlite3.OperationalError) disk full"
LOGGERS = ("alembic", "mlflow.store", "sqlalchemy")  # they print tracebacks of what is raised, too

Point = tuple[str, float, int, int]
"""One value of a metric: name, value, milliseconds since 1970, epoch."""


class Store:
    """One experiment. Only the opening explains its errors; what the other calls raise is MLflow's own.

    Args:
        uri: where the store is.
        experiment: its name there.
        description: shown above it.
        place: the folder for the files of an experiment that neither a server looks after nor a SQLite file lies by.

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
        """Say in one sentence what goes wrong with the store meanwhile.

        Raises:
            BadInputError: anything does.
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
        """Learn what the store has of a study that was begun at this time, and of all below it.

        One of the same identity that was begun at another time is another making, from another work folder.
        """
        self._learn(self._search(f"tags.`{IDENTITY}` = '{identity}' and attributes.start_time = {started}"))
        if identity in self._ids:
            below = self._search(f"tags.`{IDENTITY}` LIKE '{identity}/%'")
            while mine := [run for run in below if run.data.tags.get(PARENT) in self._ids.values()]:
                self._learn(mine)
                below = [run for run in below if run not in mine]

    def check_there(self) -> None:
        """Check that a SQLite store is still the file that was opened: what is written into a removed one is lost.

        Raises:
            FileNotFoundError: it was removed, or another took its place.
        """
        if sqlite_tables.identity(self.uri) != self._file:
            raise FileNotFoundError(f"its file {uris.file(self.uri)} was removed or replaced")

    def has_ended(self, identity: str) -> bool:
        """Tell whether the store shows the node as ended for good: not a study, not failed, not interrupted."""
        return identity in self._ended

    def forget(self, identity: str) -> None:
        """Leave what the store has of a node as it is: the node is made anew beside it."""
        self._ids.pop(identity, None)
        self._known.pop(identity, None)
        self._ended.discard(identity)

    def run_id(self, identity: str) -> str | None:
        """Return the store's own id of a node, None while it is not there."""
        return self._ids.get(identity)

    def create(self, node: Node, started: int) -> None:
        """Make a node, or take up the one that is there: what it lacks is added, its start stays."""
        tags = {**_texts(node.tags), IDENTITY: node.identity}
        if node.parent in self._ids:
            tags[PARENT] = self._ids[node.parent]
        if self._doubtful == node.identity:  # the store may have made it without our having heard
            place = f"tags.`{PARENT}` = '{tags[PARENT]}'" if PARENT in tags else f"attributes.start_time = {started}"
            self._learn(self._search(f"tags.`{IDENTITY}` = '{node.identity}' and {place}"))
        if node.identity in self._ids:
            self._take_up(node.identity, tags)
        else:
            self._doubtful = node.identity
            made = self._client.create_run(self._experiment, started, tags, printable(node.name)[:NAME])
            self._doubtful = None
            self._ids[node.identity] = made.info.run_id
        self._describe(node)

    def log(self, identity: str, points: Iterable[Point], tags: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Add values of metrics; those that are there already stay single. With the last of them come the tags.

        A metric's name depends on those that it comes with: what one node has alike at every epoch comes together.
        """
        points = list(points)
        names = in_store(name for name, *_ in points)
        metrics = [mlflow.entities.Metric(names[name], value, time, step) for name, value, time, step in points]
        *before, last = [metrics[first : first + BATCH] for first in range(0, max(len(metrics), 1), BATCH)]
        for some in before:
            self._client.log_batch(self._ids[identity], metrics=some)
        if last or tags:
            self._client.log_batch(self._ids[identity], metrics=last, tags=_tags(_texts(tags)))

    def end(self, identity: str, ending: Ending) -> None:
        """Add a node's final scores, tags and those of its files that hold something, and end it."""
        run_id = self._ids[identity]
        scores = [(name, value, ending.ended, 0) for name, value in ending.metrics.items()]
        self.log(identity, scores, {**ending.tags, **_changed(in_store(ending.metrics))})
        for path, place in {**ending.files, **dict.fromkeys(ending.drawings, "")}.items():
            if path.exists() and path.stat().st_size:
                self._client.log_artifact(run_id, str(path), place or None)
        self._client.set_terminated(run_id, ending.status.value, ending.ended)
        self._ended.add(identity)

    def interrupt(self, identity: str, time: int) -> None:
        """Show a node as killed for now; it is taken up again when its command is."""
        self._client.set_tag(self._ids[identity], INTERRUPTED, "true")
        self._client.set_terminated(self._ids[identity], EntryStatus.KILLED.value, time)

    def refuses(self, error: Exception) -> bool:
        """Tell whether an error of another call was the store's refusal: to try again would not help."""
        return isinstance(error, mlflow.exceptions.MlflowException) and error.error_code in REFUSALS

    def _open(self, name: str, description: str, place: Path) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            remote = self.uri.startswith(("http", "databricks"))  # then the server says where files lie
            files = None if remote else (_files(self.uri, place) / name).as_uri()
            tags = {"mlflow.note.content": description, "mlflow.experimentKind": "custom_model_development"}
            with contextlib.suppress(mlflow.exceptions.MlflowException):  # another driver may make it at this moment
                return str(self._client.create_experiment(name, files, tags))
            found = self._client.get_experiment_by_name(name)
            assert found is not None
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _search(self, query: str) -> list[Any]:
        """Return the runs that a query finds, the newest first."""
        found: list[Any] = []
        token = None
        while token != "":
            page = self._client.search_runs([self._experiment], query, max_results=1000, page_token=token)
            found += page
            token = page.token or ""
        return found

    def _learn(self, runs: Iterable[Any]) -> None:
        for run in runs:
            tags, status = run.data.tags, run.info.status
            if self._ids.setdefault(tags[IDENTITY], run.info.run_id) == run.info.run_id:
                self._known[tags[IDENTITY]] = run.data
                if PARENT in tags and (
                    status == EntryStatus.FINISHED or (status == EntryStatus.KILLED and INTERRUPTED not in tags)
                ):
                    self._ended.add(tags[IDENTITY])

    def _take_up(self, identity: str, tags: Mapping[str, str]) -> None:
        self._client.update_run(self._ids[identity], status="RUNNING")
        self._client.log_batch(self._ids[identity], tags=_tags(tags))
        before = self._known[identity].tags if identity in self._known else {}
        for tag in {INTERRUPTED, ERROR} & before.keys():
            self._client.delete_tag(self._ids[identity], tag)
            del before[tag]

    def _describe(self, node: Node) -> None:
        run_id = self._ids[node.identity]
        known = self._known[node.identity].params if node.identity in self._known else ()
        names = in_store(node.parameters)
        named = {names[name]: storable(str(value))[:LONGEST] for name, value in node.parameters.items()}
        missing = [mlflow.entities.Param(name, value) for name, value in named.items() if name not in known]
        for first in range(0, len(missing), 100):
            self._client.log_batch(run_id, params=missing[first : first + 100])
        if node.data:
            self._client.log_inputs(run_id, [_dataset(each) for each in node.data])


def import_client() -> None:
    """Import MLflow now, which takes seconds, while other processes are at work anyway."""
    _ = mlflow.MlflowClient


def experiments(uri: str) -> int:
    """Return how many experiments a store has; what it raises is MLflow's own."""
    return len(mlflow.MlflowClient(uri).search_experiments())


def sentence(error: Exception, *uris: str) -> str:
    """Return what an error says in one line, without the client's own words around it and the secrets of its URIs."""
    lines = str(error).strip().splitlines() or [""]
    text = next((line for line in lines if DRIVERS.match(line)), lines[0])
    cause = re.search(r"Caused by \w+\((?:.*?: )?\"?(.*?)\"?\)+$", text)
    known = isinstance(error, OSError | TrainingError | mlflow.exceptions.MlflowException)
    said = text_without_secrets(cause.group(1) if cause else text, *uris)
    return ("" if known else f"{type(error).__name__}: ") + said[:200]


def _changed(names: Mapping[str, str]) -> dict[str, str | None]:
    """Return the tag that says which metrics have other names in the store than in the study, a line each."""
    lines = [f"{safe}: {printable(name)}" for name, safe in names.items() if safe != name]
    return {NAMES: "\n".join(lines) or None}


def _texts(tags: Mapping[str, Any]) -> dict[str, str]:
    return {name: storable(str(value))[:LONGEST] for name, value in tags.items() if value is not None}


def _tags(texts: Mapping[str, str]) -> list[Any]:
    return [mlflow.entities.RunTag(name, value) for name, value in texts.items()]


def _dataset(data: DataRecord) -> Any:
    digest = data.fingerprint.removeprefix("sha256:")[:36]  # as long as MLflow's column; the source has it whole
    source = json.dumps({"uri": data.source, "fingerprint": data.fingerprint})
    name = in_store([data.name])[data.name]
    made = mlflow.entities.Dataset(name, digest, data.kind, source, profile=json.dumps(dict(data.profile)))
    return mlflow.entities.DatasetInput(made, [mlflow.entities.InputTag("mlflow.data.context", "training")])


def _files(uri: str, place: Path) -> Path:
    """Return the folder for files beside a SQLite store, as MLflow's own server would choose it; else `place`."""
    database = uris.file(uri)
    return place if database is None else database.parent / "mlruns"
