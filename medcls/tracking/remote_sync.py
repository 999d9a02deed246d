"""A copy of a work folder behind a URL, where machines that share no folder leave and find what runs have made.

Everything works in a folder of its machine, its home; entry by entry (a run's folder, a study's) the depot takes what
changed there and gives what others changed. Any file system that fsspec knows will do: of one that has no lock and no
renaming it is asked only that a file is there whole or not at all.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.tracking.record_file import DistantSlip
from medcls.utils.errors import BadInputError, TrainingError, first_line
from medcls.utils.files import read_json, write_json
from medcls.utils.lazy import fsspec
from medcls.utils.records import Shape, is_shaped
from medcls.utils.redaction import without_secrets

NOTES = ".depot"  # in the home: what was the same here and there when it was last looked at
OF_THIS_MACHINE = ("lock", "stop")  # names of files that do not travel
PERIOD = 1.0  # seconds between two looks at what changed in a folder at work
STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})
MARKS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "mtime", "created", "LastModified", "last_modified", "size")
"""What the file systems say of a file that is another when its content is."""

# A reader who comes in between finds each run as if it had been killed there: journal before checkpoint, result last.
FIRST = ("run.json", "journal.jsonl")
LAST = ("checkpoint.npz", "rows.npz", "result.json")

Seen = dict[str, list[str]]
NOTE: Shape = MappingProxyType({"there": list, "here": list})


class RemoteSync:
    """Takes and gives the entries of one work folder. Threads may use it side by side.

    Args:
        url: of the folder, in fsspec's words.
        home: this machine's folder.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url.rstrip("/"), home
        self._lock = threading.RLock()

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            files, root = fsspec.core.url_to_fs(self.url)
            return files, root.rstrip("/")
        except ImportError as error:
            lacks_fsspec = isinstance(error, ModuleNotFoundError) and error.name == "fsspec"
            need = 'python -m pip install -e ".[remote]"' if lacks_fsspec else first_line(error, self.url)
            raise BadInputError(f"--work-dir {without_secrets(self.url)} needs a package: {need}.") from error
        except ValueError as error:
            raise BadInputError(
                f"--work-dir {without_secrets(self.url)}: {first_line(error, self.url)}; give a folder, or a URL "
                "that fsspec knows."
            ) from error

    def check(self) -> None:
        """Find out whether one can write there.

        Raises:
            BadInputError: one cannot; or the package for such URLs is not installed.
        """
        try:
            files, root = self._place
            if not self._is_store:
                files.makedirs(root, exist_ok=True)
            files.pipe_file(f"{root}/.medcls", b"medcls")
        except BadInputError:
            raise
        except Exception as error:
            raise BadInputError(
                f"--work-dir {without_secrets(self.url)} cannot be written to ({first_line(error, self.url)}): "
                "give another."
            ) from error

    def entries(self) -> set[str]:
        """Return the names of the folders that lie there."""
        with self._reached():
            files, root = self._place
            files.invalidate_cache()
            found = files.ls(root, detail=True)
        return {each["name"].rstrip("/").rpartition("/")[2] for each in found if each["type"] == "directory"}

    def fetch(self, name: str, largest: float = float("inf")) -> None:
        """Make an entry of the home as it is there, unless nothing was changed there since it was last looked at.

        Files of more than `largest` bytes are left out, until the entry is fetched whole.
        """
        with self._lock, self._reached():
            there, sizes = self._there(name)
            noted = self._noted(name)
            if not there:  # never there, or lost: what there is in the home is sent anew, not thrown away
                if noted:
                    self._note(name, {})
                return
            if there == {file: each["there"] for file, each in noted.items()}:
                return
            here = self._here(name)
            for file in sorted(here.keys() - there.keys(), key=_turn, reverse=True):
                (self.home / name / file).unlink(missing_ok=True)
            kept = {}
            for file in sorted(there, key=_turn):
                known = noted.get(file, {})
                if known.get("there") == there[file] and known.get("here") == here.get(file):
                    kept[file] = known
                elif sizes[file] <= largest:
                    kept[file] = {"there": there[file], "here": self._get(name, file)}
            self._note(name, kept)

    def send(self, name: str) -> None:
        """Make an entry there as it is in the home."""
        with self._lock, self._reached():
            files, root = self._place
            here, noted = self._here(name), self._noted(name)
            gone = noted.keys() - here.keys()
            changed = [file for file in here if noted.get(file, {}).get("here") != here[file]]
            if not gone and not changed:
                return
            for file in sorted(gone, key=_turn, reverse=True):
                with contextlib.suppress(FileNotFoundError):
                    files.rm_file(f"{root}/{name}/{file}")
            for file in sorted(changed, key=_turn):
                if (self.home / name / file).is_file():  # else it was replaced or removed meanwhile: the next time
                    self._put(name, file)
            there, _ = self._there(name)
            self._note(name, {file: {"there": there[file], "here": here[file]} for file in here if file in there})

    @contextlib.contextmanager
    def kept(self, name: str) -> Iterator[None]:
        """Send an entry whenever it has changed, from a thread, and at the end once more; bring a wish to stop."""
        ended = threading.Event()

        def keep() -> None:
            while not ended.wait(PERIOD):
                with contextlib.suppress(Exception):  # a place that is away for a while: the next look tries again
                    self.send(name)
                    if self.is_to_stop(name):
                        (self.home / name / "stop").touch()

        thread = threading.Thread(target=keep, name="depot", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.send(name)

    def wish(self, name: str, *, stop: bool) -> None:
        """Ask whoever trains in an entry, on whichever machine, to end after the epoch under way; or no more."""
        with self._reached():
            files, root = self._place
            if stop:
                files.pipe_file(f"{root}/{name}/stop", b"stop")
            elif self.is_to_stop(name):
                files.rm_file(f"{root}/{name}/stop")

    def is_to_stop(self, name: str) -> bool:
        """Tell whether whoever trains in an entry is asked to end."""
        files, root = self._place
        files.invalidate_cache()
        return bool(files.exists(f"{root}/{name}/stop"))

    def slip(self, name: str) -> DistantSlip:
        """Return a small record that lies there."""
        return DistantSlip(lambda: self._place, name)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except BadInputError:
            raise
        except Exception as error:
            raise TrainingError(
                f"{without_secrets(self.url)} is out of reach ({first_line(error, self.url)}): run the "
                "same command again."
            ) from error

    def _there(self, name: str) -> tuple[Seen, dict[str, int]]:
        """Return the marks and the sizes of the entry's files there."""
        files, root = self._place
        files.invalidate_cache()
        found = files.find(f"{root}/{name}", detail=True)
        start = len(f"{root}/{name}/")
        own = {path[start:]: about for path, about in found.items() if _travels(path[start:])}
        marks = {
            file: [str(about[mark]) for mark in MARKS if about.get(mark) is not None] for file, about in own.items()
        }
        return marks, {file: int(about["size"] or 0) for file, about in own.items()}

    def _here(self, name: str) -> dict[str, list[int]]:
        """Return the sizes and times of the entry's files in the home."""
        top, found = self.home / name, {}
        for path in top.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and _travels(path.relative_to(top).as_posix()):
                    found[path.relative_to(top).as_posix()] = _stamp(path)
        return found

    def _get(self, name: str, file: str) -> list[int]:
        files, root = self._place
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
        files, root = self._place
        source, folder, last = str(self.home / name / file), *f"{root}/{name}/{file}".rsplit("/", 1)
        if self._is_store:
            files.put_file(source, f"{folder}/{last}")
            return
        files.makedirs(folder, exist_ok=True)
        files.put_file(source, f"{folder}/.{last}")  # whoever reads meanwhile, or after a death, has the one before
        files.mv(f"{folder}/.{last}", f"{folder}/{last}")

    @cached_property
    def _is_store(self) -> bool:
        """Whether files appear there whole, and need no folders."""
        protocol = self._place[0].protocol
        return not STORES.isdisjoint((protocol,) if isinstance(protocol, str) else protocol)

    def _noted(self, name: str) -> dict[str, Any]:
        """Return what is known of an entry; nothing, so that it is compared anew, where that cannot be read."""
        noted = read_json(self._notes(name))
        if not isinstance(noted, dict) or not all(is_shaped(each, NOTE) for each in noted.values()):
            return {}
        return noted

    def _note(self, name: str, files: Mapping[str, Any]) -> None:
        self._notes(name).parent.mkdir(parents=True, exist_ok=True)
        write_json(self._notes(name), files)

    def _notes(self, name: str) -> Path:
        return self.home / NOTES / f"{name.replace('/', '-')}.json"


def _turn(file: str) -> tuple[int, int, str]:
    """Return when a file's turn is among those of its entry."""
    name = file.rpartition("/")[2]
    first = FIRST.index(name) - len(FIRST) if name in FIRST else 0
    return first, LAST.index(name) + 1 if name in LAST else 0, file


def _travels(file: str) -> bool:
    names = file.split("/")
    hidden = any(name.startswith(".") for name in names)
    return bool(names[-1]) and not hidden and names[-1] not in OF_THIS_MACHINE


def _stamp(path: Path) -> list[int]:
    state = path.stat()
    return [state.st_size, state.st_mtime_ns]
