"""From a run to what there is of it already: finished, to continue, sharing a trajectory, or new."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medcls.spec.run import Run
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir, saved_weights
from medcls.utils.files import is_dead, remove_unfinished

STUDIES, TRAJECTORIES = "studies", "trajectories"  # folders beside the runs'
FINISHED, CONTINUE, SHARED, NEW = "finished", "to continue", "shares epochs", "new"


@dataclass(frozen=True)
class State:
    """What there is of a run: one of the words above, the epochs at hand, who made them, by which code."""

    word: str
    epochs: int
    donor: Path | None
    code: str | None


def with_planned_sharing(runs: Sequence[Run], states: Sequence[State]) -> list[State]:
    """Return what there will be of each run when its turn comes: longer runs go on from shorter ones on their way.

    Of equal runs, which several studies may ask for, the first is trained and the others share all its epochs.
    """
    planned = list(states)
    furthest: dict[str, int] = {}
    for place in sorted(range(len(runs)), key=lambda place: runs[place].epochs):
        run, state = runs[place], states[place]
        trajectory = run.trajectory
        before = furthest.get(trajectory, 0)
        if state.word in (NEW, SHARED) and before > state.epochs:
            planned[place] = replace(state, word=SHARED, epochs=before)
        furthest[trajectory] = max(before, run.epochs)
    return planned


class WorkDir:
    """The folder of all run folders, with the caches and the searches' memories beside them.

    Attributes:
        path: of the folder on this machine.
        depot: of its copy that other machines see, None where this is the only one.
    """

    depot: RemoteSync | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, run: Run) -> RunDir:
        """Return the run's folder, which need not exist."""
        return self.at(run.key)

    def study(self, key: str) -> Path:
        """Return the folder of a study's own memory."""
        return self.path / STUDIES / key

    @property
    def url(self) -> str:
        """Where the folder's copy is that other machines see, "" where this is the only one."""
        return self.depot.url if self.depot is not None else ""

    def send(self, *names: str) -> None:
        """Bring entries of the folder up to date where other machines see them: here they see them anyway."""

    def look_anew(self) -> None:
        """Forget what was seen before the folder was owned: others may have been at work. Here nothing is kept."""

    def tidy(self) -> None:
        """Remove what killed commands were writing here, outside the runs' folders: for who owns the folder."""
        for folder in (self.path, self.cache, saved_weights(self.path, "").parent, *(self.path / STUDIES).glob("*")):
            remove_unfinished(folder, of=is_dead)

    def at(self, name: str) -> RunDir:
        """Return the run folder of this name."""
        return RunDir(self.path / name)

    @property
    def cache(self) -> Path:
        """The folder of decoded images and of what is known of files and networks."""
        return self.path / "cache"

    def state(self, run: Run) -> State:
        """Return what there is of a run."""
        folder = self.folder(run)
        described, result, held = folder.description(), folder.result(), folder.epochs_held()
        code = described.get("code")
        finished = folder.is_finished() and result is not None and held >= result["epochs"]
        if described and finished:
            return State(FINISHED, held, None, code)
        if described and held:
            return State(CONTINUE, held, None, code)
        donor, epochs = self._donor(run)
        if donor is not None:
            return State(SHARED, epochs, donor, RunDir(donor).description().get("code"))
        return State(NEW, 0, None, None)

    def enter(self, run: Run, record: dict[str, Any], state: State) -> None:
        """Describe the run in its folder and let others find it by its trajectory; take over a donor's epochs.

        The epochs come last: a run that holds some is described. What lies there is damaged, or of other code.
        """
        folder, siblings = self.folder(run), self._siblings(run)
        folder.clear()
        siblings.mkdir(parents=True, exist_ok=True)
        (siblings / run.key).touch()
        if state.donor is None:
            folder.describe(record)
            return
        donor = RunDir(state.donor)
        epochs, kept, arrays = donor.read_checkpoint(state.epochs)
        folder.describe({**record, "shared_epochs": epochs, "shared_from": state.donor.name})
        folder.adopt(donor.rows(), epochs, kept, arrays)

    def _siblings(self, run: Run) -> Path:
        return self.path / TRAJECTORIES / run.trajectory

    def _donor(self, run: Run) -> tuple[Path | None, int]:
        """Return the run folder on the same trajectory whose checkpoints come furthest without going too far."""
        best: tuple[Path | None, int] = (None, 0)
        siblings = self._siblings(run)
        for name in sorted(path.name for path in siblings.iterdir()) if siblings.is_dir() else ():
            folder = self.at(name)
            epochs = folder.most_epochs(run.epochs) if folder.description() else 0
            if name != run.key and best[1] < epochs:
                best = (self.path / name, epochs)
        return best
