"""The run folder, which is the truth about a run: its description, a journal of epochs, a checkpoint, the result."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from medcls.files import read_json, write_atomically, write_json

Arrays = dict[str, NDArray[Any]]


class RunFolder:
    """One run's folder. Any number of processes may read it; the one that trains holds `lock()`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder's lock, waiting for another holder to let go; a holder's death lets go."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "lock"):
            yield

    def describe(self, record: Mapping[str, Any]) -> None:
        """Write what the run is: its parameters, key, code, threads."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", record)

    def description(self) -> dict[str, Any]:
        """Return what `describe` wrote, empty where nothing is."""
        return read_json(self.path / "run.json") or {}

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one epoch to the journal and flush it to disk."""
        with (self.path / "journal.jsonl").open("a") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> list[dict[str, Any]]:
        """Return the journal's epochs, one a line, without a torn last line."""
        try:
            text = (self.path / "journal.jsonl").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def held_rows(self) -> list[dict[str, Any]]:
        """Return the epochs that the checkpoint holds: those that no kill can take back."""
        return self.rows()[: self.epochs_held()]

    def history(self) -> dict[str, list[float]]:
        """Return the held epochs as lists by metric name."""
        rows = self.held_rows()
        names = rows[0]["metrics"] if rows else ()
        return {name: [row["metrics"][name] for row in rows] for name in names}

    def cut(self, epochs: int) -> None:
        """Drop what the journal says beyond the first `epochs` epochs."""
        rows = self.rows()[:epochs]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_atomically(self.path / "journal.jsonl", lambda file: file.write(text.encode()))

    def write_checkpoint(self, epochs: int, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Replace the checkpoint: the number of epochs trained, a JSON state, and named arrays."""
        meta = np.frombuffer(json.dumps({"epochs": epochs, "state": state}).encode(), np.uint8)
        write_atomically(self.path / "checkpoint.npz", lambda file: _savez(file, {"meta": meta, **arrays}))

    def read_checkpoint(self) -> tuple[int, dict[str, Any], Arrays]:
        """Return epochs, state and arrays of the checkpoint.

        Raises:
            FileNotFoundError: there is none.
        """
        with np.load(self.path / "checkpoint.npz") as saved:
            meta = json.loads(saved["meta"].tobytes())
            return (
                meta["epochs"],
                meta["state"],
                {name: saved[name] for name in saved.files if name != "meta"},
            )

    def epochs_held(self) -> int:
        """Return how many epochs the checkpoint holds (0 without one), reading no weights."""
        try:
            with np.load(self.path / "checkpoint.npz") as saved:
                return int(json.loads(saved["meta"].tobytes())["epochs"])
        except FileNotFoundError:
            return 0

    def finish(self, result: Mapping[str, Any], predictions: Arrays) -> None:
        """Write the predictions and then the result: a run with a result is over."""
        if predictions:
            self.write_arrays("predictions", predictions)
        write_json(self.path / "result.json", result)

    def result(self) -> dict[str, Any] | None:
        """Return the run's result, None while it has none."""
        value: dict[str, Any] | None = read_json(self.path / "result.json")
        return value

    def write_arrays(self, name: str, arrays: Arrays) -> None:
        """Write named arrays as NAME.npz."""
        write_atomically(self.path / f"{name}.npz", lambda file: _savez(file, arrays))

    def read_arrays(self, name: str) -> Arrays | None:
        """Return the arrays of NAME.npz, None where there is none."""
        try:
            with np.load(self.path / f"{name}.npz") as saved:
                return dict(saved)
        except FileNotFoundError:
            return None

    def clear(self) -> None:
        """Forget everything but the lock: the run starts anew."""
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.name != "lock":
                path.unlink()

    def adopt(self, donor: "RunFolder") -> int:
        """Start from another run's checkpoint and journal; return the number of epochs taken over."""
        epochs, state, arrays = donor.read_checkpoint()
        text = "".join(json.dumps(row) + "\n" for row in donor.rows()[:epochs])
        write_atomically(self.path / "journal.jsonl", lambda file: file.write(text.encode()))
        self.write_checkpoint(epochs, state, arrays)
        return epochs

    def drop_result(self) -> None:
        """Forget how the run ended, not what it has trained: it is tried again."""
        (self.path / "result.json").unlink(missing_ok=True)


def _savez(file: Any, arrays: Arrays) -> None:
    np.savez(file, **arrays)  # type: ignore[arg-type]
