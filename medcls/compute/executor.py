"""What carries jobs out: the one interface behind which this machine and a cluster look alike."""

from collections.abc import Callable
from typing import Any, Protocol

from medcls.one_run import Job


class Executor(Protocol):
    """Carries jobs out, in the order in which they were submitted; `cores` is how many threads one run may have."""

    cores: int

    def warm_up(self) -> None:
        """Begin to start what takes long, without waiting for it."""

    def submit(self, job: Job) -> None:
        """Queue a job."""

    @property
    def running(self) -> list[Job]:
        """The jobs at work, oldest first."""

    def wait(self, seconds: float) -> list[Job]:
        """Start what fits, wait for at most so long, and return the jobs that ended."""

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow."""

    def wind_down(self) -> None:
        """Start nothing more, and let those at work end after their epochs."""

    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""

    def stop(self) -> None:
        """End all work at once; what the checkpoints hold is kept."""
