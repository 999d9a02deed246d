"""How a job reaches a machine that shares no folder with the driver's, and what it makes comes back."""

from dataclasses import replace

from filelock import FileLock

from medcls.execution.job import Job
from medcls.execution.run import carry_out
from medcls.tracking.remote_sync import Depot
from medcls.tracking.run_dir import RunFolder
from medcls.utils.paths import home_of

WEIGHTS = "weights"  # the entry of saved weights that runs begin with


def delivered(job: Job) -> None:
    """Carry a job out; where its folder has a copy behind a URL, what the run has finished is there a moment later."""
    if not job.depot:
        carry_out(job)
        return
    with Depot(job.depot, job.folder.parent).kept(job.folder.name):
        carry_out(job)


def arrived(job: Job) -> Job:
    """Return a job in this machine's own folders, with all that it needs brought there.

    Raises:
        TrainingError: where that lies is out of reach.
    """
    home, data = home_of(job.depot, "-worker"), job.data.relative_to(job.folder.parent)
    depot = Depot(job.depot, home)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "fetching.lock"):
        for name in (data.as_posix(), WEIGHTS):
            depot.fetch(name)
    depot.fetch(job.folder.name)
    return replace(job, folder=home / job.folder.name, data=home / data)


def wish(job: Job, *, stop: bool) -> None:
    """Ask whoever carries a job out to end after the epoch under way, on whichever machine that is; or no more."""
    folder = RunFolder(job.folder)
    if stop:
        folder.wind_down()
    else:
        folder.go_on()
    if job.depot:
        Depot(job.depot, job.folder.parent).wish(job.folder.name, stop=stop)
