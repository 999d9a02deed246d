"""A session: studies are planned together, their runs executed side by side, and each study concluded."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from medcls.execution.conclusion import conclude, write_summaries
from medcls.execution.controller import RunController
from medcls.execution.executors.base import Executor
from medcls.execution.executors.local import LocalExecutor, available_cores
from medcls.execution.executors.ray import RayExecutor
from medcls.execution.loop import run_until_done
from medcls.execution.mlflow_logger import opened_store, study_mirroring
from medcls.execution.options import Options
from medcls.execution.planning.configure import apply_options, options_for
from medcls.execution.planning.dry_run import print_plan
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.preparation import decoded_data, placement_of, upload_inputs
from medcls.execution.run_code import stale
from medcls.execution.scheduling import StudyAtWork, scheduled
from medcls.execution.summary import summarise
from medcls.spec.run import Run
from medcls.spec.study import Study
from medcls.tracking.lock import RECORD, work_dir_lock
from medcls.tracking.mlflow_client import import_client
from medcls.tracking.remote_work_dir import RemoteWorkDir
from medcls.tracking.work_dir import STUDIES, Progress, WorkDir
from medcls.utils.console import ProgressLines, Screen
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.outputs import check_writable
from medcls.utils.redaction import without_secrets
from medcls.utils.signals import stop_repeating
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import explained


@dataclass(frozen=True)
class SessionResult:
    """How the runs of one command ended.

    Attributes:
        ended: the number of runs that ended.
        failures: the name and the error of each failed run.
    """

    ended: int = 0
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """What to print about failed runs, "" without any."""
        if not self.failures:
            return ""
        name, error = self.failures[0]
        return f"{len(self.failures)} of {self.ended} runs failed, e.g. {name}: {error}"


def run_studies(studies: Sequence[Study], options: Options) -> SessionResult:
    """Run studies together as the options say; return how their runs ended.

    Raises:
        BadInputError: data, options or a store that the studies cannot use.
        OSError: a file that cannot be written.
    """
    started = time.monotonic()
    screen = Screen(options.loudness)
    _check_places(options)
    work = RemoteWorkDir(options.work_url) if options.work_url else WorkDir(options.work_dir)
    local = _local_executor(options) if options.executor == "local" and not options.plan else None
    try:
        plans = [_plan(study, studies, options, work, screen) for study in studies]
        if options.plan:
            print_plan(plans, screen)
            return SessionResult()
        with _lock(work, wait=options.wait, tell=screen.tell) as waited:
            if waited:
                plans = [_planned_again(plan, screen) for plan in plans]
            work.refresh()
            work.tidy()
            _refuse_other_code(plans)
            executor = local or RayExecutor(options.executor, options.workers, work.remote)
            return _train(plans, executor, screen, started)
    finally:
        if local is not None:
            local.stop()


def _plan(study: Study, studies: Sequence[Study], options: Options, work: WorkDir, screen: Screen) -> StudyPlan:
    """Return the plan of one of the studies; print what was found in its data sets."""
    own = options_for(study, studies, options)
    try:
        with explained(options.work_dir, BadInputError):
            plan = StudyPlan(apply_options(study, own), own, work, _progress(screen))
    except BadInputError as error:
        raise BadInputError(f"{study.name}: {error}" if len(studies) > 1 else str(error)) from error
    _print_findings(plan, screen)
    if plan.question != study.question:
        screen.say(plan.question)
    return plan


def _planned_again(plan: StudyPlan, screen: Screen) -> StudyPlan:
    """Return a plan with its data sets as they are now: they may have changed while the command waited.

    Raises:
        BadInputError: a data set that the study can no longer use.
    """
    again = StudyPlan(plan.study, plan.options, plan.work, _progress(screen))
    before = {source.bundle.fingerprint for source in plan.sources.by_name.values()}
    changed = [source for source in again.sources.by_name.values() if source.bundle.fingerprint not in before]
    if not changed:
        return plan
    for source in changed:
        screen.tell(f"{source.name}: its images changed while this command waited. The new images are used.")
    _print_findings(again, screen)
    return again


def _train(plans: Sequence[StudyPlan], executor: Executor, screen: Screen, started: float) -> SessionResult:
    """Decode the data sets, open the MLflow store, and execute the runs of all plans."""
    options, work = plans[0].options, plans[0].work
    try:
        data = decoded_data(plans, executor, screen)
        if not options.offline:
            import_client()  # while the server of workers imports TensorFlow
        runs = _known_runs(plans)
        if any(work.state(run).progress != Progress.FINISHED for run in runs):
            executor.rehearse(runs)
        stores = [opened_store(plan, screen.tell) for plan in plans]
        if options.force:
            for plan in plans:
                plan.forget()  # not before it is certain that the studies can be run
        if options.executor != "local":
            upload_inputs(work, data)
        placement = placement_of(options, work, executor)
        tuners = [plan.tuner(executor.slots) if plan.study.search is not None else None for plan in plans]
        studies = []
        for plan, store, sources, tuner in zip(plans, stores, data, tuners, strict=True):
            mirroring = study_mirroring(plan, store)
            explain, resources = plan.study.explain, plan.study.resources
            controller = RunController(
                work, executor, placement, mirroring, screen, sources, plan.code, explain, resources
            )
            studies.append(StudyAtWork(plan, controller, tuner))
        try:
            with explained(work.path, TrainingError):
                _carry_out(studies, started)
        finally:
            work.upload(*(f"{STUDIES}/{plan.key}" for plan in plans))
        return _result(studies)
    finally:
        executor.stop()


def _carry_out(studies: Sequence[StudyAtWork], started: float) -> None:
    """Run the runs of all studies and conclude each; if that is cut off, MLflow shows the studies as killed.

    Args:
        studies: which share the executor and the screen.
        started: when the command began, as of time.monotonic.
    """
    options, several = studies[0].plan.options, len(studies) > 1
    try:
        with ExitStack() as stack:
            for study in studies:
                if study.tuner is not None:
                    stack.enter_context(study.tuner.at_work())
            run_until_done([scheduled(study, started, alone=not several) for study in studies])
        summaries = []
        for study in studies:
            if several:
                study.controller.screen.say("")
                study.controller.screen.say(f"{study.plan.study.name}: {study.plan.question}")
            summaries.append(conclude(study, started))
        write_summaries(summaries, options.json)
    except BaseException as error:
        stop_repeating()
        for study in studies:
            study.controller.mirroring.interrupt()
        if isinstance(error, KeyboardInterrupt) and options.json is not None:
            summaries = []
            for study in studies:
                study.controller.note_interruption()
                summaries.append(summarise(study.plan, study.controller, {}, study.plan.trials(), started))
            write_summaries(summaries, options.json)
        raise


def _known_runs(plans: Sequence[StudyPlan]) -> list[Run]:
    runs: list[Run] = []
    for plan in plans:
        runs += plan.known_runs()
    return runs


def _lock(work: WorkDir, *, wait: bool, tell: Callable[[str], None]) -> AbstractContextManager[bool]:
    record = work.remote.record_file(RECORD) if work.remote is not None else None
    return work_dir_lock(work.path, wait=wait, tell=tell, record=record, named=without_secrets(work.url))


def _local_executor(options: Options) -> LocalExecutor:
    """Return the executor of this machine, which begins to import TensorFlow while the data are checked."""
    cores = available_cores()
    executor = LocalExecutor(cores, options.workers or cores)
    executor.warm_up()
    return executor


def _print_findings(plan: StudyPlan, screen: Screen) -> None:
    """Print what the data checks found, what may mislead as a warning, and what networks will see of the images."""
    for source in plan.sources.by_name.values():
        for finding in source.findings:
            screen.say(f"{source.name}: {finding.word}: {finding.sentence}")
        for sentence in source.seen:
            if sentence:
                screen.say(f"{source.name}: note: {sentence}")


def _progress(screen: Screen) -> ProgressLines:
    return ProgressLines(screen.tell, indent="  ")


def _result(studies: Sequence[StudyAtWork]) -> SessionResult:
    ended = 0
    failures = []
    for study in studies:
        controller = study.controller
        for record in controller.records.values():
            ended += 1
            if record.result.status == RunStatus.FAILED:
                failures.append((controller.sources.called(record.run), str(record.result.error)))
    return SessionResult(ended, tuple(failures))


def _refuse_other_code(plans: Sequence[StudyPlan]) -> None:
    """Refuse finished runs that a different version of the code has produced, unless --force or --keep is given."""
    options, work = plans[0].options, plans[0].work
    if options.force or options.keep:
        return
    old = [run for run in _known_runs(plans) if stale(run, work.state(run))]
    if not old:
        return
    runs = "1 finished run was" if len(old) == 1 else f"{len(old)} finished runs were"
    example = f"{old[0].label}, {old[0].key}"
    remedy = "Use --force to rerun them or --keep to accept them."
    raise BadInputError(f"{runs} produced by a different version of the code (e.g. {example}). {remedy}")


def _check_places(options: Options) -> None:
    """Check at the beginning that what is written at the end can be written."""
    if options.force and options.keep:
        raise BadInputError("--force reruns the finished runs that --keep accepts: give one of the two.")
    if options.json is not None:
        check_writable("--json", options.json)
    for path in (options.work_dir, *options.work_dir.parents):
        if path.is_file():
            raise BadInputError(f"--work-dir {options.work_dir}: {path} is a file; name a directory.")
