"""From programmes to their outcomes: all runs, the conclusion, the summary, the tables, the store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from medcls.evaluation.answers import decided
from medcls.evaluation.summary import StudySummary
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
from medcls.report.terminal import print_summary
from medcls.spec.run import Run
from medcls.utils.files import as_json, write_json
from medcls.utils.outputs import write_output
from medcls.utils.signals import stop_repeating
from medcls.utils.typed_json import as_plain


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


def _write(summaries: Sequence[StudySummary], path: Path | None) -> None:
    if path is not None:
        plain = [summary.as_plain() for summary in summaries]
        content = as_json(plain[0] if len(plain) == 1 else {"studies": plain})
        write_output(path, lambda file: file.write(content))


def _concluded(study: PlannedStudy, started: float) -> StudySummary:
    """Conclude a study whose runs have ended, data set by data set; return its summary, written and shown."""
    plan, controller, tuner = study.programme, study.driver, study.tuner
    best = {}
    for name, source in controller.sources.by_name.items():
        best[name] = select_best(plan, controller, source, _groups(plan, controller, name))
    trials = tuner.trials() if tuner is not None else []
    controller.mirroring.settle()
    summary = summarise(plan, controller, best, trials, started, plan.study.answers)
    folder = plan.work.study(plan.key)
    folder.mkdir(parents=True, exist_ok=True)
    figures = finish.saliency_figures(plan, controller, folder)
    if figures:
        summary = replace(summary, figures=figures)
    plots = finish.plots(tuner, folder, trials, controller.screen) if tuner is not None else {}
    write_json(folder / "summary.json", summary.as_plain())
    write_json(folder / "findings.json", as_plain(findings(plan)))
    recalls = finish.recalls(controller, best, folder)
    report = write_report(folder, summary, controller.sources.decoded)
    files = {folder / "summary.json": "", folder / "findings.json": "", report: "", **plots}
    files |= {folder / figure.file: "" for figure in figures}
    finish.log_study_results(controller, best, summary, files, recalls)
    print_summary(controller.screen, summary)
    controller.screen.say(f"Report: {report}")
    finish.register_and_print_next_steps(plan, controller, best, summary)
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
        mirroring.close_trial(trial, [(driver.work.folder(record.run), record.result) for record in records])

    def on_wait(numbers: Sequence[int]) -> None:
        listed = ", ".join(map(str, numbers))
        driver.screen.tell(f"  Waiting for trials of other commands: {listed}.")

    deadline = None if timeout is None else started + timeout
    return SearchScheduler(search, tuner, run_of, len(programme.repeats), deadline, on_trial, on_wait)


def _groups(programme: StudyPlan, driver: RunController, data_name: str) -> Mapping[str, list[EndedRun]]:
    """Return the runs on one data set by variant; under a search only of the trials that have them all."""
    groups: dict[str, list[EndedRun]] = defaultdict(list)
    for record in driver.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    whole = len(programme.repeats) if programme.study.search is not None else 1
    return {variant: records for variant, records in groups.items() if len(records) >= whole}
