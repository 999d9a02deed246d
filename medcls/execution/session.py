"""Several studies carried out together: planned, their data checked and decoded, their runs trained."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medcls.data.dataset import DatasetSpec, Tell
from medcls.execution.controller import RunController, stale
from medcls.execution.executors.base import Executor
from medcls.execution.executors.local import LocalExecutor, available_cores
from medcls.execution.executors.ray import RayExecutor
from medcls.execution.executors.remote_job import WEIGHTS
from medcls.execution.mlflow_logger import opened_store, study_mirroring
from medcls.execution.options import Options
from medcls.execution.planning import dry_run
from medcls.execution.planning.configure import apply_options, options_for
from medcls.execution.planning.datasets import DataSource, StudyData, decode
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.planning.pretrained import prepare
from medcls.execution.planning.weights import check
from medcls.execution.runner import run_planned_studies
from medcls.execution.threads import Placement
from medcls.spec.run import Run
from medcls.spec.study import Study
from medcls.tracking.lock import RECORD, work_dir_lock
from medcls.tracking.mlflow_client import import_client
from medcls.tracking.remote_work_dir import RemoteWorkDir
from medcls.tracking.work_dir import STUDIES, Progress, WorkDir
from medcls.training.network import measure
from medcls.utils.console import Screen
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.outputs import check_writable
from medcls.utils.redaction import without_secrets
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import explained


@dataclass(frozen=True)
class SessionResult:
    """How the runs of one command ended.

    Attributes:
        ended: how many runs there were.
        failures: each failed run's name and what went wrong.
    """

    ended: int = 0
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """What to say of the failed runs, "" if there are none."""
        if not self.failures:
            return ""
        name, error = self.failures[0]
        return f"{len(self.failures)} of {self.ended} runs failed, e.g. {name}: {error}"


def run_studies(studies: Sequence[Study], options: Options) -> SessionResult:
    """Carry studies out together as the options say; return how their runs ended.

    Raises:
        BadInputError: something that cannot be used as the studies or the options want it.
        OSError: something cannot be written.
    """
    started = time.monotonic()
    screen = Screen(options.loudness)
    _check_places(options)
    work = RemoteWorkDir(options.work_url) if options.work_url else WorkDir(options.work_dir)
    here = _warm(options) if options.executor == "local" and not options.plan else None
    try:
        programmes = [_programme(study, studies, options, work, screen) for study in studies]
        if options.plan:
            dry_run.print_plan(programmes, screen)
            return SessionResult()
        with _owned(work, wait=options.wait, tell=screen.tell) as waited:
            if waited:
                programmes = [_described_anew(programme, screen) for programme in programmes]
            work.look_anew()
            work.tidy()
            _refuse_other_code(programmes)
            return _train(programmes, here or _cluster(options, work), screen, started)
    finally:
        if here is not None:
            here.stop()


def _programme(study: Study, studies: Sequence[Study], options: Options, work: WorkDir, screen: Screen) -> StudyPlan:
    mine = options_for(study, studies, options)
    try:
        with explained(options.work_dir, BadInputError):
            programme = StudyPlan(apply_options(study, mine), mine, work, _telling(screen))
    except BadInputError as error:
        raise BadInputError(f"{study.name}: {error}" if len(studies) > 1 else str(error)) from error
    _warn(programme, screen)
    return programme


def _described_anew(programme: StudyPlan, screen: Screen) -> StudyPlan:
    """Return a programme with its data sets as they are now, for they may have changed while it waited.

    Raises:
        BadInputError: a data set that can no longer be used as the study wants it.
    """
    again = StudyPlan(programme.study, programme.options, programme.work, _telling(screen))
    before = {source.bundle.fingerprint for source in programme.sources.by_name.values()}
    changed = [each for each in again.sources.by_name.values() if each.bundle.fingerprint not in before]
    if not changed:
        return programme
    for source in changed:
        screen.tell(f"{source.name}: its images changed while this command waited, and count as they are now.")
    _warn(again, screen)
    return again


def _train(programmes: Sequence[StudyPlan], executor: Executor, screen: Screen, started: float) -> SessionResult:
    options, work = programmes[0].options, programmes[0].work
    try:
        for programme in programmes:
            _describe(programme, screen)
            _check_weights(programme, executor, screen)
        decoded = [_decoded(programme, screen) for programme in programmes]
        if not options.offline:
            import_client()  # while the server of workers imports TensorFlow
        runs = [run for programme in programmes for run in programme.known_runs()]
        if any(work.state(run).progress != Progress.FINISHED for run in runs):
            executor.rehearse(runs)
        stores = [opened_store(programme, screen.tell) for programme in programmes]
        if options.force:
            for programme in programmes:
                programme.forget()  # not before it is certain that the studies can be carried out
        if options.executor != "local":
            work.send(WEIGHTS, *{path.relative_to(work.path).as_posix() for path in _decoded_folders(decoded)})
        threads = options.threads or (
            1 if options.smoke else None
        )  # tiny runs spend their time in tracing, on one core
        placement = Placement(executor.cores, threads, work.cache / "networks.json", _measuring(executor))
        begin = partial(RunController, work, executor, placement)
        drivers = [
            begin(
                study_mirroring(programme, store), screen, sources, programme.study.explain, programme.study.resources
            )
            for programme, store, sources in zip(programmes, stores, decoded, strict=True)
        ]
        try:
            with explained(work.path, TrainingError):
                run_planned_studies(list(zip(programmes, drivers, strict=True)), started)
        finally:
            work.send(*(f"{STUDIES}/{programme.key}" for programme in programmes))
        return _result(drivers)
    finally:
        executor.stop()


def _owned(work: WorkDir, *, wait: bool, tell: Callable[[str], None]) -> AbstractContextManager[bool]:
    slip = work.depot.slip(RECORD) if work.depot is not None else None
    return work_dir_lock(work.path, wait=wait, tell=tell, slip=slip, named=without_secrets(work.url))


def _decoded_folders(decoded: Sequence[StudyData]) -> Iterator[Path]:
    for sources in decoded:
        yield from (source.decoded for source in sources.by_name.values() if source.decoded is not None)


def _warm(options: Options) -> LocalExecutor:
    """Return what carries runs out on this machine; while the data are looked at it imports TensorFlow."""
    cores = available_cores()
    executor = LocalExecutor(cores, options.workers or cores)
    executor.warm_up()
    return executor


def _cluster(options: Options, work: WorkDir) -> RayExecutor:
    """Return what carries runs out on a cluster.

    Raises:
        BadInputError: there is no such cluster.
    """
    return RayExecutor(options.executor, options.workers, work.depot)


def _describe(programme: StudyPlan, screen: Screen) -> None:
    """Say each data set in one line."""
    for source in programme.sources.by_name.values():
        screen.say(_described(source))


def _decoded(programme: StudyPlan, screen: Screen) -> StudyData:
    """Return the data sets, their images decoded."""
    tell = _telling(screen)

    def decoded(source: DataSource) -> DataSource:
        return decode(source, programme.work, partial(tell, f"decoding {source.name}"), screen.tell)

    with explained(programme.work.path, BadInputError):
        return programme.sources.map(decoded)


def _check_weights(programme: StudyPlan, executor: Executor, screen: Screen) -> None:
    """Say what begins with saved weights, and refuse those that do not fit before anything is trained."""
    study, options = programme.study, programme.options
    compared = study.folds is not None or options.vary_split or options.split_seed > 0
    for line in check(study.conditions, programme.sources, options.work_dir, executor.ask, folds=compared):
        screen.say(line)
    for line in prepare(study.conditions, programme.sources, options.work_dir, executor.ask, options.weights):
        screen.say(line)


def _described(source: DataSource) -> str:
    bundle = source.bundle
    origin = "a phantom made by medcls, no real images" if bundle.kind == "phantom" else bundle.source
    kinds = f"of {len(bundle.classes)} classes" if bundle.masks is None else _with_masks(bundle)
    return f"{source.name}: {len(bundle.labels)} {bundle.noun} {kinds} ({origin})"


def _with_masks(bundle: DatasetSpec) -> str:
    if bundle.marks is None:
        return "with masks"
    return f"with masks, in which {bundle.marks(lambda *_: None).sentence}"


def _warn(programme: StudyPlan, screen: Screen) -> None:
    """Say what was found in each data set: what may mislead as a warning, the rest as a note."""
    for source in programme.sources.by_name.values():
        for finding in source.findings:
            screen.say(f"{source.name}: {finding.word}: {finding.sentence}")


def _telling(screen: Screen) -> Tell:
    """Return what says, every few seconds, how far a long piece of work has come."""
    said = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > 5:
            said = time.monotonic()
            screen.tell(f"  {what}: {done} of {total}")

    return tell


def _measuring(executor: Executor) -> Callable[[Run, DataSource], dict[str, int]]:
    def measured(run: Run, source: DataSource) -> dict[str, int]:
        bundle = source.bundle
        result: dict[str, int] = executor.ask(measure, run.variant, bundle.shape, len(bundle.classes))
        return result

    return measured


def _result(drivers: Sequence[RunController]) -> SessionResult:
    ended = 0
    failures = []
    for driver in drivers:
        for record in driver.records.values():
            ended += 1
            if record.result.status == RunStatus.FAILED:
                failures.append((driver.sources.called(record.run), str(record.result.error)))
    return SessionResult(ended, tuple(failures))


def _refuse_other_code(programmes: Sequence[StudyPlan]) -> None:
    """Never count silently what other code made."""
    options, work = programmes[0].options, programmes[0].work
    if options.force or options.keep:
        return
    known = [run for programme in programmes for run in programme.known_runs()]
    old = [run for run in known if stale(run, work.state(run))]
    if old:
        raise BadInputError(
            f"{len(old)} runs were made by other code than today's, e.g. {old[0].label} ({old[0].key}): "
            "--force runs them again, --keep counts them as they are."
        )


def _check_places(options: Options) -> None:
    """Complain now about what could not be written at the end."""
    if options.force and options.keep:
        raise BadInputError("--force runs again what --keep counts as finished: give one of the two.")
    if options.json is not None:
        check_writable("--json", options.json)
    for folder in (options.work_dir, *options.work_dir.parents):
        if folder.is_file():
            raise BadInputError(f"--work-dir {options.work_dir}: {folder} is a file; give a folder.")
