"""The loop: agendas of one study or of several, side by side on one executor, to their ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from medcls.execution.controller import EndedRun, RunController
from medcls.execution.job import Job
from medcls.execution.schedulers import Scheduler
from medcls.spec.run import Run
from medcls.utils.console import Line
from medcls.utils.signals import Terminated, stop_repeating

Records = Mapping[tuple[str, Run], EndedRun]

POLL = 0.25  # seconds between two looks at the journals
FINISHING = "Interrupted: finishing the current epochs. Press Ctrl-C again to stop at once."


@dataclass(frozen=True, eq=False)
class ScheduledStudy:
    """One study's share of the loop.

    Attributes:
        driver: begins and ends its runs.
        agenda: says which come next.
        parent_of: under which node a run is shown.
        test: whether the held-out part is predicted too.
        name: what its runs are called on the screen beside another study's, "" for nothing.
    """

    driver: RunController
    agenda: Scheduler
    parent_of: Callable[[Run], str]
    test: bool = False
    name: str = ""


def run_until_done(errands: Sequence[ScheduledStudy]) -> None:
    """Run agendas to their ends. Of runs on one trajectory one is at work at a time, the shortest first.

    So a longer run finds the epochs that it shares, and equal runs are trained once, whichever studies ask for them.
    """
    before = [dict(errand.driver.records) for errand in errands]
    waiting: dict[str, list[tuple[ScheduledStudy, Run]]] = {}  # by trajectory
    at_work: dict[str, tuple[ScheduledStudy, Job]] = {}
    screen, executor = errands[0].driver.screen, errands[0].driver.executor
    with screen:
        try:
            while not all(errand.agenda.done for errand in errands):
                for errand in errands:
                    for run in errand.agenda.ready():
                        waiting.setdefault(run.trajectory, []).append((errand, run))
                if _begin(waiting, at_work):
                    continue  # a run that was there already may make others ready
                for job in executor.wait(POLL):
                    errand, _ = at_work.pop(job.run.trajectory)
                    errand.driver.end(job, errand.parent_of(job.run), reused=False)
                    _take_note(errand, job.run)
                _show(errands, before, at_work)
        except Terminated:
            raise
        except KeyboardInterrupt:
            stop_repeating()
            screen.say(FINISHING)
            executor.wind_down()
            while executor.drain(POLL):
                _show(errands, before, at_work)
            raise
    for errand, known in zip(errands, before, strict=True):
        errand.driver.records = _in_order(errand, known)


def _begin(
    waiting: dict[str, list[tuple[ScheduledStudy, Run]]], at_work: dict[str, tuple[ScheduledStudy, Job]]
) -> bool:
    """Begin the shortest run on every free trajectory; return whether some run had ended already."""
    some_had_ended = False
    for trajectory in [each for each in waiting if each not in at_work]:
        errand, run = min(waiting[trajectory], key=lambda each: each[1].epochs)
        waiting[trajectory].remove((errand, run))
        if not waiting[trajectory]:
            del waiting[trajectory]
        job = errand.driver.start(run, errand.parent_of(run), test=errand.test)
        if job is None:
            some_had_ended = True
            _take_note(errand, run)
        else:
            at_work[trajectory] = (errand, job)
    return some_had_ended


def _take_note(errand: ScheduledStudy, run: Run) -> None:
    errand.agenda.ended(run, errand.driver.records[errand.parent_of(run), run].result)


def _show(
    errands: Sequence[ScheduledStudy], before: Sequence[Records], at_work: Mapping[str, tuple[ScheduledStudy, Job]]
) -> None:
    """Show the runs that are at work, and how many of all there will be have ended."""
    records = [record for errand in errands for record in errand.driver.records.values()]
    total = 0
    for errand, known in zip(errands, before, strict=True):
        again = {run for _, run in known}.intersection(errand.agenda.order) if known else ()
        total += len(known) + errand.agenda.total - len(again)
    driver = errands[0].driver
    running = [at_work[job.run.trajectory] for job in driver.executor.running]
    lines = [_named(errand, errand.driver.line(job)) for errand, job in running]
    at_hand = sum(_at_hand(errand, known, at_work) for errand, known in zip(errands, before, strict=True))
    driver.screen.show(lines, len(records), at_hand, max(total, len(records)))


def _at_hand(errand: ScheduledStudy, known: Records, at_work: Mapping[str, tuple[ScheduledStudy, Job]]) -> float:
    """Return how much work, in runs, was there before this loop: it says nothing of how fast the loop is."""
    driver = errand.driver
    new = [record for identity, record in driver.records.items() if identity not in known]
    ended = sum(1.0 if record.reused else driver.begun_with.get(record.run, 0.0) for record in new)
    begun = sum(driver.begun_with.get(job.run, 0.0) for other, job in at_work.values() if other is errand)
    return len(known) + ended + begun


def _named(errand: ScheduledStudy, line: Line) -> Line:
    return replace(line, label=f"{errand.name}: {line.label}") if errand.name else line


def _in_order(errand: ScheduledStudy, known: Records) -> dict[tuple[str, Run], EndedRun]:
    """Return the errand's records in the agenda's order, not as they happened to end."""
    records = errand.driver.records
    place = {run: number for number, run in enumerate(errand.agenda.order)}
    new = sorted((each for each in records if each not in known), key=lambda each: place[each[1]])
    return {each: records[each] for each in [*known, *new]}
