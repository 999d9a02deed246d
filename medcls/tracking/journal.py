"""The journal of a run: one line of JSON for each epoch, flushed to disk as soon as the epoch has ended."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from medcls.tracking import record_shapes
from medcls.tracking.run_records import EpochRow
from medcls.utils.files import write_atomically


class Journal:
    """The file journal.jsonl of a run directory.

    Args:
        path: the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: EpochRow) -> None:
        """Append one epoch and flush it to disk."""
        with self.path.open("a") as file:
            file.write(json.dumps(row.as_record(), allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> list[EpochRow]:
        """Return the epochs up to the first line that is torn or damaged; none where there is no file."""
        if not self.path.is_file():
            return []
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:  # removed a moment ago
            return []
        return record_shapes.rows_of(content.splitlines(keepends=True))

    def replace(self, rows: Sequence[EpochRow]) -> None:
        """Write the journal anew with these epochs."""
        lines = [json.dumps(row.as_record()) + "\n" for row in rows]
        write_atomically(self.path, lambda file: file.write("".join(lines).encode()))
