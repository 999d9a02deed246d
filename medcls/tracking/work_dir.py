"""The work directory, where all runs live, and how far each run in it has come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from medcls.spec.run import Run
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir, saved_weights
from medcls.tracking.run_records import RunDescription
from medcls.utils.files import is_dead, remove_unfinished

STUDIES, TRAJECTORIES = "studies", "trajectories"  # directories beside those of the runs


class Progress(StrEnum):
    """How far a run has come, as --plan shows it."""

    FINISHED = "finished"
    CONTINUE = "to continue"
    SHARED = "shares epochs"
    NEW = "new"


@dataclass(frozen=True)
class RunState:
    """What there is of a run in the work directory.

    Attributes:
        progress: how far the run has come.
        epochs: how many epochs it has, or can copy from another run.
        shared_from: the run directory from which it can copy them, None where it has its own or none.
        code: the digest of the code that trained these epochs, None where it is not recorded or there are none.
    """

    progress: Progress
    epochs: int = 0
    shared_from: Path | None = None
    code: str | None = None

    @property
    def has_own_epochs(self) -> bool:
        """Whether the run has finished or was interrupted after its first epoch."""
        return self.progress in (Progress.FINISHED, Progress.CONTINUE)


NOTHING = RunState(Progress.NEW)


def with_planned_sharing(runs: Sequence[Run], states: Sequence[RunState]) -> list[RunState]:
    """Return what there will be of each run when its turn comes: a longer run copies the epochs of a shorter one.

    Of equal runs, which several studies may ask for, the first is trained and the others share all its epochs.

    Args:
        runs: that are planned together.
        states: what there is of each run now.
    """
    planned = list(states)
    furthest: dict[str, int] = {}  # by trajectory
    for index in sorted(range(len(runs)), key=lambda index: runs[index].epochs):
        run, state = runs[index], states[index]
        epochs = furthest.get(run.trajectory, 0)
        if not state.has_own_epochs and epochs > state.epochs:
            planned[index] = replace(state, progress=Progress.SHARED, epochs=epochs)
        furthest[run.trajectory] = max(epochs, run.epochs)
    return planned


class WorkDir:
    """The directory of all run directories, with the caches and the studies' own directories beside them.

    Args:
        path: the directory on this machine.

    Attributes:
        remote: the copy of the directory that other machines see, None where this directory is the only one.
    """

    remote: RemoteSync | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, run: Run) -> RunDir:
        """Return a run's directory, which need not exist."""
        return self.at(run.key)

    def study(self, key: str) -> Path:
        """Return the directory of a study's summary, report and search."""
        return self.path / STUDIES / key

    @property
    def url(self) -> str:
        """The URL of the copy that other machines see, "" where this directory is the only one."""
        return self.remote.url if self.remote is not None else ""

    def upload(self, *names: str) -> None:
        """Upload entries of the directory to the copy that other machines see; here there is none."""

    def refresh(self) -> None:
        """Forget what was downloaded before this command owned the directory; here nothing is downloaded."""

    def tidy(self) -> None:
        """Remove the unfinished files of killed commands outside the run directories; the caller holds the lock."""
        weights = saved_weights(self.path, "").parent
        for directory in (self.path, self.cache, weights, *(self.path / STUDIES).glob("*")):
            remove_unfinished(directory, of=is_dead)

    def at(self, name: str) -> RunDir:
        """Return the run directory of a name, which need not exist."""
        return RunDir(self.path / name)

    @property
    def cache(self) -> Path:
        """The directory of decoded images and of what was measured of files and networks."""
        return self.path / "cache"

    def state(self, run: Run) -> RunState:
        """Return what there is of a run."""
        run_dir = self.folder(run)
        description, result, held = run_dir.description(), run_dir.finished_result(), run_dir.epochs_held()
        if not description.is_empty:
            if result is not None and held >= result.epochs:
                return RunState(Progress.FINISHED, held, None, description.code)
            if held:
                return RunState(Progress.CONTINUE, held, None, description.code)
        source, epochs = self._checkpoint_source(run)
        if source is not None:
            return RunState(Progress.SHARED, epochs, source, RunDir(source).description().code)
        return NOTHING

    def create_run(self, run: Run, description: RunDescription, state: RunState) -> None:
        """Describe a run in its directory, enter it under its trajectory, and copy the epochs that it shares.

        The epochs are copied last, so that a run that holds epochs is always described. What was in the directory is
        removed: it is damaged, or was trained by other code.

        Args:
            run: that is begun.
            description: for its run.json; the shared epochs are added here.
            state: what there is of the run; with SHARED, from where its epochs are copied.
        """
        run_dir, siblings = self.folder(run), self._siblings(run)
        run_dir.clear()
        siblings.mkdir(parents=True, exist_ok=True)
        (siblings / run.key).touch()
        if state.shared_from is None:
            run_dir.describe(description)
            return
        source = RunDir(state.shared_from)
        epochs, checkpoint_state, arrays = source.read_checkpoint(state.epochs)
        run_dir.describe(replace(description, shared_epochs=epochs, shared_from=state.shared_from.name))
        run_dir.copy_checkpoint(source.rows(), epochs, checkpoint_state, arrays)

    def _siblings(self, run: Run) -> Path:
        """Return the directory that has a file for each run on the run's trajectory."""
        return self.path / TRAJECTORIES / run.trajectory

    def _checkpoint_source(self, run: Run) -> tuple[Path | None, int]:
        """Return the run directory on the same trajectory with the longest checkpoint that is not too long.

        Returns:
            The directory, None if there is none; and how many epochs that checkpoint holds.
        """
        source, most = None, 0
        siblings = self._siblings(run)
        if not siblings.is_dir():
            return None, 0
        for name in sorted(path.name for path in siblings.iterdir()):
            if name == run.key:
                continue
            run_dir = self.at(name)
            epochs = run_dir.most_epochs(run.epochs) if not run_dir.description().is_empty else 0
            if epochs > most:
                source, most = run_dir.path, epochs
        return source, most
