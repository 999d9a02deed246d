"""Planned studies carried out: all runs, the best model, the summary, the report, the MLflow store."""

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
    """One of the studies that are carried out together.

    Attributes:
        plan: its runs, and where they are kept.
        controller: starts and records its runs.
        tuner: proposes the trials of its search, None without one.
    """

    plan: StudyPlan
    controller: RunController
    tuner: Tuner | None


def run_planned_studies(studies: Sequence[tuple[StudyPlan, RunController]], started: float) -> None:
    """Carry studies out together, each to its own summary; if that is cut off, MLflow shows them as killed.

    Args:
        studies: the plan of each study and the controller of its runs.
        started: when the command began, as of time.monotonic.
    """
    options = studies[0][0].options
    try:
        planned = []
        for plan, controller in studies:
            tuner = plan.tuner(controller.executor.slots) if plan.study.search is not None else None
            planned.append(PlannedStudy(plan, controller, tuner))
        with ExitStack() as stack:
            for study in planned:
                if study.tuner is not None:
                    stack.enter_context(study.tuner.at_work())
            loop.run_until_done([_scheduled(study, started, alone=len(planned) == 1) for study in planned])
        summaries = []
        for study in planned:
            if len(planned) > 1:
                study.controller.screen.say("")
                study.controller.screen.say(f"{study.plan.study.name}: {study.plan.study.question}")
            summaries.append(_conclude(study, started))
        _write(summaries, options.json)
    except BaseException as error:
        stop_repeating()
        for _, controller in studies:
            controller.mirroring.interrupt()
        if isinstance(error, KeyboardInterrupt) and options.json is not None:
            summaries = []
            for plan, controller in studies:
                controller.note_interruption()
                summaries.append(summarise(plan, controller, {}, plan.trials(), started, ()))
            _write(summaries, options.json)
        raise


def _write(summaries: Sequence[StudySummary], path: Path | None) -> None:
    if path is not None:
        plain = [summary.as_plain() for summary in summaries]
        content = as_json(plain[0] if len(plain) == 1 else {"studies": plain})
        write_output(path, lambda file: file.write(content))


def _conclude(study: PlannedStudy, started: float) -> StudySummary:
    """Conclude a study whose runs have ended, data set by data set; return its summary, written and shown."""
    plan, controller, tuner = study.plan, study.controller, study.tuner
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


def _scheduled(study: PlannedStudy, started: float, *, alone: bool) -> ScheduledStudy:
    """Return a study with its scheduler: of a fixed list of runs, of interim looks, or of a search."""
    plan, controller = study.plan, study.controller
    name, logger = "" if alone else plan.study.name, controller.mirroring
    if study.tuner is not None:

        def trial_of(run: Run) -> str:
            return logger.trial_identity(int(run.variant_name.split()[-1]))

        return ScheduledStudy(
            controller, _search_scheduler(plan, controller, study.tuner, started), trial_of, name=name
        )

    def undecided() -> bool:
        summary = summarise(plan, controller, {}, [], started, ())
        return not decided(summary, plan.study.answers)

    return ScheduledStudy(controller, SequentialScheduler(plan.stages(), undecided), lambda _: logger.study, name=name)


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
        parent = logger.trial_identity(trial.number)
        records = [record for record in controller.records.values() if record.parent == parent]
        logger.close_trial(trial, [(controller.work.folder(record.run), record.result) for record in records])

    def on_wait(numbers: Sequence[int]) -> None:
        controller.screen.tell(f"  Waiting for trials of other commands: {', '.join(map(str, numbers))}.")

    deadline = None if timeout is None else started + timeout
    return SearchScheduler(search, tuner, run_of, len(plan.repeats), deadline, on_trial, on_wait)


def _groups(plan: StudyPlan, controller: RunController, data_name: str) -> Mapping[str, list[EndedRun]]:
    """Return the runs on one data set by variant; under a search only of the trials that have them all."""
    groups: dict[str, list[EndedRun]] = defaultdict(list)
    for record in controller.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    needed = len(plan.repeats) if plan.study.search is not None else 1
    return {variant: records for variant, records in groups.items() if len(records) >= needed}
