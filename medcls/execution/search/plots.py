"""Optuna's own figures of a search, wide enough to be read."""

import copy
import warnings
from collections.abc import Sequence
from typing import Any

from medcls.utils.lazy import backend_agg, matplotlib, optuna

PREFIX = "learner."  # every parameter of a search has it, so the figures leave it out


def plots(trials: Sequence[Any]) -> dict[str, Any]:
    """Return figures of a search by name: history, parallel coordinates, and importances where the scores differ.

    Args:
        trials: of Optuna.
    """
    shown = _shortened(trials)
    complete = [trial for trial in shown.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    matplotlib.use("Agg")  # no window may open
    draw = optuna.visualization.matplotlib
    with warnings.catch_warnings(), matplotlib.rc_context():  # Optuna sets a style for all figures to come
        warnings.simplefilter("ignore")  # Optuna marks its matplotlib plots as experimental
        figures = {
            "history": _sized(draw.plot_optimization_history(shown).figure, 8),
            "parallel_coordinates": _sized(draw.plot_parallel_coordinate(shown).figure, 4 + 1.6 * _width(shown)),
        }
        if len({trial.value for trial in complete}) > 1:
            judge = optuna.importance.FanovaImportanceEvaluator(seed=0)
            figures["importances"] = _sized(draw.plot_param_importances(shown, evaluator=judge).figure, 8)
    return figures


def _shortened(trials: Sequence[Any]) -> Any:
    """Return a study in memory with copies of the trials, whose parameters have their short names."""
    shown = optuna.create_study(direction="maximize", study_name="search")
    for trial in trials:
        renamed = copy.copy(trial)
        renamed.distributions = {name.removeprefix(PREFIX): value for name, value in trial.distributions.items()}
        renamed.params = {name.removeprefix(PREFIX): value for name, value in trial.params.items()}
        shown.add_trial(renamed)
    return shown


def _width(study: Any) -> int:
    return max((len(trial.params) for trial in study.trials), default=1)


def _sized(figure: Any, width: float) -> Any:
    figure.set_size_inches(width, 5)
    for axes in figure.axes:
        axes.tick_params(labelsize=8)
    figure.tight_layout()
    matplotlib.pyplot.close(figure)  # which also takes its canvas away
    backend_agg.FigureCanvasAgg(figure)
    return figure
