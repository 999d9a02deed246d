"""Start, monitor and record the runs of one study."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcls.data.regions import regions
from medcls.evaluation.metrics import ENDED, WATCHED, words
from medcls.execution.executors.base import Executor
from medcls.execution.failures import interrupted_result
from medcls.execution.job import Explanation, Job, is_done, is_explained, is_over
from medcls.execution.mlflow_logger import MlflowLogger
from medcls.execution.planning.datasets import DataSource, StudyData
from medcls.execution.run_code import code_of, program_of
from medcls.execution.threads import Placement
from medcls.spec.parameters import flattened, functions
from medcls.spec.run import Run
from medcls.tracking.record_faults import faults
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_origin import keep_code
from medcls.tracking.run_records import RunDescription, RunResult
from medcls.tracking.work_dir import NOTHING, TRAJECTORIES, Progress, RunState, WorkDir
from medcls.utils.code_digest import code_digest
from medcls.utils.console import Line, Screen
from medcls.utils.hashing import digest
from medcls.utils.provenance import UserCode
from medcls.utils.records import DamagedError


@dataclass
class EndedRun:
    """A run of a study that has ended.

    Attributes:
        run: what was run.
        result: how it ended.
        reused: whether it had finished before this command began.
        parent: the id of the entry under which MLflow shows it.
    """

    run: Run
    result: RunResult
    reused: bool
    parent: str


@dataclass
class RunController:
    """Starts and ends the runs of one study.

    Attributes:
        work: the work directory.
        executor: carries the runs out.
        placement: says how many threads a run gets.
        mirroring: shows the runs in MLflow.
        screen: shows them to the user.
        sources: the study's data sets.
        code: the study's code as its user has it.
        explain: the function that is called with every trained network of images, None for none.
        resources: what a run needs of a cluster beside its threads.
        records: how the runs ended, by the id of the MLflow entry above them and the run.
        begun_with: the share of each run's epochs that was there when it was started, from 0 to 1.
    """

    work: WorkDir
    executor: Executor
    placement: Placement
    mirroring: MlflowLogger
    screen: Screen
    sources: StudyData
    code: UserCode
    explain: Callable[..., Any] | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    records: dict[tuple[str, Run], EndedRun] = field(default_factory=dict)
    begun_with: dict[Run, float] = field(default_factory=dict)
    _parents: dict[Run, str] = field(default_factory=dict)

    def start(self, run: Run, parent: str, *, test: bool) -> Job | None:
        """Submit a run; where nothing is left to do for it, record how it ended instead.

        Args:
            run: what is to be run.
            parent: the id of the MLflow entry under which the run is shown.
            test: whether the test set is predicted too.

        Returns:
            The job that was submitted, None where the run had ended already.
        """
        state = self._classify(run, test=test)
        job = self.job(run, test=test, shared_from=state.shared_from)
        if not state.has_own_epochs:
            self.work.create_run(run, self._description(run, job), state)
            keep_code(self.work.folder(run), self.code)
        is_finished = state.progress == Progress.FINISHED
        fresh = not is_finished or not is_explained(job)
        self.mirroring.open_run(run, self.work.folder(run), parent, self.sources, fresh=fresh)
        if is_done(job):
            self.end(job, parent, reused=True)
            return None
        if not is_finished:
            self.work.folder(run).drop_result()
        self._submit(job, parent)
        return job

    def end(self, job: Job, parent: str, *, reused: bool) -> None:
        """Record how a run ended, print it, and end its entry in MLflow.

        Args:
            job: which has ended.
            parent: the id of the MLflow entry under which the run is shown.
            reused: whether the run had ended before this command began.
        """
        run, run_dir = job.run, self.work.folder(job.run)
        result = run_dir.result()
        assert result is not None
        run_dir.tidy()  # a process that died after the result, while it drew the figures, is not started again
        self.work.upload(run.key)
        earlier = self.records.get((parent, run))
        if earlier is not None:
            reused = earlier.reused
        elif not reused:
            self.screen.tell(_ended(self.sources.called(run), result))
        self.records[parent, run] = EndedRun(run, result, reused, parent)
        self.mirroring.close_run(run, run_dir, parent, result, self.sources.of(run.variant))

    def note_interruption(self) -> None:
        """Record the runs at work: as they ended, if they have ended meanwhile, and as interrupted otherwise.

        An interrupted run counts with the epochs that its checkpoint holds.
        """
        for job in self.executor.running:
            parent = self._parents.get(job.run)
            if parent is None:
                continue  # another study's run
            run_dir = self.work.folder(job.run)
            result = run_dir.result() if is_over(job) else None
            if result is None:
                result = interrupted_result(run_dir)
            self.records.setdefault((parent, job.run), EndedRun(job.run, result, reused=False, parent=parent))

    def records_of(self, run: Run) -> list[EndedRun]:
        """Return how a run ended, once for each MLflow entry under which it is shown."""
        return [record for record in self.records.values() if record.run == run]

    def line(self, job: Job) -> Line:
        """Return the line of the screen that shows a run at work."""
        run_dir, label = self.work.folder(job.run), self.sources.called(job.run)
        rows = run_dir.rows()
        if not rows:
            return Line(label, 0, job.run.epochs, run_dir.read_status())
        metrics = rows[-1].metrics
        scores = [f"{name} {metrics[name]:.3f}" for name in WATCHED if name in metrics]
        return Line(label, len(rows), job.run.epochs, "  ".join(scores[:2]))

    def job(self, run: Run, *, test: bool, shared_from: Path | None = None) -> Job:
        """Return the job that carries a run out in its run directory.

        Args:
            run: what is to be run.
            test: whether the test set is predicted too.
            shared_from: the run directory whose epochs the run copies, None for none.
        """
        source, run_dir = self.sources.of(run.variant), self.work.folder(run)
        assert source.decoded is not None
        return Job(
            run=run,
            data=source.decoded,
            folder=run_dir.path,
            threads=self._threads(run, source, run_dir if shared_from is None else RunDir(shared_from)),
            test=test,
            explain=self._explanation(source),
            resources=self.resources,
            figures=self.mirroring.mirror is not None,
            remote_url=self.work.url,
            program=program_of(run, source.bundle),
        )

    def _classify(self, run: Run, *, test: bool) -> RunState:
        """Return what there is of a run, without what is damaged: that is removed, and the user is told.

        Args:
            run: what is to be run.
            test: whether the test set is predicted too.
        """
        run_dir = self.work.folder(run)
        damaged = {fault.path: fault for fault in faults(run_dir)}
        if run_dir.predictions in damaged:
            run_dir.predictions.unlink()  # they are made again
        state = self._usable_state(run)
        if state.has_own_epochs and not is_done(self.job(run, test=test)):
            for fault in faults(run_dir, whole=True):
                damaged.setdefault(fault.path, fault)
            if run_dir.checkpoint in damaged:
                run_dir.clear()
                state = self._usable_state(run)
        for fault in damaged.values():
            remedy = f"continuing at epoch {state.epochs + 1}" if state.epochs else "starting again at epoch 1"
            self.screen.tell(f"  {self.sources.called(run)}: {fault.path} is damaged ({fault.reason}): {remedy}.")
        return state

    def _usable_state(self, run: Run) -> RunState:
        """Return what there is of a run; epochs to copy only if the same code trained them and they can be read."""
        state = self.work.state(run)
        if state.shared_from is None:
            return state
        if state.code != code_of(run):
            return NOTHING
        source = RunDir(state.shared_from)
        try:
            source.read_checkpoint(state.epochs)
        except FileNotFoundError:
            path, reason = source.checkpoint, "it is gone"
        except DamagedError as error:
            path, reason = error.path, error.reason
        else:
            return state
        self.screen.tell(
            f"  {self.sources.called(run)}: {path}, which has {state.epochs} epochs to share, is damaged "
            f"({reason}): starting at epoch 1."
        )
        return NOTHING

    def _submit(self, job: Job, parent: str) -> None:
        """Hand a job to the executor, and remember how far its run has come by now."""
        run = job.run
        self.work.upload(run.key, f"{TRAJECTORIES}/{run.trajectory}")
        self._parents[run] = parent
        self.begun_with[run] = self.work.folder(run).epochs_held() / run.epochs if run.epochs else 0.0
        self.executor.submit(job)

    def _explanation(self, source: DataSource) -> Explanation | None:
        """Return what is asked of the networks of a data set; nothing of networks that learn from points."""
        if self.explain is None or not source.bundle.size:
            return None
        parameters = {path: value for path, value, _ in flattened("explain", self.explain, default=False)}
        code = code_digest(functions("explain", self.explain))
        marked = regions(source.bundle)
        return Explanation(self.explain, marked, digest([parameters, code, sorted(marked)]))

    def _threads(self, run: Run, source: DataSource, begun: RunDir) -> int:
        """Return the number of threads of a run: as many as its epochs so far were trained with, if it has any.

        Args:
            run: what is to be run.
            source: its data set.
            begun: the run directory of its epochs so far, its own or that from which it copies them.
        """
        threads = begun.description().threads if begun.epochs_held() else None
        return self.placement.threads(run, source) if threads is None else threads

    def _description(self, run: Run, job: Job) -> RunDescription:
        """Return what run.json is to say of a run that is new."""
        return RunDescription(
            key=run.key,
            trajectory=run.trajectory,
            data=run.data_name,
            variant=run.variant_name,
            label=run.label,
            parameters=run.parameters(),
            code=code_of(run),
            git_commit=self.code.commit,
            git_dirty=self.code.is_dirty,
            threads=job.threads,
            created=int(time.time() * 1000),
        )


def _ended(name: str, result: RunResult) -> str:
    """Return the line that is printed when a run has ended."""
    if result.best_epoch is None:
        return f"  {name}: {result.status}: {result.error}"
    scores = [f"{words(metric)} {result.metrics[metric]:.3f}" for metric in ENDED if metric in result.metrics]
    return f"  {name}: {', '.join(scores)} (epoch {result.best_epoch + 1} of {result.epochs})"
