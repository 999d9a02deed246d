"""A work directory behind a URL: entries are downloaded before they are read, and uploaded after they change."""

from pathlib import Path

from medcls.spec.run import Run
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir
from medcls.tracking.work_dir import STUDIES, TRAJECTORIES, WorkDir
from medcls.utils.paths import home_of


class RemoteWorkDir(WorkDir):
    """The local directory of a work directory behind a URL.

    Each entry is downloaded when it is first asked for, and again after `refresh`: while this command owns the
    directory nobody else changes any entry.

    Args:
        url: of the work directory.

    Raises:
        BadInputError: files cannot be written behind the URL.
    """

    remote: RemoteSync

    def __init__(self, url: str) -> None:
        super().__init__(home_of(url))
        self.remote = RemoteSync(url, self.path)
        self.remote.check()
        self._downloaded: set[str] = set()
        self._runs: set[str] | None = None

    def upload(self, *names: str) -> None:
        """Upload entries of the directory to the copy that other machines see."""
        for name in names:
            self.remote.upload(name)

    def at(self, name: str) -> RunDir:
        """Return the run directory of a name, which need not exist."""
        if self._runs is None:
            self._runs = self.remote.entries()
        if name in self._runs:
            self._download(name)
        return super().at(name)

    def study(self, key: str) -> Path:
        """Return the directory of a study's summary, report and search."""
        self._download(f"{STUDIES}/{key}")
        return super().study(key)

    def _siblings(self, run: Run) -> Path:
        """Return the directory that has a file for each run on the run's trajectory."""
        self._download(f"{TRAJECTORIES}/{run.trajectory}")
        return super()._siblings(run)

    def refresh(self) -> None:
        """Forget what was downloaded before this command owned the directory: others may have changed it since."""
        self._downloaded.clear()
        self._runs = None

    def _download(self, name: str) -> None:
        if name not in self._downloaded:
            self.remote.download(name)
            self._downloaded.add(name)
