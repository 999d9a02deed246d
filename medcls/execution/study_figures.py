"""The figures of a study that has ended: of its search, of where networks look, of its best networks."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from medcls.evaluation.summary import FigureRecord, StudySummary
from medcls.execution.controller import RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.selection import BestModel
from medcls.report import saliency_report
from medcls.report.best_report import draw_best
from medcls.report.figures import canvas, class_scores
from medcls.report.search_report import draw_search
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.utils.console import Screen
from medcls.utils.naming import in_file

Draw: TypeAlias = Callable[[Path], None]
"""Draws a figure into a file."""


def search_figures(summary: StudySummary, folder: Path, screen: Screen) -> dict[Path, str]:
    """Draw the figures of a search into its study's directory; return them as artifacts.

    Args:
        summary: what the study found.
        folder: the study's directory.
        screen: the terminal.
    """
    try:
        draw_search(folder, summary)
    except Exception as error:  # noqa: BLE001 - a figure must never cost a result
        screen.say(f"The figures of the search could not be drawn: {error}")
    return dict.fromkeys(sorted(folder.glob("search_*.png")), "")


def saliency_figures(plan: StudyPlan, controller: RunController, folder: Path) -> tuple[FigureRecord, ...]:
    """Draw where the first network of each variant looks; return the figures of the report, none if not asked.

    Args:
        plan: of the study.
        controller: of its runs, which have ended.
        folder: the study's directory.
    """
    if controller.explain is None:
        return ()
    first: dict[str, tuple[Run, RunDir, Path]] = {}
    for record in controller.records.values():
        run, source = record.run, controller.sources.of(record.run.variant)
        if record.result.is_finished and source.decoded is not None:
            title = run.variant_name if len(plan.sources.by_name) == 1 else f"{run.variant_name} on {source.name}"
            first.setdefault(title, (run, controller.work.folder(run), source.decoded))
    try:
        return tuple(saliency_report.figures(first, folder))
    except Exception as error:  # noqa: BLE001 - a figure must never cost a result
        controller.screen.say(f"The figures of saliency maps could not be drawn: {error}")
        return ()


def best_figures(
    controller: RunController, best: Mapping[str, BestModel | None], folder: Path
) -> tuple[FigureRecord, ...]:
    """Draw what the best network of each data set gets right and wrong; return the figures of the report.

    Args:
        controller: of the study's runs, which have ended.
        best: data set -> its best model, None where no variant was finished.
        folder: the study's directory.
    """
    records: list[FigureRecord] = []
    names = in_file(best)
    for data_name, model in best.items():
        decoded = controller.sources.by_name[data_name].decoded
        if model is None or decoded is None:
            continue
        prefix = folder / ("best" if len(best) == 1 else f"best_{names[data_name]}")
        run_dir = controller.work.folder(model.run)
        try:
            records += draw_best(data_name, model.run, run_dir, decoded, prefix)
        except Exception as error:  # noqa: BLE001 - a figure must never cost a result
            controller.screen.say(f"The figures of the best network on {data_name} could not be drawn: {error}")
    return tuple(records)


def recalls(controller: RunController, best: Mapping[str, BestModel | None], folder: Path) -> dict[Path, Draw]:
    """Return the figures of the best variants' recall by class, each with what draws it; older ones are removed.

    Args:
        controller: of the study's runs.
        best: data set -> its best model, None where no variant was finished.
        folder: the study's directory.
    """
    drawings: dict[Path, Draw] = {}
    names = in_file(best)
    for data_name, model in best.items():
        path = folder / ("best_recalls.png" if len(best) == 1 else f"best_recalls_{names[data_name]}.png")
        path.unlink(missing_ok=True)
        if model is not None and not model.run.variant.task.pixels:
            classes = controller.sources.by_name[data_name].bundle.classes
            drawings[path] = partial(_draw_recalls, model, classes, data_name)
    return drawings


def _draw_recalls(best: BestModel, classes: tuple[str, ...], data_name: str, path: Path) -> None:
    repeat = "seed" if best.run.folds is None else "fold"
    repeats, tested = {}, {}
    for name in classes:
        score = f"recall/{name}"
        repeats[name] = best.scores.get(score, ())
        if best.test is not None and score in best.test:
            tested[name] = best.test[score]
    title = f"{best.run.variant_name} on {data_name}, the best: recall from {repeat} to {repeat}"
    canvas.save(class_scores.recalls(repeats, tested, classes, repeat, title), path)
