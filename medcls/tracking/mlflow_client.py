"""One experiment of an MLflow store: creates its entries, finds them again, and logs to them without ever waiting."""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.tracking import saved_views, sqlite_tables
from medcls.tracking.entries import FIRST, Ending, Entry, EntryStatus
from medcls.tracking.logged_images import log_images
from medcls.tracking.mlflow_values import LONGEST, changed, dataset, files, run_tags, texts
from medcls.tracking.saved_views import Views
from medcls.tracking.store_errors import sentence
from medcls.utils import store_uris as uris
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import mlflow
from medcls.utils.naming import in_store
from medcls.utils.redaction import without_secrets
from medcls.utils.texts import printable, storable

BATCH = 900  # metrics in one request; MLflow accepts 1,000
NAME = 250  # characters of a run's name; a database accepts no more
ENTRY, INTERRUPTED = "medcls.node", "medcls.interrupted"
PARENT, NAME_TAG = "mlflow.parentRunId", "mlflow.runName"
ERROR = "medcls.error"

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
        self._view = ""
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
        """Where the runs are in MLflow's user interface, in the view to open first, behind the server's address."""
        return saved_views.page(self._experiment, self._view)

    def find(self, entry_id: str, started: int) -> None:
        """Read the entry of a study from the store, and all entries below it.

        An entry with another start comes from another work directory, and is left alone.

        Args:
            entry_id: of the study's entry.
            started: when the study was started, in milliseconds since 1970.
        """
        self._remember(self._search(f"tags.`{ENTRY}` = '{entry_id}' and attributes.start_time = {started}"))
        if entry_id in self._ids:
            below = self._search(f"tags.`{ENTRY}` LIKE '{entry_id}/%'")
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

    def has_ended(self, entry_id: str) -> bool:
        """Tell whether an entry has ended for good in the store: it is no study, and neither failed nor interrupted."""
        return entry_id in self._ended

    def forget(self, entry_id: str) -> None:
        """Leave an entry in the store as it is, so that a new one is created beside it."""
        self._ids.pop(entry_id, None)
        self._known.pop(entry_id, None)
        self._ended.discard(entry_id)

    def run_id(self, entry_id: str) -> str | None:
        """Return MLflow's own id of an entry, None while the store does not have the entry."""
        return self._ids.get(entry_id)

    def create(self, entry: Entry, started: int) -> None:
        """Create an entry, or continue the one that the store has: what it lacks is added, its start stays.

        Args:
            entry: what is created.
            started: in milliseconds since 1970.
        """
        tags = {**texts(entry.tags), ENTRY: entry.id}
        if entry.parent in self._ids:
            tags[PARENT] = self._ids[entry.parent]
        if entry.folder is not None and entry.id not in self._ids:
            tags[FIRST] = "1"
        if self._doubtful == entry.id:  # the store may have created it although its answer was lost
            where = f"tags.`{PARENT}` = '{tags[PARENT]}'" if PARENT in tags else f"attributes.start_time = {started}"
            self._remember(self._search(f"tags.`{ENTRY}` = '{entry.id}' and {where}"))
        if entry.id in self._ids:
            self._continue(entry.id, tags)
        else:
            self._doubtful = entry.id
            run = self._client.create_run(self._experiment, started, tags, printable(entry.name)[:NAME])
            self._doubtful = None
            self._ids[entry.id] = run.info.run_id
        self._describe(entry)

    def first_epoch(self, entry_id: str) -> int:
        """Return the step of an entry's first epoch: 1, but 0 where an older version has begun to log the epochs."""
        known = self._known.get(entry_id)
        return 1 if known is None or FIRST in known.tags else 0

    def complete(self, entry: Entry) -> None:
        """Give an entry that has ended the tags that it lacks, and move it below its parent."""
        known = self._known.get(entry.id)
        if known is None:
            return
        missing: dict[str, str] = {}
        for name, value in texts(entry.tags).items():
            if name not in known.tags:
                missing[name] = value
        self.amend(entry.id, missing, entry.parent)

    def amend(self, entry_id: str, tags: Mapping[str, Any], parent: str | None = None, name: str | None = None) -> None:
        """Change an entry, which may have ended; nothing is sent where the store has it so already.

        Args:
            entry_id: of the entry.
            tags: by name; None removes the tag.
            parent: the id of the entry above; None leaves it where it is.
            name: that the run table shows; None leaves it as it is.
        """
        run_id = self._ids.get(entry_id)
        if run_id is None:
            return
        before = self._known[entry_id].tags if entry_id in self._known else {}
        wanted = texts(tags)
        if parent in self._ids:
            wanted[PARENT] = self._ids[parent]
        new = {tag: value for tag, value in wanted.items() if before.get(tag) != value}
        if name is not None and before.get(NAME_TAG) != printable(name)[:NAME]:
            self._client.update_run(run_id, name=printable(name)[:NAME])
            before[NAME_TAG] = printable(name)[:NAME]
        if new:
            self._client.log_batch(run_id, tags=run_tags(new))
            before.update(new)
        for tag, value in tags.items():
            if value is None and tag in before:
                self._client.delete_tag(run_id, tag)
                del before[tag]

    def save_views(self, views: Views) -> None:
        """Write the saved views of an outcome, and links to them into the experiment's description."""
        saved_views.save(self._client, self._experiment, views)
        self._view = views.key(views.views[0])

    def log(self, entry_id: str, points: Iterable[Point], tags: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Log values of metrics; the store drops values that it has already. The tags come with the last request.

        The name of a metric in the store depends on the names that are logged with it, so all metrics that an entry has
        at an epoch must be logged together.

        Args:
            entry_id: of the entry.
            points: the values.
            tags: None as a value leaves the tag out.
        """
        points = list(points)
        names = in_store(name for name, *_ in points)
        metrics = [mlflow.entities.Metric(names[name], value, time, step) for name, value, time, step in points]
        *before, last = [metrics[first : first + BATCH] for first in range(0, max(len(metrics), 1), BATCH)]
        for batch in before:
            self._client.log_batch(self._ids[entry_id], metrics=batch)
        if last or tags:
            self._client.log_batch(self._ids[entry_id], metrics=last, tags=run_tags(texts(tags)))

    def end(self, entry_id: str, ending: Ending) -> None:
        """Log the final scores, the tags and the files of an entry, but no empty files, and end the entry."""
        run_id = self._ids[entry_id]
        scores = [(name, value, ending.ended, 0) for name, value in ending.metrics.items()]
        self.log(entry_id, scores, {**ending.tags, **changed(in_store(ending.metrics))})
        for name, values in ending.curves.items():
            self.log(entry_id, [(name, value, ending.ended, epoch) for epoch, value in enumerate(values, start=1)])
        for path, place in {**ending.files, **dict.fromkeys(ending.drawings, "")}.items():
            if path.exists() and path.stat().st_size:
                self._client.log_artifact(run_id, str(path), place or None)
        log_images(self._client, run_id, ending.images, ending.ended)
        self._client.set_terminated(run_id, ending.status.value, ending.ended)
        self._ended.add(entry_id)

    def interrupt(self, entry_id: str, time: int) -> None:
        """Show an entry as killed until its command is run again."""
        self._client.set_tag(self._ids[entry_id], INTERRUPTED, "true")
        self._client.set_terminated(self._ids[entry_id], EntryStatus.KILLED.value, time)

    def _open(self, name: str, description: str, place: Path) -> str:
        """Return the id of the experiment, which is created if the store does not have it."""
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            is_remote = self.uri.startswith(("http", "databricks"))  # then the server decides where files are kept
            location = None if is_remote else (files(self.uri, place) / name).as_uri()
            tags = {"mlflow.note.content": description, "mlflow.experimentKind": "custom_model_development"}
            with contextlib.suppress(mlflow.exceptions.MlflowException):  # another driver may create it at this moment
                return str(self._client.create_experiment(name, location, tags))
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
        """Remember entries that the store has; of several with one id the newest counts."""
        for run in runs:
            tags, status = run.data.tags, run.info.status
            if self._ids.setdefault(tags[ENTRY], run.info.run_id) == run.info.run_id:
                self._known[tags[ENTRY]] = run.data
                was_pruned = status == EntryStatus.KILLED and INTERRUPTED not in tags
                if PARENT in tags and (status == EntryStatus.FINISHED or was_pruned):
                    self._ended.add(tags[ENTRY])

    def _continue(self, entry_id: str, tags: Mapping[str, str]) -> None:
        """Show an entry as running again, without the tags of its earlier end."""
        self._client.update_run(self._ids[entry_id], status="RUNNING")
        self._client.log_batch(self._ids[entry_id], tags=run_tags(tags))
        before = self._known[entry_id].tags if entry_id in self._known else {}
        for tag in {INTERRUPTED, ERROR} & before.keys():
            self._client.delete_tag(self._ids[entry_id], tag)
            del before[tag]

    def _describe(self, entry: Entry) -> None:
        """Log the parameters that the store does not have yet, and the data sets."""
        run_id = self._ids[entry.id]
        logged = self._known[entry.id].params if entry.id in self._known else ()
        names = in_store(entry.parameters)
        missing: list[Any] = []
        for name, value in entry.parameters.items():
            if names[name] not in logged:
                missing.append(mlflow.entities.Param(names[name], storable(str(value))[:LONGEST]))
        for first in range(0, len(missing), 100):
            self._client.log_batch(run_id, params=missing[first : first + 100])
        if entry.data:
            self._client.log_inputs(run_id, [dataset(data) for data in entry.data])


def import_client() -> None:
    """Import MLflow, which takes seconds, at a moment when other processes are at work anyway."""
    _ = mlflow.MlflowClient


def experiments(uri: str) -> int:
    """Return how many experiments a store has; it raises MLflow's own exceptions."""
    return len(mlflow.MlflowClient(uri).search_experiments())
