"""What a worker is handed to train one run, and whether that has been done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcls.spec.run import Run
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.training import model_files

OUTPUT = "output.txt"
"""The file in a run directory with what the run's process prints."""


@dataclass(frozen=True)
class Explanation:
    """A function that is called with a run's network when it has been trained.

    Attributes:
        function: (network, data, rows, predictions, marked) -> arrays for the run directory.
        marked: the marked regions of the images: region -> (row -> its mask).
        digest: of the function, its parameters and its code; with another digest the function is called again.
    """

    function: Callable[..., Any]
    marked: Mapping[str, Callable[[int], Any]]
    digest: str


@dataclass(frozen=True)
class Job:
    """A run with all that a worker needs to carry it out, on this machine or another.

    Attributes:
        run: what is to be run.
        data: the directory of its decoded images.
        folder: the run directory.
        threads: how many threads TensorFlow gets.
        test: whether the test set is predicted too, which a search never asks for.
        explain: what is called with the network at the end, None for nothing.
        resources: what the run needs of a cluster beside its threads: "gpu", also a fraction of one, and "memory" in
            bytes.
        figures: whether the run's figures are drawn as soon as it has ended.
        remote_url: the URL of the copy of the work directory that other machines see, "" for none.
        program: the name of what is compiled for the run, which runs that differ in data, seed or learning rate share.
    """

    run: Run
    data: Path
    folder: Path
    threads: int
    test: bool = False
    explain: Explanation | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    figures: bool = False
    remote_url: str = ""
    program: str = ""


def is_done(job: Job) -> bool:
    """Tell whether the run directory holds everything that the job is to leave there."""
    run_dir = RunDir(job.folder)
    result = run_dir.finished_result()
    if result is None or not run_dir.predictions.exists():
        return False
    if model_files.file(run_dir) is None and not result.unsaved:
        return False
    return is_explained(job) and (not job.test or run_dir.read_arrays("test") is not None)


def is_explained(job: Job) -> bool:
    """Tell whether the run directory holds what the job's explanation is to leave there.

    Nothing is asked of a network that could not be saved, and nothing of a learner without a trained network, such as
    the nearest neighbours.
    """
    if job.explain is None:
        return True
    run_dir = RunDir(job.folder)
    result = run_dir.result()
    if result is not None and (result.unsaved or result.parameters.get("trainable", 1) == 0):
        return True
    answer = run_dir.read_arrays(HEAT, "digest")
    return answer is not None and str(answer["digest"]) == job.explain.digest


def is_over(job: Job) -> bool:
    """Tell whether the job has ended, well or badly; it has not if its process died."""
    result = RunDir(job.folder).result()
    return result is not None and (not result.is_finished or is_done(job))
