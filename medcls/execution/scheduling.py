"""The scheduler of a study: a fixed list of runs, more seeds after each interim look, or the trials of a search."""

from collections.abc import Sequence
from dataclasses import dataclass

from medcls.execution.answering import is_decided
from medcls.execution.controller import RunController
from medcls.execution.loop import ScheduledStudy
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.schedulers import SequentialScheduler
from medcls.execution.search.scheduler import SearchScheduler
from medcls.execution.search.trials import Trial
from medcls.execution.search.tuner import Tuner
from medcls.execution.summary import summarise
from medcls.spec.run import Run


@dataclass(frozen=True)
class StudyAtWork:
    """One of a session's studies.

    Attributes:
        plan: its runs, and where they are kept.
        controller: starts and records its runs.
        tuner: proposes the trials of its search, None without one.
    """

    plan: StudyPlan
    controller: RunController
    tuner: Tuner | None


def scheduled(study: StudyAtWork, started: float, *, alone: bool) -> ScheduledStudy:
    """Return a study with its scheduler: of a fixed list of runs, of interim looks, or of a search."""
    plan, controller = study.plan, study.controller
    name, logger = "" if alone else plan.study.name, controller.mirroring
    if study.tuner is not None:

        def trial_of(run: Run) -> str:
            return logger.names.trial_id(int(run.variant_name.split()[-1]))

        return ScheduledStudy(
            controller, _search_scheduler(plan, controller, study.tuner, started), trial_of, name=name
        )

    def undecided() -> bool:
        return not is_decided(summarise(plan, controller, {}, [], started), plan.study.answers)

    return ScheduledStudy(controller, SequentialScheduler(plan.stages(), undecided), logger.names.variant_id, name=name)


def _search_scheduler(plan: StudyPlan, controller: RunController, tuner: Tuner, started: float) -> SearchScheduler:
    """Return the scheduler of a search, which shows trials in MLflow as they begin and end.

    Args:
        plan: of the study.
        controller: of its runs.
        tuner: that proposes trials.
        started: when the command began, as of time.monotonic.
    """
    timeout, search, logger = plan.options.timeout, plan.search, controller.mirroring

    def run_of(trial: Trial, repeat: int) -> Run:
        logger.open_trial(trial.number, trial.labels, search.metric)
        return plan.trial_run(trial, repeat)

    def on_trial(trial: Trial) -> None:
        parent = logger.names.trial_id(trial.number)
        records = [record for record in controller.records.values() if record.parent == parent]
        records.sort(key=lambda record: record.run.repeat)
        logger.close_trial(trial, [(controller.work.folder(record.run), record.result) for record in records])

    def on_wait(numbers: Sequence[int]) -> None:
        controller.screen.tell(f"  Waiting for trials of other commands: {', '.join(map(str, numbers))}.")

    deadline = None if timeout is None else started + timeout
    return SearchScheduler(search, tuner, run_of, len(plan.repeats), deadline, on_trial, on_wait)
