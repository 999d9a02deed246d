"""Brings a job to a machine that shares no directory with the driver's, and its results back."""

from dataclasses import replace

from filelock import FileLock

from medcls.execution.job import Job
from medcls.execution.worker import execute_job
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir
from medcls.utils.paths import home_of

WEIGHTS = "weights"  # the directory of the saved weights that runs begin with


def run_and_upload(job: Job) -> None:
    """Carry a job out; where the work directory has a copy behind a URL, keep the copy of the run up to date."""
    if not job.remote_url:
        execute_job(job)
        return
    with RemoteSync(job.remote_url, job.folder.parent).uploading(job.folder.name):
        execute_job(job)


def fetch_inputs(job: Job) -> Job:
    """Download what a job needs into this machine's own directories; return the job with their paths.

    Raises:
        TrainingError: the URL cannot be reached.
    """
    home, data = home_of(job.remote_url, "-worker"), job.data.relative_to(job.folder.parent)
    remote = RemoteSync(job.remote_url, home)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "fetching.lock"):
        for name in (data.as_posix(), WEIGHTS):
            remote.download(name)
    remote.download(job.folder.name)
    return replace(job, folder=home / job.folder.name, data=home / data)


def request_stop(job: Job, *, stop: bool) -> None:
    """Ask the process that carries a job out, on whichever machine, to end after the current epoch.

    Args:
        job: that is to end.
        stop: False takes an earlier request back.
    """
    run_dir = RunDir(job.folder)
    if stop:
        run_dir.request_stop()
    else:
        run_dir.clear_stop()
    if job.remote_url:
        RemoteSync(job.remote_url, job.folder.parent).request_stop(job.folder.name, stop=stop)
