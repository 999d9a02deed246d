"""How a job reaches a machine that shares no folder with the driver's, and what it makes comes back."""

from dataclasses import replace

from filelock import FileLock

from medcls.execution.job import Job
from medcls.execution.run import execute_job
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir
from medcls.utils.paths import home_of

WEIGHTS = "weights"  # the entry of saved weights that runs begin with


def run_and_upload(job: Job) -> None:
    """Carry a job out; where its folder has a copy behind a URL, what the run has finished is there a moment later."""
    if not job.depot:
        execute_job(job)
        return
    with RemoteSync(job.depot, job.folder.parent).kept(job.folder.name):
        execute_job(job)


def fetch_inputs(job: Job) -> Job:
    """Return a job in this machine's own folders, with all that it needs brought there.

    Raises:
        TrainingError: where that lies is out of reach.
    """
    home, data = home_of(job.depot, "-worker"), job.data.relative_to(job.folder.parent)
    depot = RemoteSync(job.depot, home)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "fetching.lock"):
        for name in (data.as_posix(), WEIGHTS):
            depot.fetch(name)
    depot.fetch(job.folder.name)
    return replace(job, folder=home / job.folder.name, data=home / data)


def request_stop(job: Job, *, stop: bool) -> None:
    """Ask whoever carries a job out to end after the epoch under way, on whichever machine that is; or no more."""
    folder = RunDir(job.folder)
    if stop:
        folder.request_stop()
    else:
        folder.clear_stop()
    if job.depot:
        RemoteSync(job.depot, job.folder.parent).wish(job.folder.name, stop=stop)
