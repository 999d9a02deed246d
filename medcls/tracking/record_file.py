"""A small record in a file that several may read and write: on a path, or behind a URL."""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from medcls.utils.files import parsed_json, read_json, write_json


class RecordFile(ABC):
    """A JSON object in a file of its own."""

    @abstractmethod
    def create(self, record: Mapping[str, Any]) -> bool:
        """Write it where there is none; return whether there was none."""

    @abstractmethod
    def read(self) -> Any:
        """Return it, None where there is none or it is damaged."""

    @abstractmethod
    def write(self, record: Mapping[str, Any]) -> None:
        """Write it over what is there."""

    @abstractmethod
    def exists(self) -> bool:
        """Tell whether there is one."""

    @abstractmethod
    def remove(self) -> None:
        """Remove it, if it is there."""


class FileSlip(RecordFile):
    """A record on a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, record: Mapping[str, Any]) -> bool:
        """Write it where there is none; return whether there was none."""
        try:
            with self._path.open("x") as file:
                json.dump(record, file)
        except FileExistsError:
            return False
        return True

    def read(self) -> Any:
        """Return it, None where there is none or it is damaged."""
        return read_json(self._path)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write it over what is there."""
        write_json(self._path, record)

    def exists(self) -> bool:
        """Tell whether there is one."""
        return self._path.exists()

    def remove(self) -> None:
        """Remove it, if it is there."""
        self._path.unlink(missing_ok=True)


class DistantSlip(RecordFile):
    """A record behind a URL.

    Args:
        place: returns the file system and the folder.
        name: of the file.
    """

    def __init__(self, place: Callable[[], tuple[Any, str]], name: str) -> None:
        self._place, self._name = place, name

    def create(self, record: Mapping[str, Any]) -> bool:
        """Write it where there is none; return whether there was none."""
        files, path = self._found()
        if files.exists(path):
            return False
        try:
            with files.open(path, "xb") as file:
                file.write(json.dumps(record).encode())
        except FileExistsError:
            return False
        except (NotImplementedError, ValueError):  # a file system that has no such thing: others are seen in time
            self.write(record)
        return True

    def read(self) -> Any:
        """Return it, None where there is none or it is damaged."""
        files, path = self._found()
        try:
            return parsed_json(files.cat_file(path))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, record: Mapping[str, Any]) -> None:
        """Write it over what is there."""
        files, path = self._found()
        files.pipe_file(path, json.dumps(record).encode())

    def exists(self) -> bool:
        """Tell whether there is one."""
        files, path = self._found()
        return bool(files.exists(path))

    def remove(self) -> None:
        """Remove it, if it is there."""
        files, path = self._found()
        with contextlib.suppress(FileNotFoundError):
            files.rm_file(path)

    def _found(self) -> tuple[Any, str]:
        files, root = self._place()
        files.invalidate_cache()
        return files, f"{root}/{self._name}"
