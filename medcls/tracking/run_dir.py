"""The run folder, which is the truth about a run: its description, a journal of epochs, a checkpoint, the result."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from medcls.tracking import record_shapes
from medcls.utils.files import read_json, remove_unfinished, write_atomically, write_json
from medcls.utils.records import DamagedError, is_shaped, read_arrays, read_record

Arrays = dict[str, NDArray[Any]]

HEAT = "heat"  # the arrays of where the run's network looks
KEPT = 10  # every tenth epoch's checkpoint stays, so that shorter runs can begin there
LARGEST_KEPT = 50_000_000  # bytes
OWN_SUFFIXES = frozenset({".npz", ".png"})
OWN_NAMES = frozenset(
    {
        "run.json",
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
"""What runs write into their folders; whatever else lies there is somebody's and is left alone."""


def saved_weights(work: Path, digest: str) -> Path:
    """Return the file of saved weights with a digest, from which runs in a work folder begin."""
    return work / "weights" / f"{digest}.weights.h5"


class RunDir:
    """One run's folder. Any number of processes may read it; the one that trains holds `lock()`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def model(self) -> Path:
        """The file of the finished run's network, which need not be there."""
        return self.path / "model.keras"

    @property
    def checkpoint(self) -> Path:
        """The file of all state of the training, which need not be there."""
        return self.path / "checkpoint.npz"

    @property
    def predictions(self) -> Path:
        """The file of the finished run's predictions, which need not be there."""
        return self.path / "predictions.npz"

    def saved_weights(self, digest: str) -> Path:
        """Return the file of the saved weights with a digest, which the runs of a work folder share."""
        return saved_weights(self.path.parent, digest)

    @property
    def cache(self) -> Path:
        """The folder of what the runs of a work folder compute once for all."""
        return self.path.parent / "cache"

    def tell(self, what: str) -> None:
        """Say what the run is doing before its first epoch."""
        write_json(self.path / "doing.json", what)

    def told(self) -> str:
        """Return what the run says that it is doing, "" where it says nothing."""
        told = read_json(self.path / "doing.json")
        return told if isinstance(told, str) else ""

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder's lock, waiting for another holder to let go; a holder's death lets go."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "lock"):
            remove_unfinished(self.path, of=lambda _: True)  # a holder before was killed while it wrote
            yield

    def tidy(self) -> None:
        """Remove what processes that were killed while they wrote have left behind, where nobody will train again.

        What this process writes stays: a thread of it may be drawing the run's figures.
        """
        with contextlib.suppress(Timeout), FileLock(self.path / "lock", timeout=5.0):
            remove_unfinished(self.path, of=lambda process: process != os.getpid())

    def describe(self, record: Mapping[str, Any]) -> None:
        """Write what the run is: its parameters, key, code, threads."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", record)

    def description(self) -> dict[str, Any]:
        """Return what `describe` wrote, empty where nothing is or it is damaged."""
        with contextlib.suppress(DamagedError):
            return read_record(self.path / "run.json", {}, record_shapes.DESCRIPTION) or {}
        return {}

    def begin(self) -> None:
        """Note in the description when the run was first at work: it may have waited long since it was described."""
        if self.started() is None:
            self.describe({**self.description(), "started": int(time.time() * 1000)})

    def started(self) -> int | None:
        """Return when the run was first at work, in milliseconds since 1970, None before that."""
        value: int | None = self.description().get("started")
        return value

    def wind_down(self) -> None:
        """Ask whoever trains here to end after the epoch that is under way."""
        (self.path / "stop").touch()

    def go_on(self) -> None:
        """Ask for the opposite: an earlier command's wish is none of the next one's."""
        (self.path / "stop").unlink(missing_ok=True)

    def heed(self) -> None:
        """End this process if it was asked for; what its checkpoint holds is all that there is to keep."""
        if (self.path / "stop").exists():
            raise SystemExit(0)

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one epoch to the journal and flush it to disk."""
        with (self.path / "journal.jsonl").open("a") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> list[dict[str, Any]]:
        """Return the journal's epochs, one a line, up to a line that is torn or damaged."""
        path = self.path / "journal.jsonl"
        try:
            return record_shapes.rows_of(path.read_bytes().splitlines(keepends=True)) if path.is_file() else []
        except FileNotFoundError:
            return []

    def held_rows(self) -> list[dict[str, Any]]:
        """Return the epochs that the checkpoint holds: those that no kill can take back."""
        held = self.epochs_held()  # first: a worker that goes on may cut and add rows meanwhile, but not below this
        return self.rows()[:held]

    def stamp(self) -> object:
        """Return a value that differs when the held epochs do; cheap to ask for."""
        try:
            state = (self.checkpoint).stat()
        except FileNotFoundError:
            return None
        return state.st_mtime_ns, state.st_ino, state.st_size

    def history(self) -> dict[str, list[float]]:
        """Return the held epochs as lists by metric name."""
        rows = self.held_rows()
        names = rows[0]["metrics"] if rows else ()
        return {name: [row["metrics"][name] for row in rows] for name in names}

    def cut(self, epochs: int) -> None:
        """Drop what the journal says beyond the first `epochs` epochs."""
        self._write_rows(self.rows()[:epochs])

    def _write_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_atomically(self.path / "journal.jsonl", lambda file: file.write(text.encode()))

    def write_checkpoint(self, epochs: int, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Replace the checkpoint: the number of epochs trained, a JSON state, and named arrays."""
        meta = np.frombuffer(json.dumps({"epochs": epochs, "state": state}).encode(), np.uint8)
        write_atomically(self.checkpoint, lambda file: _savez(file, {"meta": meta, **arrays}))
        if epochs % KEPT == 0 and (self.checkpoint).stat().st_size <= LARGEST_KEPT:
            self._keep(epochs)

    def read_checkpoint(self, epochs: int | None = None) -> tuple[int, dict[str, Any], Arrays]:
        """Return epochs, state and arrays of the checkpoint, or of the one kept at an earlier number of epochs.

        Every array is compared with its checksum.

        Raises:
            FileNotFoundError: there is none, or none that can be gone on from.
            DamagedError: it is damaged.
        """
        held = self.epochs_held()
        path = self.path / f"{'checkpoint' if epochs in (None, held) else _kept(epochs or 0)}.npz"
        if not held or (epochs or 0) > held:
            raise FileNotFoundError(path)
        arrays = read_arrays(path)
        if "meta" not in arrays:
            raise DamagedError(path, "no checkpoint")
        return *record_shapes.meta_of(path, arrays.pop("meta")), arrays

    def most_epochs(self, limit: int) -> int:
        """Return the largest number of epochs up to `limit` whose checkpoint is there, 0 for none."""
        held = self.epochs_held()
        if held <= limit:
            return held
        kept = sorted((int(path.stem.partition("-")[2]) for path in self.path.glob("checkpoint-*.npz")), reverse=True)
        whole = (epochs for epochs in kept if epochs <= min(limit, held) and self._read(_kept(epochs), "meta"))
        return next(whole, 0)

    def _keep(self, epochs: int) -> None:
        """Keep the checkpoint beside the next ones: writing replaces the file and leaves what is linked to it."""
        kept = self.path / f"{_kept(epochs)}.npz"
        kept.unlink(missing_ok=True)
        try:
            kept.hardlink_to(self.checkpoint)
        except OSError:  # a file system without links
            shutil.copyfile(self.checkpoint, kept)

    def epochs_held(self) -> int:
        """Return how many epochs the checkpoint holds, reading no weights.

        0 without one, and where it or the journal of these epochs is damaged: then the run starts anew.
        """
        try:
            epochs = self.epochs_saved()
        except (FileNotFoundError, DamagedError):
            return 0
        return epochs if len(self.rows()) >= epochs else 0

    def epochs_saved(self) -> int:
        """Return how many epochs the checkpoint says that it holds.

        Raises:
            FileNotFoundError: there is none.
            DamagedError: it is damaged.
        """
        path = self.checkpoint
        return record_shapes.meta_of(path, read_arrays(path, "meta")["meta"])[0]

    def finish(self, result: Mapping[str, Any], predictions: Arrays) -> None:
        """Write the predictions and then the result: a run with a result is over."""
        if predictions:
            self.write_arrays("predictions", predictions)
        write_json(self.path / "result.json", result)

    def result(self) -> dict[str, Any] | None:
        """Return the run's result, None while it has none or where it is damaged."""
        with contextlib.suppress(DamagedError):
            return read_record(self.path / "result.json", record_shapes.RESULT, record_shapes.RESULT_MAY_HOLD)
        return None

    def is_finished(self) -> bool:
        """Tell whether the run has finished, with all that the result of such a run says."""
        result = self.result()
        return (
            result is not None and result["status"] == "finished" and is_shaped(result, record_shapes.FINISHED_RESULT)
        )

    def write_arrays(self, name: str, arrays: Arrays) -> None:
        """Write named arrays as NAME.npz."""
        write_atomically(self.path / f"{name}.npz", lambda file: _savez(file, arrays))

    def read_arrays(self, name: str, *only: str) -> Arrays | None:
        """Return the arrays of NAME.npz, or `only` some; None where there is none, one is missing or it is damaged."""
        return self._read(name, *only)

    def _read(self, name: str, *only: str) -> Arrays | None:
        try:
            return read_arrays(self.path / f"{name}.npz", *only)
        except (FileNotFoundError, DamagedError):
            return None

    def clear(self) -> None:
        """Forget all that runs write but the lock: the run starts anew. What else lies there stays."""
        for name in ("result.json", "test.npz", "checkpoint.npz"):  # in this order a kill leaves nothing half true
            (self.path / name).unlink(missing_ok=True)
        for path in self.path.iterdir() if self.path.is_dir() else ():
            own = path.name in OWN_NAMES or (path.suffix in OWN_SUFFIXES and not path.name.startswith("."))
            if own and not path.is_dir():
                path.unlink(missing_ok=True)

    def adopt(self, rows: Sequence[Mapping[str, Any]], epochs: int, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Start from what another run has journalled and what its `read_checkpoint` returned."""
        self._write_rows(rows[:epochs])
        self.write_checkpoint(epochs, state, arrays)

    def drop_result(self) -> None:
        """Forget how the run ended, not what it has trained: it is tried again."""
        (self.path / "result.json").unlink(missing_ok=True)


def _kept(epochs: int) -> str:
    return f"checkpoint-{epochs:06d}"


def _savez(file: Any, arrays: Arrays) -> None:
    np.savez(file, **arrays)  # type: ignore[arg-type]
