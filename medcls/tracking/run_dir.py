"""The run directory, which is the truth about a run: its description, journal, checkpoint, predictions and result."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from medcls.tracking import record_shapes
from medcls.tracking.checkpoint_files import Arrays, CheckpointFiles, save_arrays
from medcls.tracking.journal import Journal
from medcls.tracking.run_records import CheckpointState, EpochRow, RunDescription, RunResult
from medcls.utils.files import read_json, remove_unfinished, write_atomically, write_json
from medcls.utils.records import DamagedError, is_shaped, read_arrays, read_record

HEAT = "heat"  # NAME.npz of the run's saliency maps
ENVIRONMENT, STUDY_FILE, UNCOMMITTED = "environment.json", "study.py", "uncommitted.diff"  # see run_origin.py
OWN_SUFFIXES = frozenset({".npz", ".png"})
OWN_NAMES = frozenset(
    {
        "run.json",
        ENVIRONMENT,
        STUDY_FILE,
        UNCOMMITTED,
        "result.json",
        "journal.jsonl",
        "doing.json",
        "borrowed.json",
        "model.keras",
        "head.weights.h5",
        "output.txt",
        "traceback.txt",
        "stop",
    }
)
"""The files that runs write into their directories; any other file belongs to somebody else and is left alone."""


def saved_weights(work: Path, digest: str) -> Path:
    """Return the file of the saved weights with a digest, with which runs of a work directory begin."""
    return work / "weights" / f"{digest}.weights.h5"


class RunDir:
    """The directory of one run. Any number of processes may read it; the one that trains holds `lock()`.

    Args:
        path: the directory, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal = Journal(path / "journal.jsonl")
        self._checkpoints = CheckpointFiles(path)

    @property
    def model(self) -> Path:
        """The file of the finished run's network, which need not exist."""
        return self.path / "model.keras"

    @property
    def checkpoint(self) -> Path:
        """The file of the training's whole state, which need not exist."""
        return self._checkpoints.latest

    @property
    def predictions(self) -> Path:
        """The file of the finished run's predictions, which need not exist."""
        return self.path / "predictions.npz"

    def saved_weights(self, digest: str) -> Path:
        """Return the file of the saved weights with a digest, which all runs of the work directory share."""
        return saved_weights(self.path.parent, digest)

    @property
    def cache(self) -> Path:
        """The directory of what is computed once for all runs of the work directory."""
        return self.path.parent / "cache"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the directory's lock; wait until another process releases it, which its death does too."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "lock"):
            remove_unfinished(self.path, of=lambda _: True)  # an earlier holder was killed while it wrote
            yield

    def tidy(self) -> None:
        """Remove the unfinished files of processes that were killed, in a directory where nobody trains again.

        The files of this process stay: one of its threads may be drawing the run's figures.
        """
        with contextlib.suppress(Timeout), FileLock(self.path / "lock", timeout=5.0):
            remove_unfinished(self.path, of=lambda process: process != os.getpid())

    def write_status(self, status: str) -> None:
        """Write what the run is doing before its first epoch, in a few words."""
        write_json(self.path / "doing.json", status)

    def read_status(self) -> str:
        """Return what the run is doing before its first epoch, "" where it has written nothing."""
        status = read_json(self.path / "doing.json")
        return status if isinstance(status, str) else ""

    def request_stop(self) -> None:
        """Ask the process that trains here to end after the current epoch."""
        (self.path / "stop").touch()

    def clear_stop(self) -> None:
        """Take an earlier command's request to stop back."""
        (self.path / "stop").unlink(missing_ok=True)

    def exit_if_stopped(self) -> None:
        """End this process if it was asked to stop; all that is worth keeping is in the checkpoint."""
        if (self.path / "stop").exists():
            raise SystemExit(0)

    def describe(self, description: RunDescription) -> None:
        """Write run.json."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", description.as_record())

    def description(self) -> RunDescription:
        """Return what run.json says of the run; the defaults where it is missing or damaged."""
        return RunDescription.from_record(self._description_record())

    def _description_record(self) -> dict[str, Any]:
        with contextlib.suppress(DamagedError):
            return read_record(self.path / "run.json", {}, record_shapes.DESCRIPTION) or {}
        return {}

    def mark_started(self) -> None:
        """Note in run.json when the run was first at work: it may have waited for long since it was described."""
        record = self._description_record()
        if record.get("started") is None:
            write_json(self.path / "run.json", {**record, "started": int(time.time() * 1000)})

    def append(self, row: EpochRow) -> None:
        """Append one epoch to the journal and flush it to disk."""
        self._journal.append(row)

    def rows(self) -> list[EpochRow]:
        """Return the journal's epochs, up to a line that is torn or damaged."""
        return self._journal.rows()

    def held_rows(self) -> list[EpochRow]:
        """Return the epochs that the checkpoint holds: no kill can take them back."""
        # The checkpoint is read first: a worker that resumes may truncate the journal and append to it meanwhile,
        # but it never truncates below the checkpoint.
        held = self.epochs_held()
        return self.rows()[:held]

    def history(self) -> dict[str, list[float]]:
        """Return the values of each metric over the epochs that the checkpoint holds."""
        rows = self.held_rows()
        history: dict[str, list[float]] = {}
        if rows:
            for name in rows[0].metrics:
                history[name] = [row.metrics[name] for row in rows]
        return history

    def truncate(self, epochs: int) -> None:
        """Drop the journal's rows after the first `epochs` epochs."""
        self._journal.replace(self.rows()[:epochs])

    def write_checkpoint(self, epochs: int, state: CheckpointState, arrays: Arrays) -> None:
        """Replace the checkpoint.

        Args:
            epochs: how many epochs are trained.
            state: what is no array.
            arrays: the variables by name.
        """
        self._checkpoints.write(epochs, state, arrays)

    def read_checkpoint(self, epochs: int | None = None) -> tuple[int, CheckpointState, Arrays]:
        """Return the number of epochs, the state and the arrays of a checkpoint, each compared with its checksum.

        Args:
            epochs: at which the checkpoint was kept, None for the latest.

        Raises:
            FileNotFoundError: there is no such checkpoint, or the journal of its epochs is damaged.
            DamagedError: the checkpoint is damaged.
        """
        held = self.epochs_held()
        path = self.checkpoint if epochs is None or epochs == held else self._checkpoints.kept(epochs)
        if held == 0 or (epochs is not None and epochs > held):
            raise FileNotFoundError(path)
        return self._checkpoints.read(path)

    def copy_checkpoint(self, rows: Sequence[EpochRow], epochs: int, state: CheckpointState, arrays: Arrays) -> None:
        """Begin with another run's epochs.

        Args:
            rows: the other run's journal, of at least `epochs` epochs.
            epochs: how many epochs its checkpoint holds.
            state: of its checkpoint.
            arrays: of its checkpoint.
        """
        self._journal.replace(rows[:epochs])
        self.write_checkpoint(epochs, state, arrays)

    def most_epochs(self, limit: int) -> int:
        """Return the largest number of epochs up to `limit` that a checkpoint of this run holds, 0 for none."""
        held = self.epochs_held()
        return held if held <= limit else self._checkpoints.most_kept(limit)

    def epochs_held(self) -> int:
        """Return how many epochs the checkpoint holds, without reading any weights.

        0 without a checkpoint, and where it or the journal of its epochs is damaged: then the run starts again.
        """
        try:
            epochs = self.epochs_saved()
        except (FileNotFoundError, DamagedError):
            return 0
        return epochs if len(self.rows()) >= epochs else 0

    def epochs_saved(self) -> int:
        """Return how many epochs the checkpoint says that it holds, whatever the journal says.

        Raises:
            FileNotFoundError: there is no checkpoint.
            DamagedError: it is damaged.
        """
        return self._checkpoints.epochs_saved()

    def stamp(self) -> object:
        """Return a value that changes whenever the checkpoint does, which is cheap to read; None without one."""
        return self._checkpoints.stamp()

    def finish(self, result: RunResult, predictions: Arrays) -> None:
        """Write the predictions and then the result: a run with a result has ended.

        Args:
            result: how the run ended.
            predictions: "predictions" and their "rows" of the data set; empty for none.
        """
        if predictions:
            self.write_arrays("predictions", predictions)
        write_json(self.path / "result.json", result.as_record())

    def result(self) -> RunResult | None:
        """Return the run's result, None while it has none or where result.json is damaged."""
        record = self._result_record()
        return None if record is None else RunResult.from_record(record)

    def finished_result(self) -> RunResult | None:
        """Return the result of a run that has finished; None for any other, and where result.json lacks something."""
        record = self._result_record()
        if record is None or not is_shaped(record, record_shapes.FINISHED_RESULT):
            return None
        result = RunResult.from_record(record)
        return result if result.is_finished else None

    def is_finished(self) -> bool:
        """Tell whether the run has finished and result.json says everything that a finished run's result says."""
        return self.finished_result() is not None

    def _result_record(self) -> dict[str, Any] | None:
        with contextlib.suppress(DamagedError):
            return read_record(self.path / "result.json", record_shapes.RESULT, record_shapes.RESULT_MAY_HOLD)
        return None

    def drop_result(self) -> None:
        """Remove the result but no epoch: the run is tried again."""
        (self.path / "result.json").unlink(missing_ok=True)

    def write_arrays(self, name: str, arrays: Arrays) -> None:
        """Write named arrays as NAME.npz."""
        write_atomically(self.path / f"{name}.npz", lambda file: save_arrays(file, arrays))

    def read_arrays(self, name: str, *only: str) -> Arrays | None:
        """Return the arrays of NAME.npz, or only some of them; None where the file or one of them is missing or bad."""
        try:
            return read_arrays(self.path / f"{name}.npz", *only)
        except (FileNotFoundError, DamagedError):
            return None

    def clear(self) -> None:
        """Remove all that runs write except the lock: the run starts again. Other files stay."""
        # In this order a kill in between leaves nothing that is half true.
        for name in ("result.json", "test.npz", "checkpoint.npz"):
            (self.path / name).unlink(missing_ok=True)
        if not self.path.is_dir():
            return
        for path in self.path.iterdir():
            is_hidden = path.name.startswith(".")
            is_own = path.name in OWN_NAMES or (path.suffix in OWN_SUFFIXES and not is_hidden)
            if is_own and not path.is_dir():
                path.unlink(missing_ok=True)
