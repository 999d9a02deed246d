"""Studies run as a user runs them: in a process of their own, with a work folder and a store of their own."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from ended import Ended
from summary_shape import read_summary

HERE = Path(__file__).parent
MARK = "MEDCLS_TEST_PROCESS"
IMAGES = [f"{label}/{number}.png" for label in "abc" for number in range(12)]
LONG = 900  # seconds that no command here takes unless it hangs


@dataclass
class Place:
    """A folder in which commands are run, with their work folder, store and summary.

    All processes that are started here wear its mark in their environment.
    """

    BONUS: ClassVar[Path] = HERE.parent.parent / "studies" / "bonus_resnet.py"
    TINY: ClassVar[Path] = HERE / "tiny_study.py"
    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def copied(self, folder: Path) -> "Place":
        """Return a copy of this place in another folder, with the same images beside it."""
        shutil.copytree(self.folder, folder / "place")
        (folder / "images").symlink_to(self.images)
        return Place(folder / "place")

    @property
    def work(self) -> Path:
        """The work folder."""
        return self.folder / "work"

    @property
    def store(self) -> Path:
        """The file of the MLflow store."""
        return self.folder / "mlflow.db"

    @property
    def images(self) -> Path:
        """A folder of images beside, where there is one."""
        return self.folder.parent / "images"

    @property
    def summary_file(self) -> Path:
        """What --json writes."""
        return self.folder / "summary.json"

    def summary(self) -> dict[str, Any]:
        """Return the summary, its shape checked."""
        return read_summary(self.summary_file)

    def results(self) -> dict[str, tuple[str, dict[str, list[float]]]]:
        """Return the summary's weights and history of each run, by its key."""
        return {run["key"]: (run["weights_sha256"], run["history"]) for run in self.summary()["runs"]}

    def run(
        self,
        study: Path,
        *flags: object,
        wrapper: Sequence[str] = (),
        without: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Ended:
        """Run a study to its end; later flags overrule the ones for work folder, store and summary."""
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        with self.start(study, *flags, wrapper=wrapper, without=without, environment=environment, cwd=cwd) as process:
            code = process.wait(LONG)
        ended = Ended(code, out.read_text(), err.read_text())
        assert code or "could not be drawn" not in ended.out, ended.out  # a figure costs no result, but a test
        return ended

    @contextmanager
    def start(
        self,
        study: Path,
        *flags: object,
        wrapper: Sequence[str] = (),
        without: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a study; it is killed if it still runs in the end."""
        taken = {"MLFLOW_TRACKING_URI", "MEDCLS_DATA", *without}
        known = {name: value for name, value in os.environ.items() if name not in taken}
        places = ["--work-dir", self.work, "--tracking-uri", f"sqlite:///{self.store}", "--json", self.summary_file]
        with (self.folder / "out.txt").open("w") as out, (self.folder / "err.txt").open("w") as err:
            process = subprocess.Popen(
                [*wrapper, sys.executable, *map(str, [study, *places, *flags])],
                stdout=out,
                stderr=err,
                env={**known, **(environment or {}), MARK: self.mark},
                cwd=cwd or self.folder,
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def run_folders(self) -> list[Path]:
        """Return the folders of runs that were begun."""
        return sorted(path.parent for path in self.work.glob("*/run.json"))

    def check_untouched(self) -> None:
        """Check that no run was begun, nothing is half-written and no process is left."""
        assert not self.store.exists()
        assert not self.summary_file.exists()
        assert self.run_folders() == []
        self.check_clean()

    def check_clean(self) -> None:
        """Check that nothing is half-written and no process is left."""
        names = [path.name for path in self.folder.rglob("*")]
        assert [name for name in names if name.endswith(".unfinished") or name.startswith(".")] == []
        self.check_no_process_is_left()

    def check_no_process_is_left(self) -> None:
        """Check that all processes that were started here have ended; the server of workers may take a moment."""
        deadline = time.monotonic() + 60
        while (left := [line for line in map(self._command, psutil.process_iter()) if line]) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.1)
        assert left == []

    def _command(self, process: psutil.Process) -> str:
        try:
            return " ".join(process.cmdline()) if process.environ().get(MARK) == self.mark else ""
        except psutil.Error:
            return ""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return an empty place."""
    folder = tmp_path / "place"
    folder.mkdir()
    return Place(folder)


@pytest.fixture
def images(tmp_path: Path, draw) -> Path:
    """Return a folder of three classes of twelve small images each."""
    return draw(tmp_path / "images", *IMAGES)


@pytest.fixture(scope="session")
def first_place(tmp_path_factory: pytest.TempPathFactory, draw) -> Place:
    """Return a place where the tiny study has been run to its end, without a store; not to be changed."""
    place = Place(tmp_path_factory.mktemp("first") / "place")
    place.folder.mkdir()
    draw(place.images, *IMAGES)
    assert place.run(place.TINY, "--data", place.images, "--offline").code == 0
    return place


@pytest.fixture(scope="session")
def first_stored_place(first_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place whose finished runs were brought into its store later; not to be changed."""
    place = first_place.copied(tmp_path_factory.mktemp("stored"))
    ended = place.run(place.TINY, "--data", place.images)
    assert (ended.code, ended.err) == (0, "")
    return place


@pytest.fixture
def finished(first_place: Place, tmp_path: Path) -> Place:
    """Return a place of its own where the tiny study has been run to its end, without a store."""
    return first_place.copied(tmp_path / "finished")


@pytest.fixture
def stored(first_stored_place: Place, tmp_path: Path) -> Place:
    """Return a place of its own whose finished runs were brought into its store later."""
    return first_stored_place.copied(tmp_path / "stored")
