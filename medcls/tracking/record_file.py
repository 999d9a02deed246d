"""Small JSON records in files that several processes read and write: on a path, or behind a URL."""

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
        """Write the record unless there is one; return whether it was written."""

    @abstractmethod
    def read(self) -> Any:
        """Return the record, None where there is none or it is damaged."""

    @abstractmethod
    def write(self, record: Mapping[str, Any]) -> None:
        """Write the record, whether or not there is one."""

    @abstractmethod
    def exists(self) -> bool:
        """Tell whether there is a record."""

    @abstractmethod
    def remove(self) -> None:
        """Remove the record if there is one."""


class LocalRecordFile(RecordFile):
    """A JSON object in a file on a path.

    Args:
        path: the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, record: Mapping[str, Any]) -> bool:
        """Write the record unless there is one; return whether it was written."""
        try:
            with self._path.open("x") as file:
                json.dump(record, file)
        except FileExistsError:
            return False
        return True

    def read(self) -> Any:
        """Return the record, None where there is none or it is damaged."""
        return read_json(self._path)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write the record, whether or not there is one."""
        write_json(self._path, record)

    def exists(self) -> bool:
        """Tell whether there is a record."""
        return self._path.exists()

    def remove(self) -> None:
        """Remove the record if there is one."""
        self._path.unlink(missing_ok=True)


class RemoteRecordFile(RecordFile):
    """A JSON object in a file behind a URL.

    Args:
        locate: returns the fsspec file system and the directory in it.
        name: of the file in that directory.
    """

    def __init__(self, locate: Callable[[], tuple[Any, str]], name: str) -> None:
        self._locate, self._name = locate, name

    def create(self, record: Mapping[str, Any]) -> bool:
        """Write the record unless there is one; return whether it was written."""
        files, path = self._file()
        if files.exists(path):
            return False
        try:
            with files.open(path, "xb") as file:
                file.write(json.dumps(record).encode())
        except FileExistsError:
            return False
        except (NotImplementedError, ValueError):
            # The file system cannot create exclusively; the lease notices within seconds if another wrote as well.
            self.write(record)
        return True

    def read(self) -> Any:
        """Return the record, None where there is none or it is damaged."""
        files, path = self._file()
        try:
            return parsed_json(files.cat_file(path))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, record: Mapping[str, Any]) -> None:
        """Write the record, whether or not there is one."""
        files, path = self._file()
        files.pipe_file(path, json.dumps(record).encode())

    def exists(self) -> bool:
        """Tell whether there is a record."""
        files, path = self._file()
        return bool(files.exists(path))

    def remove(self) -> None:
        """Remove the record if there is one."""
        files, path = self._file()
        with contextlib.suppress(FileNotFoundError):
            files.rm_file(path)

    def _file(self) -> tuple[Any, str]:
        """Return the file system, without anything that it has cached, and the path of the file in it."""
        files, directory = self._locate()
        files.invalidate_cache()
        return files, f"{directory}/{self._name}"
