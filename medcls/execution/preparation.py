"""What is made ready before the runs of a session: decoded images, saved weights, the threads of each run."""

from collections.abc import Sequence
from functools import partial

from medcls.data.dataset import DatasetSpec
from medcls.execution.executors.base import Executor
from medcls.execution.executors.remote_job import WEIGHTS
from medcls.execution.options import Options
from medcls.execution.planning.datasets import DataSource, StudyData, decode
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.planning.pretrained import prepare
from medcls.execution.planning.weights import check
from medcls.execution.threads import Placement
from medcls.spec.run import Run
from medcls.tracking.work_dir import WorkDir
from medcls.training.network import measure
from medcls.utils.console import ProgressLines, Screen
from medcls.utils.errors import BadInputError
from medcls.utils.tracing import explained


def decoded_data(plans: Sequence[StudyPlan], executor: Executor, screen: Screen) -> list[StudyData]:
    """Return the data sets of each plan with their images decoded; print what they are and which weights are used.

    Args:
        plans: of the session's studies.
        executor: which can use TensorFlow to check the weights.
        screen: the terminal.

    Raises:
        BadInputError: saved weights do not fit a network, or an image cannot be decoded.
    """
    for plan in plans:
        for source in plan.sources.by_name.values():
            screen.say(_description(source))
        _check_weights(plan, executor, screen)
    return [_decoded(plan, screen) for plan in plans]


def upload_inputs(work: WorkDir, data: Sequence[StudyData]) -> None:
    """Copy the decoded images and the saved weights to where workers on other machines download them."""
    directories = set()
    for sources in data:
        for source in sources.by_name.values():
            if source.decoded is not None:
                directories.add(source.decoded.relative_to(work.path).as_posix())
    work.upload(WEIGHTS, *directories)


def placement_of(options: Options, work: WorkDir, executor: Executor) -> Placement:
    """Return what chooses the number of threads of each run."""

    def measured(run: Run, source: DataSource) -> dict[str, int]:
        bundle = source.bundle
        result: dict[str, int] = executor.ask(measure, run.variant, bundle.shape, len(bundle.classes))
        return result

    threads = options.threads
    if threads is None and options.smoke:
        threads = 1  # tiny runs spend their time in tracing, on one core
    return Placement(executor.cores, threads, work.cache / "networks.json", measured)


def _check_weights(plan: StudyPlan, executor: Executor, screen: Screen) -> None:
    """Print which variants start from saved weights; refuse weights that do not fit before anything is trained."""
    study, options = plan.study, plan.options
    shared = study.folds is not None or options.vary_split or options.split_seed > 0
    for line in check(study.conditions, plan.sources, options.work_dir, executor.ask, folds=shared):
        screen.say(line)
    for line in prepare(study.conditions, plan.sources, options.work_dir, executor.ask, options.weights):
        screen.say(line)


def _decoded(plan: StudyPlan, screen: Screen) -> StudyData:
    """Return the data sets of a plan with their images decoded."""
    progress = ProgressLines(screen.tell, indent="  ")

    def decoded(source: DataSource) -> DataSource:
        return decode(source, plan.work, partial(progress, f"decoding {source.name}"), screen.tell)

    with explained(plan.work.path, BadInputError):
        return plan.sources.map(decoded)


def _description(source: DataSource) -> str:
    """Return the line that is printed of a data set: its number of images, its classes or masks, and its origin."""
    bundle = source.bundle
    origin = "a phantom drawn by medcls, no real images" if bundle.kind == "phantom" else bundle.source
    targets = f"of {len(bundle.classes)} classes" if bundle.masks is None else _masks(bundle)
    return f"{source.name}: {len(bundle.labels)} {bundle.noun} {targets} ({origin})"


def _masks(bundle: DatasetSpec) -> str:
    if bundle.marks is None:
        return "with masks"
    return f"with masks, in which {bundle.marks(lambda *_: None).sentence}"
