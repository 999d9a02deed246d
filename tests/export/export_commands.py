"""A study that has been run and exported, and what a user types to use its model."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.cli import main

STUDY = Path(__file__).parent / "small_study.py"
TAKEN = ("MLFLOW_TRACKING_URI", "MEDCLS_DATA")


@dataclass(frozen=True)
class Trained:
    """Where a study was run: its images, work folder, store and summary."""

    folder: Path
    study: Path = STUDY

    @property
    def images(self) -> Path:
        """The folder of images, one folder a class."""
        return self.folder / "images"

    @property
    def work(self) -> Path:
        """The work folder."""
        return self.folder / "work"

    @property
    def store(self) -> str:
        """The URI of the MLflow store."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def exported(self) -> Path:
        """The folder that the best model was exported to."""
        return self.folder / "exported"

    def summary(self) -> dict[str, Any]:
        """Return the summary of the last command."""
        return dict(json.loads((self.folder / "summary.json").read_text()))

    def run(self, *flags: object) -> subprocess.CompletedProcess[str]:
        """Run the study, in a process of its own."""
        places = ["--data", self.images, "--work-dir", self.work, "--json", self.folder / "summary.json"]
        command = [sys.executable, *map(str, [self.study, *places, "--tracking-uri", self.store, *flags])]
        environment = {name: value for name, value in os.environ.items() if name not in TAKEN}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)

    def copied(self, folder: Path) -> "Trained":
        """Return a copy that a test may change."""
        return Trained(Path(shutil.copytree(self.folder, folder / "copy", symlinks=True)), self.study)

    def begun(self) -> set[str]:
        """Return the keys of the runs that there are."""
        return {path.parent.name for path in self.work.glob("*/run.json")}


def medcls(*arguments: object) -> int:
    """Carry out one command of `medcls` in this process; return its exit code."""
    try:
        return main.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return int(error.code or 0)
