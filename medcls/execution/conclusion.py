"""The end of a study: the best model, the summary, the report, the MLflow store, and what the user sees of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medcls.evaluation.summary import StudySummary
from medcls.execution import finish, study_figures
from medcls.execution.answering import with_answers
from medcls.execution.controller import EndedRun, RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.scheduling import StudyAtWork
from medcls.execution.selection import select_best
from medcls.execution.summary import findings, summarise
from medcls.report.study_report import write_report
from medcls.report.terminal import print_summary
from medcls.utils.files import as_json, write_json
from medcls.utils.outputs import write_output
from medcls.utils.typed_json import as_plain


def conclude(study: StudyAtWork, started: float) -> StudySummary:
    """Conclude a study whose runs have ended, data set by data set; return its summary, written and shown."""
    plan, controller, tuner = study.plan, study.controller, study.tuner
    best = {}
    for name, source in controller.sources.by_name.items():
        best[name] = select_best(plan, controller, source, _groups(plan, controller, name))
    trials = tuner.trials() if tuner is not None else []
    controller.mirroring.settle()
    folder = plan.work.study(plan.key)
    folder.mkdir(parents=True, exist_ok=True)
    summary = summarise(plan, controller, best, trials, started)
    if tuner is not None:
        summary = replace(summary, importances=finish.importances(tuner, controller.screen))
    summary = with_answers(summary, plan.study.answers, folder)
    figures = study_figures.saliency_figures(plan, controller, folder)
    figures += study_figures.best_figures(controller, best, folder)
    if figures:
        summary = replace(summary, figures=figures)
    if controller.mirroring.mirror is not None:
        summary = replace(summary, store=finish.store_record(controller.mirroring.mirror.store))
    plots = study_figures.search_figures(summary, folder, controller.screen)
    write_json(folder / "summary.json", summary.as_plain())
    write_json(folder / "findings.json", as_plain(findings(plan)))
    recalls = study_figures.recalls(controller, best, folder)
    report = write_report(folder, summary, controller.sources.decoded)
    files = {folder / "summary.json": "", folder / "findings.json": "", report: "", **plots}
    files |= {folder / figure.file: "" for figure in figures}
    finish.log_study_results(controller, best, summary, files, recalls)
    print_summary(controller.screen, summary)
    controller.screen.say(f"Report: {report}")
    finish.register_and_print_next_steps(plan, controller, best, summary)
    return summary


def write_summaries(summaries: Sequence[StudySummary], path: Path | None) -> None:
    """Write what --json asks for: the summary of the study, or of several under "studies"; nothing without a path."""
    if path is not None:
        plain = [summary.as_plain() for summary in summaries]
        content = as_json(plain[0] if len(plain) == 1 else {"studies": plain})
        write_output(path, lambda file: file.write(content))


def _groups(plan: StudyPlan, controller: RunController, data_name: str) -> Mapping[str, list[EndedRun]]:
    """Return the runs on one data set by variant; under a search only of the trials that have them all."""
    groups: dict[str, list[EndedRun]] = defaultdict(list)
    for record in controller.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    needed = len(plan.repeats) if plan.study.search is not None else 1
    return {variant: records for variant, records in groups.items() if len(records) >= needed}
