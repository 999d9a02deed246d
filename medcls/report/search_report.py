"""The figures of a search in its study's directory, from where MLflow shows them."""

from functools import partial
from pathlib import Path

from medcls.evaluation.metrics import words
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.trial_scores import scored_trials, search_metric
from medcls.report.figures import canvas, search
from medcls.utils.files import draw_whole, read_json, write_json
from medcls.utils.hashing import digest

STATE = "plots.json"  # which trials the figures show


def search_figures(summary: StudySummary) -> dict[str, search.MakeFigure]:
    """Return what makes each figure of a search by name; none without a search."""
    if not summary.trials:
        return {}
    return search.figures(scored_trials(summary), summary.importances, words(search_metric(summary)))


def draw_search(folder: Path, summary: StudySummary) -> None:
    """Draw the figures of a search, unless they show these very trials already; remove those of other trials.

    Args:
        folder: the study's directory.
        summary: what the study found.
    """
    trials = [[trial.number, trial.state, trial.mean, trial.sd] for trial in scored_trials(summary)]
    state = digest([trials, dict(summary.importances or {})])
    if read_json(folder / STATE) == state:
        return
    made = search_figures(summary)
    for path in folder.glob("search_*.png"):
        if path.stem.removeprefix("search_") not in made:
            path.unlink()
    for name, make in made.items():
        draw_whole(folder / f"search_{name}.png", partial(_draw, make))
    if made:
        write_json(folder / STATE, state)


def _draw(make: search.MakeFigure, path: Path) -> None:
    canvas.save(make(), path)
