"""A work folder whose truth lies behind a URL: what is asked for is fetched first, what has changed is sent."""

from pathlib import Path

from medcls.spec.run import Run
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir
from medcls.tracking.work_dir import STUDIES, TRAJECTORIES, WorkDir
from medcls.utils.paths import home_of


class RemoteWorkDir(WorkDir):
    """A work folder in this machine's home of a URL.

    Each entry is fetched when it is first asked for, and once more after `look_anew`: while the folder is owned nobody
    else changes any.

    Raises:
        BadInputError: one cannot write behind the URL.
    """

    depot: RemoteSync

    def __init__(self, url: str) -> None:
        super().__init__(home_of(url))
        self.depot = RemoteSync(url, self.path)
        self.depot.check()
        self._fetched: set[str] = set()
        self._runs: set[str] | None = None

    def send(self, *names: str) -> None:
        """Bring entries of the folder up to date where other machines see them."""
        for name in names:
            self.depot.send(name)

    def at(self, name: str) -> RunDir:
        """Return the run folder of this name."""
        if self._runs is None:
            self._runs = self.depot.entries()
        if name in self._runs:
            self._fetch(name)
        return super().at(name)

    def study(self, key: str) -> Path:
        """Return the folder of a study's own memory."""
        self._fetch(f"{STUDIES}/{key}")
        return super().study(key)

    def _siblings(self, run: Run) -> Path:
        self._fetch(f"{TRAJECTORIES}/{run.trajectory}")
        return super()._siblings(run)

    def look_anew(self) -> None:
        """Forget what was seen before the folder was owned: others may have been at work."""
        self._fetched.clear()
        self._runs = None

    def _fetch(self, name: str) -> None:
        if name not in self._fetched:
            self.depot.fetch(name)
            self._fetched.add(name)
