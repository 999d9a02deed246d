"""Synchronises a local work directory with its copy behind a URL, which machines without a common directory share.

Every process works in a local directory, the home. Entry by entry (a run directory, a study's directory), what has
changed in the home is uploaded, and what others have changed is downloaded. Any file system that fsspec knows will do:
it needs neither locks nor renaming, as long as a file is there whole or not at all.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.tracking.record_file import RemoteRecordFile
from medcls.utils.errors import BadInputError, TrainingError, first_line
from medcls.utils.files import read_json, write_json
from medcls.utils.installation import pip_install
from medcls.utils.lazy import fsspec
from medcls.utils.records import Shape, is_shaped
from medcls.utils.redaction import without_secrets

NOTES = ".depot"  # in the home: which files were equal in both places after the last synchronisation
OF_THIS_MACHINE = ("lock", "stop")  # names of files that are not synchronised
PERIOD = 1.0  # seconds between two looks at what has changed in a directory at work
STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})
MARKS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "mtime", "created", "LastModified", "last_modified", "size")
"""What the file systems report of a file that changes whenever its content does."""

# A reader in between finds a run as a kill would have left it: the journal before the checkpoint, the result last.
FIRST = ("run.json", "journal.jsonl")
LAST = ("checkpoint.npz", "rows.npz", "result.json")

NOTE: Shape = MappingProxyType({"there": list, "here": list})


class RemoteSync:
    """Downloads and uploads the entries of one work directory; several threads may use it at the same time.

    Args:
        url: of the copy, as fsspec writes it.
        home: the local directory.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url.rstrip("/"), home
        self._lock = threading.RLock()

    @cached_property
    def _location(self) -> tuple[Any, str]:
        """The fsspec file system and the path of the copy in it."""
        try:
            files, root = fsspec.core.url_to_fs(self.url)
            return files, root.rstrip("/")
        except ImportError as error:
            need = pip_install("remote") if error.name == "fsspec" else first_line(error, self.url)
            raise BadInputError(f"--work-dir {without_secrets(self.url)} needs a package: {need}.") from error
        except ValueError as error:
            raise BadInputError(
                f"--work-dir {without_secrets(self.url)}: {first_line(error, self.url)}; give a directory, or a URL "
                "that fsspec knows."
            ) from error

    def check(self) -> None:
        """Check that files can be written behind the URL.

        Raises:
            BadInputError: they cannot, or the package for such URLs is not installed.
        """
        try:
            files, root = self._location
            if not self._is_store:
                files.makedirs(root, exist_ok=True)
            files.pipe_file(f"{root}/.medcls", b"medcls")
        except BadInputError:
            raise
        except Exception as error:
            raise BadInputError(
                f"--work-dir {without_secrets(self.url)} cannot be written to ({first_line(error, self.url)}): "
                "give another URL."
            ) from error

    def entries(self) -> set[str]:
        """Return the names of the directories in the copy."""
        with self._reached():
            files, root = self._location
            files.invalidate_cache()
            infos = files.ls(root, detail=True)
        names: set[str] = set()
        for info in infos:
            if info["type"] == "directory":
                names.add(info["name"].rstrip("/").rpartition("/")[2])
        return names

    def download(self, name: str, largest: float = float("inf")) -> None:
        """Make an entry of the home equal to the copy's, unless nothing has changed in the copy.

        Args:
            name: of the entry.
            largest: the size, in bytes, of the largest file that is downloaded; the others come when the entry is
                downloaded without a limit.
        """
        with self._lock, self._reached():
            there, sizes = self._files_there(name)
            noted = self._read_notes(name)
            if not there:  # it was never uploaded, or was lost: what the home has is uploaded again, not removed
                if noted:
                    self._write_notes(name, {})
                return
            if there == {file: note["there"] for file, note in noted.items()}:
                return
            here = self._files_here(name)
            for file in sorted(here.keys() - there.keys(), key=_order, reverse=True):
                (self.home / name / file).unlink(missing_ok=True)
            notes = {}
            for file in sorted(there, key=_order):
                note = noted.get(file, {})
                if note.get("there") == there[file] and note.get("here") == here.get(file):
                    notes[file] = note
                elif sizes[file] <= largest:
                    notes[file] = {"there": there[file], "here": self._get(name, file)}
            self._write_notes(name, notes)

    def upload(self, name: str) -> None:
        """Make an entry of the copy equal to the home's."""
        with self._lock, self._reached():
            files, root = self._location
            here, noted = self._files_here(name), self._read_notes(name)
            removed = noted.keys() - here.keys()
            changed = [file for file in here if noted.get(file, {}).get("here") != here[file]]
            if not removed and not changed:
                return
            for file in sorted(removed, key=_order, reverse=True):
                with contextlib.suppress(FileNotFoundError):
                    files.rm_file(f"{root}/{name}/{file}")
            for file in sorted(changed, key=_order):
                if (self.home / name / file).is_file():  # else it was replaced or removed meanwhile: the next time
                    self._put(name, file)
            there, _ = self._files_there(name)
            notes = {}
            for file, stamp in here.items():
                if file in there:
                    notes[file] = {"there": there[file], "here": stamp}
            self._write_notes(name, notes)

    @contextlib.contextmanager
    def uploading(self, name: str) -> Iterator[None]:
        """Upload an entry whenever it has changed, from a thread, and once more at the end; fetch a request to stop."""
        ended = threading.Event()

        def keep_uploading() -> None:
            while not ended.wait(PERIOD):
                with contextlib.suppress(Exception):  # the URL is out of reach for a while: the next turn tries again
                    self.upload(name)
                    if self.is_stop_requested(name):
                        (self.home / name / "stop").touch()

        thread = threading.Thread(target=keep_uploading, name="upload", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.upload(name)

    def request_stop(self, name: str, *, stop: bool) -> None:
        """Ask the process that trains in an entry, on whichever machine, to end after the current epoch.

        Args:
            name: of the entry.
            stop: False takes an earlier request back.
        """
        with self._reached():
            files, root = self._location
            if stop:
                files.pipe_file(f"{root}/{name}/stop", b"stop")
            elif self.is_stop_requested(name):
                files.rm_file(f"{root}/{name}/stop")

    def is_stop_requested(self, name: str) -> bool:
        """Tell whether the process that trains in an entry was asked to end."""
        files, root = self._location
        files.invalidate_cache()
        return bool(files.exists(f"{root}/{name}/stop"))

    def record_file(self, name: str) -> RemoteRecordFile:
        """Return a record file of the copy."""
        return RemoteRecordFile(lambda: self._location, name)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn what fsspec raises into one sentence.

        Raises:
            TrainingError: the URL cannot be reached.
        """
        try:
            yield
        except BadInputError:
            raise
        except Exception as error:
            raise TrainingError(
                f"{without_secrets(self.url)} cannot be reached ({first_line(error, self.url)}): run the same command "
                "again."
            ) from error

    def _files_there(self, name: str) -> tuple[dict[str, list[str]], dict[str, int]]:
        """Return the marks and the sizes of an entry's files in the copy."""
        files, root = self._location
        files.invalidate_cache()
        marks: dict[str, list[str]] = {}
        sizes: dict[str, int] = {}
        for path, info in files.find(f"{root}/{name}", detail=True).items():
            file = path[len(f"{root}/{name}/") :]
            if _is_synchronised(file):
                marks[file] = [str(info[mark]) for mark in MARKS if info.get(mark) is not None]
                sizes[file] = int(info["size"] or 0)
        return marks, sizes

    def _files_here(self, name: str) -> dict[str, list[int]]:
        """Return the stamps of an entry's files in the home."""
        entry = self.home / name
        stamps: dict[str, list[int]] = {}
        for path in entry.rglob("*"):
            file = path.relative_to(entry).as_posix()
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and _is_synchronised(file):
                    stamps[file] = _stamp(path)
        return stamps

    def _get(self, name: str, file: str) -> list[int]:
        """Download one file and return its stamp."""
        files, root = self._location
        path = self.home / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            files.get_file(f"{root}/{name}/{file}", str(beside))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return _stamp(path)

    def _put(self, name: str, file: str) -> None:
        """Upload one file."""
        files, root = self._location
        source, target = str(self.home / name / file), f"{root}/{name}/{file}"
        if self._is_store:
            files.put_file(source, target)
            return
        directory, _, last = target.rpartition("/")
        files.makedirs(directory, exist_ok=True)
        # Until the file is renamed, readers have the earlier one, also where this process is killed.
        files.put_file(source, f"{directory}/.{last}")
        files.mv(f"{directory}/.{last}", target)

    @cached_property
    def _is_store(self) -> bool:
        """Whether the file system is an object store: files appear whole, and need no directories."""
        protocol = self._location[0].protocol
        return not STORES.isdisjoint((protocol,) if isinstance(protocol, str) else protocol)

    def _read_notes(self, name: str) -> dict[str, Any]:
        """Return how an entry's files looked after the last synchronisation; empty where the notes are damaged."""
        notes = read_json(self._notes_file(name))
        if not isinstance(notes, dict) or not all(is_shaped(note, NOTE) for note in notes.values()):
            return {}
        return notes

    def _write_notes(self, name: str, notes: Mapping[str, Any]) -> None:
        path = self._notes_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, notes)

    def _notes_file(self, name: str) -> Path:
        return self.home / NOTES / f"{name.replace('/', '-')}.json"


def _order(file: str) -> tuple[int, int, str]:
    """Return the key by which the files of an entry are sorted for synchronisation."""
    name = file.rpartition("/")[2]
    first = FIRST.index(name) - len(FIRST) if name in FIRST else 0
    last = LAST.index(name) + 1 if name in LAST else 0
    return first, last, file


def _is_synchronised(file: str) -> bool:
    """Tell whether a file of an entry is synchronised: not if it is hidden or only concerns this machine."""
    names = file.split("/")
    is_hidden = any(name.startswith(".") for name in names)
    return bool(names[-1]) and not is_hidden and names[-1] not in OF_THIS_MACHINE


def _stamp(path: Path) -> list[int]:
    """Return the size, in bytes, and the time of change of a local file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
