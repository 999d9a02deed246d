"""The checkpoint files of a run: the latest one, and every tenth one, so that shorter runs can begin there."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from medcls.tracking import record_shapes
from medcls.tracking.run_records import CheckpointState
from medcls.utils.files import write_atomically
from medcls.utils.records import DamagedError, read_arrays

Arrays = dict[str, NDArray[Any]]

KEPT_EVERY = 10  # every tenth epoch's checkpoint is kept
LARGEST_KEPT = 50_000_000  # bytes


class CheckpointFiles:
    """The files checkpoint.npz and checkpoint-EPOCHS.npz of a run directory.

    Args:
        directory: the run directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.latest = directory / "checkpoint.npz"

    def write(self, epochs: int, state: CheckpointState, arrays: Arrays) -> None:
        """Replace the latest checkpoint.

        Args:
            epochs: how many epochs are trained.
            state: what is no array.
            arrays: the variables by name.
        """
        meta = np.frombuffer(json.dumps({"epochs": epochs, "state": asdict(state)}).encode(), np.uint8)
        write_atomically(self.latest, lambda file: save_arrays(file, {"meta": meta, **arrays}))
        if epochs % KEPT_EVERY == 0 and self.latest.stat().st_size <= LARGEST_KEPT:
            self._keep(epochs)

    def read(self, path: Path) -> tuple[int, CheckpointState, Arrays]:
        """Return the number of epochs, the state and the arrays of a checkpoint, each compared with its checksum.

        Raises:
            FileNotFoundError: there is no such file.
            DamagedError: it is damaged.
        """
        arrays = read_arrays(path)
        if "meta" not in arrays:
            raise DamagedError(path, "no checkpoint")
        epochs, state = record_shapes.meta_of(path, arrays.pop("meta"))
        return epochs, state, arrays

    def epochs_saved(self) -> int:
        """Return how many epochs the latest checkpoint says that it holds, without reading any weights.

        Raises:
            FileNotFoundError: there is no checkpoint.
            DamagedError: it is damaged.
        """
        epochs, _ = record_shapes.meta_of(self.latest, read_arrays(self.latest, "meta")["meta"])
        return epochs

    def kept(self, epochs: int) -> Path:
        """Return the file of the checkpoint that is kept at a number of epochs, which need not exist."""
        return self._directory / f"checkpoint-{epochs:06d}.npz"

    def most_kept(self, limit: int) -> int:
        """Return the largest number of epochs up to `limit` at which a checkpoint is kept that can be read, else 0."""
        kept = [int(path.stem.partition("-")[2]) for path in self._directory.glob("checkpoint-*.npz")]
        for epochs in sorted(kept, reverse=True):
            if epochs <= limit:
                try:
                    read_arrays(self.kept(epochs), "meta")
                except (FileNotFoundError, DamagedError):
                    continue
                return epochs
        return 0

    def stamp(self) -> object:
        """Return a value that changes whenever the latest checkpoint does; None without one."""
        try:
            status = self.latest.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _keep(self, epochs: int) -> None:
        """Keep the latest checkpoint: the next one replaces the file and leaves what is linked to it."""
        kept = self.kept(epochs)
        kept.unlink(missing_ok=True)
        try:
            kept.hardlink_to(self.latest)
        except OSError:  # a file system without links
            shutil.copyfile(self.latest, kept)


def save_arrays(file: IO[bytes], arrays: Arrays) -> None:
    """Write named arrays into an open file, as NumPy's .npz."""
    np.savez(file, **arrays)  # type: ignore[arg-type]
