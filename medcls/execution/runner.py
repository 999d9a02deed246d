"""From programmes to their outcomes: all runs, the conclusion, the summary, the tables, the store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.evaluation.answers import decided
from medcls.execution import finish, loop
from medcls.execution.controller import EndedRun, RunController
from medcls.execution.loop import ScheduledStudy
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.schedulers import SequentialScheduler
from medcls.execution.search.scheduler import SearchScheduler
from medcls.execution.search.trials import Trial
from medcls.execution.search.tuner import Tuner
from medcls.execution.selection import select_best
from medcls.execution.summary import findings, summarise
from medcls.report.study_report import write_report
from medcls.report.tables import show
from medcls.spec.run import Run
from medcls.utils.files import as_json, write_json
from medcls.utils.outputs import write_output
from medcls.utils.signals import stop_repeating


@dataclass(frozen=True)
class PlannedStudy:
    """One of the studies that are carried out together, and the memory of its search if it is one."""

    programme: StudyPlan
    driver: RunController
    tuner: Tuner | None


def run_planned_studies(studies: Sequence[tuple[StudyPlan, RunController]], started: float) -> None:
    """Carry programmes out together, each to its own summary. Cut off, the store shows them so."""
    try:
        parts = [
            PlannedStudy(programme, driver, programme.tuner(driver.executor.slots) if programme.study.search else None)
            for programme, driver in studies
        ]
        with ExitStack() as stack:
            for part in parts:
                if part.tuner is not None:
                    stack.enter_context(part.tuner.at_work())
            loop.run_until_done([_errand(part, started, alone=len(parts) == 1) for part in parts])
        summaries = []
        for part in parts:
            if len(parts) > 1:
                part.driver.screen.say("")
                part.driver.screen.say(f"{part.programme.study.name}: {part.programme.study.question}")
            summaries.append(_concluded(part, started))
        _write(summaries, studies[0][0].options.json)
    except BaseException as error:
        stop_repeating()
        for _, driver in studies:
            driver.mirroring.interrupt()
        if isinstance(error, KeyboardInterrupt):
            _write_what_there_is(studies, started)
        raise


def _write_what_there_is(studies: Sequence[tuple[StudyPlan, RunController]], started: float) -> None:
    if studies[0][0].options.json is None:
        return
    for _, driver in studies:
        driver.note_interruption()
    summaries = [summarise(programme, driver, {}, programme.trials(), started, ()) for programme, driver in studies]
    _write(summaries, studies[0][0].options.json)


def _write(summaries: Sequence[Mapping[str, Any]], path: Path | None) -> None:
    if path is not None:
        whole = summaries[0] if len(summaries) == 1 else {"studies": list(summaries)}
        write_output(path, lambda file: file.write(as_json(whole)))


def _concluded(part: PlannedStudy, started: float) -> dict[str, Any]:
    """Conclude a study whose runs have ended, data set by data set; return its summary, written and shown."""
    programme, driver, tuner = part.programme, part.driver, part.tuner
    named = driver.sources.by_name.items()
    best = {name: select_best(programme, driver, source, _groups(programme, driver, name)) for name, source in named}
    trials = tuner.trials() if tuner is not None else []
    driver.mirroring.settle()
    summary = summarise(programme, driver, best, trials, started, programme.study.answers)
    folder = programme.work.study(programme.key)
    folder.mkdir(parents=True, exist_ok=True)
    heat = finish.heat(programme, driver, folder)
    summary |= {"figures": heat} if heat else {}
    plots = finish.plots(tuner, folder, trials, driver.screen) if tuner is not None else {}
    write_json(folder / "summary.json", summary)
    write_json(folder / "findings.json", findings(programme))
    recalls = finish.recalls(driver, best, folder)
    report = write_report(folder, summary, driver.sources.decoded)
    files = {folder / "summary.json": "", folder / "findings.json": "", report: "", **plots}
    files |= {folder / each["file"]: "" for each in heat}
    finish.log_study_results(driver, best, summary, files, recalls)
    show(driver.screen, summary)
    driver.screen.say(f"Report: {report}")
    finish.register_and_print_next_steps(programme, driver, best, summary)
    return summary


def _errand(part: PlannedStudy, started: float, *, alone: bool) -> ScheduledStudy:
    """Return a study's share of the loop: its runs, those of its looks, or those of its search."""
    programme, driver = part.programme, part.driver
    name, study = "" if alone else programme.study.name, driver.mirroring.study
    if part.tuner is not None:
        agenda = _search(programme, driver, part.tuner, started)
        trial = driver.mirroring.trial_identity
        return ScheduledStudy(driver, agenda, lambda run: trial(int(run.variant_name.split()[-1])), name=name)

    def undecided() -> bool:
        summary = summarise(programme, driver, {}, [], started, ())
        return not decided(summary, programme.study.answers)

    return ScheduledStudy(driver, SequentialScheduler(programme.stages(), undecided), lambda _: study, name=name)


def _search(programme: StudyPlan, driver: RunController, tuner: Tuner, started: float) -> SearchScheduler:
    timeout = programme.options.timeout
    mirroring, search = driver.mirroring, programme.search

    def run_of(trial: Trial, repeat: int) -> Run:
        mirroring.open_trial(trial.number, trial.labels, search.metric)
        return programme.trial_run(trial, repeat)

    def on_trial(trial: Trial) -> None:
        parent = mirroring.trial_identity(trial.number)
        records = [record for record in driver.records.values() if record.parent == parent]
        mirroring.close_trial(trial, [(driver.work.folder(each.run), each.result) for each in records])

    def on_wait(numbers: Sequence[int]) -> None:
        listed = ", ".join(map(str, numbers))
        driver.screen.tell(f"  Waiting for trials of other commands: {listed}.")

    deadline = timeout and started + timeout
    return SearchScheduler(search, tuner, run_of, len(programme.repeats), deadline, on_trial, on_wait)


def _groups(programme: StudyPlan, driver: RunController, data_name: str) -> Mapping[str, list[EndedRun]]:
    """Return the runs on one data set by variant; under a search only of the trials that have them all."""
    groups: dict[str, list[EndedRun]] = defaultdict(list)
    for record in driver.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    whole = len(programme.repeats) if programme.study.search is not None else 1
    return {name: each for name, each in groups.items() if len(each) >= whole}
