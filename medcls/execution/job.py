"""What a worker is handed to train one run, and whether that has been done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcls.spec.run import Run
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.training import model_files


@dataclass(frozen=True)
class Explanation:
    """What a run's network is asked when it has been trained.

    Attributes:
        function: (network, data, rows, predictions, what is marked) -> arrays for the run's folder.
        marked: region -> (row -> its mask), of the job's data.
        digest: of the function, its parameters and code: another one is asked anew.
    """

    function: Callable[..., Any]
    marked: Mapping[str, Callable[[int], Any]]
    digest: str


@dataclass(frozen=True)
class Job:
    """A run with all that a worker needs to carry it out, on this machine or another.

    `data` is the folder of decoded images, `folder` the run's; with `test` the held-out test part is predicted
    too, which the search never asks for; `explain` is what its network is asked at the end; `resources` are what it
    needs of a cluster beside its threads: "gpu", also a part of one, and "memory" in bytes; with `figures` they are
    drawn as soon as it has ended; `depot` is the URL of the work folder's copy, if it has one.
    """

    run: Run
    data: Path
    folder: Path
    threads: int
    test: bool = False
    explain: Explanation | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    figures: bool = False
    depot: str = ""


def is_done(job: Job) -> bool:
    """Tell whether the job's folder holds all that the job is to leave there."""
    folder = RunDir(job.folder)
    result = folder.result()
    if result is None or not folder.is_finished() or not folder.predictions.exists():
        return False
    if not (model_files.file(folder) or result.unsaved):
        return False
    return is_explained(job) and (not job.test or folder.read_arrays("test") is not None)


def is_explained(job: Job) -> bool:
    """Tell whether the job's folder holds what its network was to be asked.

    One that could not be saved is asked nothing, and neither is one that learnt nothing by gradients and has none:
    the nearest neighbours.
    """
    folder = RunDir(job.folder)
    result = folder.result()
    if job.explain is None:
        return True
    if result is not None and (result.unsaved or result.parameters.get("trainable", 1) == 0):
        return True
    known = folder.read_arrays(HEAT, "digest")
    return known is not None and str(known["digest"]) == job.explain.digest


def is_over(job: Job) -> bool:
    """Tell whether the job has ended, well or badly; it has not if its process died."""
    result = RunDir(job.folder).result()
    return result is not None and (not result.is_finished or is_done(job))
