"""What becomes of one study's runs: each is begun in its folder, submitted, shown, and recorded when it ends."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcls.data.regions import regions
from medcls.data.split import split
from medcls.evaluation.metrics import ENDED, WATCHED, words
from medcls.execution.executors.base import Executor
from medcls.execution.job import Explanation, Job, is_done, is_explained, is_over
from medcls.execution.mlflow_logger import MlflowLogger
from medcls.execution.planning.datasets import DataSource, StudyData
from medcls.execution.run import interrupted
from medcls.execution.threads import Placement
from medcls.spec.parameters import flattened, functions
from medcls.spec.run import Run
from medcls.tracking.record_faults import faults
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunDescription, RunResult
from medcls.tracking.work_dir import NOTHING, TRAJECTORIES, Progress, RunState, WorkDir
from medcls.utils.code_digest import code_digest
from medcls.utils.console import Line, Screen
from medcls.utils.hashing import digest
from medcls.utils.records import DamagedError


@dataclass
class EndedRun:
    """A run of a study that has ended.

    Attributes:
        run: what was run.
        result: how it ended.
        reused: whether it had finished before this command began.
        parent: the identity of the node under which MLflow shows it.
    """

    run: Run
    result: RunResult
    reused: bool
    parent: str


@dataclass
class RunController:
    """Begins and ends the runs of one study; `records` collects how each ended.

    `explain` is the function that every network of images is asked at the end of its run, None for none; `resources`
    are what a run needs of a cluster; `begun_with` is the part of each run that was there when it was begun.
    """

    work: WorkDir
    executor: Executor
    placement: Placement
    mirroring: MlflowLogger
    screen: Screen
    sources: StudyData
    explain: Callable[..., Any] | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    records: dict[tuple[str, Run], EndedRun] = field(default_factory=dict)
    begun_with: dict[Run, float] = field(default_factory=dict)
    _parents: dict[Run, str] = field(default_factory=dict)

    def note_interruption(self) -> None:
        """Record the runs at work: those that came to their end meanwhile as they ended, the others as interrupted.

        Of these count the epochs that their checkpoints hold.
        """
        for job in self.executor.running:
            if job.run not in self._parents:
                continue  # another study's
            identity = (self._parents[job.run], job.run)
            folder = self.work.folder(job.run)
            result = (folder.result() if is_over(job) else None) or interrupted(folder)
            self.records.setdefault(identity, EndedRun(job.run, result, reused=False, parent=identity[0]))

    def start(self, run: Run, parent: str, *, test: bool) -> Job | None:
        """Submit a run; return None, and record it, if there is nothing left to do for it."""
        folder = self.work.folder(run)
        damaged = faults(folder)
        if any(fault.path == folder.predictions for fault in damaged):
            folder.predictions.unlink()  # they are made again
        state = self._state(run)
        if state.has_own_epochs and not is_done(self.job(run, test=test)):
            damaged += [
                fault for fault in faults(folder, whole=True) if fault.path not in {each.path for each in damaged}
            ]
            if any(fault.path == folder.checkpoint for fault in damaged):
                folder.clear()
                state = self._state(run)
        for fault in damaged:
            self.screen.tell(f"  {self.sources.called(run)}: {_done_without(fault, state)}")
        job = self.job(run, test=test, donor=state.shared_from)
        if not state.has_own_epochs:
            self.work.create_run(run, self._description(run, job), state)
        fresh = state.progress != Progress.FINISHED or not is_explained(job)
        self.mirroring.open_run(run, self.work.folder(run), parent, self.sources, fresh=fresh)
        if is_done(job):
            self.end(job, parent, reused=True)
            return None
        if state.progress != Progress.FINISHED:
            self.work.folder(run).drop_result()
        self.work.send(run.key, f"{TRAJECTORIES}/{run.trajectory}")
        self._parents[run] = parent
        self.begun_with[run] = self.work.folder(run).epochs_held() / run.epochs if run.epochs else 0.0
        self.executor.submit(job)
        return job

    def _state(self, run: Run) -> RunState:
        """Return what there is of a run that it can begin with; say so where that is damaged."""
        state = self.work.state(run)
        if state.progress != Progress.SHARED:
            return state
        if state.code != code_of(run):  # what other code has trained is no prefix of this run
            return NOTHING
        donor = RunDir(state.shared_from or self.work.path)
        try:
            donor.read_checkpoint(state.epochs)
        except (FileNotFoundError, DamagedError) as error:
            reason = error.reason if isinstance(error, DamagedError) else "it is gone"
            path = donor.checkpoint if isinstance(error, FileNotFoundError) else error.path
            self.screen.tell(
                f"  {self.sources.called(run)}: {path}, which has {state.epochs} epochs to share, is damaged "
                f"({reason}): starting from epoch 0."
            )
            return NOTHING
        return state

    def records_of(self, run: Run) -> list[EndedRun]:
        """Return what is known of a run, once for each parent that it has."""
        return [record for record in self.records.values() if record.run == run]

    def job(self, run: Run, *, test: bool, donor: Path | None = None) -> Job:
        """Return the job that carries a run out in its folder."""
        source, folder = self.sources.of(run.variant), self.work.folder(run)
        assert source.decoded is not None
        threads = self._threads(run, source, RunDir(donor or folder.path))
        explain, shown = self._explanation(source), self.mirroring.mirror is not None
        places = (source.decoded, folder.path, threads, test, explain, self.resources)
        return Job(run, *places, figures=shown, depot=self.work.url)

    def _explanation(self, source: DataSource) -> Explanation | None:
        """Return what the network of a run on a data set is asked at its end; of points, nothing."""
        if self.explain is None or not source.bundle.size:
            return None
        parameters = {path: value for path, value, _ in flattened("explain", self.explain, default=False)}
        code = code_digest(functions("explain", self.explain))
        marked = regions(source.bundle)
        return Explanation(self.explain, marked, digest([parameters, code, sorted(marked)]))

    def _threads(self, run: Run, source: DataSource, begun: RunDir) -> int:
        """Return the threads of a run: those of its epochs so far, else what suits its network."""
        known = begun.description().threads if begun.epochs_held() else None
        if known is not None:
            return known
        return self.placement.threads(run, source)

    def _description(self, run: Run, job: Job) -> RunDescription:
        return RunDescription(
            key=run.key,
            trajectory=run.trajectory,
            data=run.data_name,
            variant=run.variant_name,
            label=run.label,
            parameters=run.parameters(),
            code=code_of(run),
            git_commit=self.mirroring.git_commit,
            git_dirty=self.mirroring.git_dirty,
            threads=job.threads,
            created=int(time.time() * 1000),
        )

    def end(self, job: Job, parent: str, *, reused: bool) -> None:
        """Record how a run ended, say so, and end it in the store."""
        run, folder = job.run, self.work.folder(job.run)
        result = folder.result()
        assert result is not None
        folder.tidy()  # a process that died after the result, in its figures, is not begun again
        self.work.send(run.key)
        identity = (parent, run)
        before = self.records.get(identity)
        if not reused and before is None:
            self.screen.tell(_ended(self.sources.called(run), result))
        self.records[identity] = EndedRun(run, result, before.reused if before else reused, parent)
        self.mirroring.close_run(run, folder, parent, result, self.sources.of(run.variant))

    def line(self, job: Job) -> Line:
        """Return what is shown of a run at work."""
        rows = self.work.folder(job.run).rows()
        watched = [name for name in WATCHED if rows and name in rows[-1].metrics]
        scores = [f"{name} {rows[-1].metrics[name]:.3f}" for name in watched[:2]]
        said = "  ".join(scores) if rows else self.work.folder(job.run).read_status()
        return Line(self.sources.called(job.run), len(rows), job.run.epochs, said)


def code_of(run: Run) -> str:
    """Return the digest of the code that determines a run's result."""
    return code_digest([*run.variant.functions(), split])


def stale(run: Run, state: RunState) -> bool:
    """Tell whether what there is of a run was made by other code than today's."""
    return state.has_own_epochs and state.code is not None and state.code != code_of(run)


def _done_without(fault: DamagedError, state: RunState) -> str:
    """Return what is said of a damaged record, and from where its run goes on."""
    going_on = f"resuming from epoch {state.epochs}" if state.epochs else "starting again from epoch 0"
    return f"{fault.path} is damaged ({fault.reason}): {going_on}."


def _ended(name: str, result: RunResult) -> str:
    """Return the line that is printed when a run has ended."""
    if result.best_epoch is None:
        return f"  {name}: {result.status}: {result.error}"
    scores = [f"{words(metric)} {result.metrics[metric]:.3f}" for metric in ENDED if metric in result.metrics]
    return f"  {name}: {', '.join(scores)} (epoch {result.best_epoch + 1} of {result.epochs})"
