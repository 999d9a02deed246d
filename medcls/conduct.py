"""A study from its command line to its exit code."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from medcls.compute.local import LocalExecutor, available_cores
from medcls.compute.placement import Placement
from medcls.drive import Driver, stale
from medcls.errors import BadInputError
from medcls.mirroring import study_mirroring
from medcls.options import Options
from medcls.outcome import carry_out
from medcls.plan import WorkFolder
from medcls.programme import Programme, adapted
from medcls.run import measure
from medcls.screen import Screen
from medcls.sources import Source, decode
from medcls.spec import Run
from medcls.study import Study

FINISHED, SOME_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def conduct(study: Study, options: Options) -> int:
    """Carry a study out as the options say; return the exit code."""
    started = time.monotonic()
    screen = Screen()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _check_output(options)
        programme = Programme(adapted(study, options), options, WorkFolder(options.work_dir))
        if options.plan:
            programme.show(screen)
            return FINISHED
        with _owned(programme.work):
            _settle_old_runs(programme)
            return _train(programme, screen, started)
    except BadInputError as error:
        return _say(study, str(error), BAD_INPUT)
    except OSError as error:
        return _say(study, f"{error.strerror or error}: {error.filename or options.work_dir}.", SOME_FAILED)
    except KeyboardInterrupt:
        return _say(study, "interrupted; every finished epoch is kept. The same command goes on.", INTERRUPTED)


def _train(programme: Programme, screen: Screen, started: float) -> int:
    cores = available_cores()
    executor = LocalExecutor(cores, programme.options.workers or cores)
    executor.warm_up()
    try:
        sources = _decoded(programme, screen)
        placement = Placement(
            cores, programme.options.threads, programme.work.cache / "networks.json", _measuring(executor)
        )
        mirroring = study_mirroring(programme)
        driver = Driver(programme.work, executor, placement, mirroring, screen, sources)
        return SOME_FAILED if carry_out(programme, driver, started) else FINISHED
    finally:
        executor.stop()


def _decoded(programme: Programme, screen: Screen) -> dict[str, Source]:
    """Return the data sets by name, their images decoded, each said in one line."""
    sources = {}
    for source in programme.sources.values():
        if source.name not in sources:
            screen.say(_described(source))
            sources[source.name] = decode(source, programme.work, _progress(screen, source.name))
    return sources


def _described(source: Source) -> str:
    bundle = source.bundle
    origin = {"phantom": "a phantom made by medcls, no real images", "toolkit": "made by a library"}
    kind = origin.get(bundle.kind, bundle.source)
    return f"{source.name}: {len(bundle.labels)} images of {len(bundle.classes)} classes ({kind})"


def _progress(screen: Screen, name: str) -> Callable[[int, int], None]:
    said = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > 5:
            said = time.monotonic()
            screen.say(f"  decoding {name}: {done} of {total} images")

    return show


def _measuring(executor: LocalExecutor) -> Callable[[Run, Source], dict[str, int]]:
    def measured(run: Run, source: Source) -> dict[str, int]:
        bundle = source.bundle
        shape = (bundle.size, bundle.size, bundle.channels)
        result: dict[str, int] = executor.ask(measure, run.variant, shape, len(bundle.classes))
        return result

    return measured


def _settle_old_runs(programme: Programme) -> None:
    """Start anew under --force; refuse silently reusing what other code made, unless --keep."""
    runs = programme.runs()
    if programme.options.force:
        programme.forget(runs)
    elif not programme.options.keep:
        old = [run for run in runs if stale(run, programme.work.state(run))]
        if old:
            raise BadInputError(
                f"{len(old)} runs were made by other code than today's, e.g. {old[0].label} ({old[0].key}): "
                "--force runs them again, --keep counts them as they are."
            )


@contextmanager
def _owned(work: WorkFolder) -> Iterator[None]:
    """Hold the work folder: one driver at a time."""
    try:
        work.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work.path / "driver.lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise BadInputError(
            f"Another study is at work in {work.path}: wait for it, or give this one its own --work-dir."
        ) from None
    except OSError as error:
        raise BadInputError(f"--work-dir {work.path} cannot be written to: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def _check_output(options: Options) -> None:
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise BadInputError(f"--json {options.json}: there is no folder {options.json.absolute().parent}.")
    if options.force and options.keep:
        raise BadInputError("--force and --keep exclude each other.")


def _say(study: Study, sentence: str, code: int) -> int:
    print(f"{study.name}: {sentence}", file=sys.stderr)
    return code
