"""The event loop: carries the schedulers of one study or of several out, side by side on one executor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from medcls.execution.controller import EndedRun, RunController
from medcls.execution.job import Job
from medcls.execution.schedulers import Scheduler
from medcls.spec.run import Run
from medcls.utils.console import Line
from medcls.utils.signals import Terminated, stop_repeating

EndedRuns = Mapping[tuple[str, Run], EndedRun]
"""Runs that have ended, by the id of the MLflow entry above them and the run."""

POLL = 0.25  # seconds between two looks at the journals
FINISHING = "Interrupted: finishing the current epochs. Press Ctrl-C again to stop at once."


@dataclass(frozen=True, eq=False)
class ScheduledStudy:
    """A study in the loop.

    Attributes:
        controller: starts and ends its runs.
        scheduler: says which runs come next.
        parent_of: run -> the id of the MLflow entry under which the run is shown.
        test: whether the test set is predicted too.
        name: what precedes the names of its runs on the screen beside another study's, "" for nothing.
    """

    controller: RunController
    scheduler: Scheduler
    parent_of: Callable[[Run], str]
    test: bool = False
    name: str = ""


def run_until_done(studies: Sequence[ScheduledStudy]) -> None:
    """Run the schedulers until no run will come any more.

    Of the runs on one trajectory only one is at work at a time, the shortest first. So a longer run finds the epochs
    that it shares, and equal runs are trained once, whichever studies ask for them.

    Args:
        studies: which use the same executor and the same screen.

    Raises:
        KeyboardInterrupt: the user interrupted; the epochs that were at work are saved.
    """
    before = [dict(study.controller.records) for study in studies]
    waiting: dict[str, list[tuple[ScheduledStudy, Run]]] = {}  # by trajectory
    at_work: dict[str, tuple[ScheduledStudy, Job]] = {}
    screen, executor = studies[0].controller.screen, studies[0].controller.executor
    with screen:
        try:
            while not all(study.scheduler.done for study in studies):
                for study in studies:
                    for run in study.scheduler.next_runs():
                        waiting.setdefault(run.trajectory, []).append((study, run))
                if _start_waiting(waiting, at_work):
                    continue  # a run that had ended already may make others ready
                for job in executor.wait(POLL):
                    study, _ = at_work.pop(job.run.trajectory)
                    study.controller.end(job, study.parent_of(job.run), reused=False)
                    _tell_scheduler(study, job.run)
                _show(studies, before, at_work)
        except Terminated:
            raise
        except KeyboardInterrupt:
            stop_repeating()
            screen.say(FINISHING)
            executor.wind_down()
            while executor.drain(POLL):
                _show(studies, before, at_work)
            raise
    for study, earlier in zip(studies, before, strict=True):
        study.controller.records = _in_order(study, earlier)


def _start_waiting(
    waiting: dict[str, list[tuple[ScheduledStudy, Run]]], at_work: dict[str, tuple[ScheduledStudy, Job]]
) -> bool:
    """Start the shortest run on every free trajectory.

    Args:
        waiting: the runs that may start, by trajectory; those that are started are taken out.
        at_work: the jobs at work, by trajectory; those that are started are put in.

    Returns:
        Whether one of these runs had ended already.
    """
    some_had_ended = False
    for trajectory in list(waiting):
        if trajectory in at_work:
            continue
        study, run = min(waiting[trajectory], key=lambda entry: entry[1].epochs)
        waiting[trajectory].remove((study, run))
        if not waiting[trajectory]:
            del waiting[trajectory]
        job = study.controller.start(run, study.parent_of(run), test=study.test)
        if job is None:
            some_had_ended = True
            _tell_scheduler(study, run)
        else:
            at_work[trajectory] = (study, job)
    return some_had_ended


def _tell_scheduler(study: ScheduledStudy, run: Run) -> None:
    """Pass on how a run ended."""
    study.scheduler.on_run_end(run, study.controller.records[study.parent_of(run), run].result)


def _show(
    studies: Sequence[ScheduledStudy],
    before: Sequence[EndedRuns],
    at_work: Mapping[str, tuple[ScheduledStudy, Job]],
) -> None:
    """Show the runs at work, and how many of the expected runs have ended.

    Args:
        studies: in the loop.
        before: the runs of each study that had ended before the loop began.
        at_work: the jobs at work, by trajectory.
    """
    ended, total, at_hand = 0, 0, 0.0
    for study, earlier in zip(studies, before, strict=True):
        ended += len(study.controller.records)
        total += len(earlier) + study.scheduler.total
        if earlier:
            total -= len({run for _, run in earlier}.intersection(study.scheduler.order))
        at_hand += _at_hand(study, earlier, at_work)
    controller = studies[0].controller
    lines: list[Line] = []
    for job in controller.executor.running:
        study, job_of_study = at_work[job.run.trajectory]
        line = study.controller.line(job_of_study)
        lines.append(replace(line, label=f"{study.name}: {line.label}") if study.name else line)
    controller.screen.show(lines, ended, at_hand, max(total, ended))


def _at_hand(study: ScheduledStudy, earlier: EndedRuns, at_work: Mapping[str, tuple[ScheduledStudy, Job]]) -> float:
    """Return how much of the work, in runs, was done before this loop, and so does not say how fast the loop is.

    Args:
        study: whose runs are counted.
        earlier: the runs of the study that had ended before the loop began.
        at_work: the jobs at work, by trajectory.
    """
    controller = study.controller
    at_hand = float(len(earlier))
    for identity, record in controller.records.items():
        if identity not in earlier:
            at_hand += 1.0 if record.reused else controller.begun_with.get(record.run, 0.0)
    for job_study, job in at_work.values():
        if job_study is study:
            at_hand += controller.begun_with.get(job.run, 0.0)
    return at_hand


def _in_order(study: ScheduledStudy, earlier: EndedRuns) -> dict[tuple[str, Run], EndedRun]:
    """Return the ended runs of a study in the scheduler's order instead of the order in which they ended.

    Args:
        study: whose runs are sorted.
        earlier: the runs that had ended before the loop began, which come first.
    """
    records = study.controller.records
    index = {run: number for number, run in enumerate(study.scheduler.order)}
    new = [identity for identity in records if identity not in earlier]
    new.sort(key=lambda identity: index[identity[1]])
    return {identity: records[identity] for identity in [*earlier, *new]}
