"""A study's learning curves as charts of its page: of many variants the foremost in colours, the others in grey."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from medcls.evaluation import run_scores
from medcls.evaluation.metrics import words
from medcls.evaluation.summary import StudySummary
from medcls.report.figures import svg_curves
from medcls.report.figures.svg_curves import Quantity
from medcls.utils import palette

CHARTS = ("accuracy", "dice", "soft_dice", "loss")
MEASURES = ("accuracy", "dice")
MOST = 5  # variants with a colour in one chart

Curves: TypeAlias = dict[str, list[list[float]]]
"""Variant -> one curve a run, of length epochs."""


def charts(summary: StudySummary, data: str, marked: Sequence[str]) -> list[str]:
    """Draw each of the quantities as a chart.

    Args:
        summary: what the study ended with.
        data: the name of the data set.
        marked: the variants that have a colour each, as `foremost` chooses them.
    """
    return [svg_curves.chart(quantity, colours(summary, marked)) for quantity in quantities(summary, data)]


def quantities(summary: StudySummary, data: str) -> list[Quantity]:
    """Return accuracy or Dice, loss, and the gap between training and validation, those that were recorded."""
    recorded = []
    for metric in CHARTS:
        training = _curves(summary, data, metric)
        if training:
            recorded.append(Quantity(metric, words(metric), training, _curves(summary, data, f"val_{metric}")))
    measure = MEASURES[0]
    for metric in MEASURES:
        if _curves(summary, data, metric):
            measure = metric
            break
    training, validation = _curves(summary, data, measure), _curves(summary, data, f"val_{measure}")
    gaps = {}
    for variant, curves in training.items():
        if variant in validation:
            gaps[variant] = _differences(curves, validation[variant])
    if gaps:
        title = f"generalisation gap (training - validation {measure})"
        recorded.append(Quantity("gap", title, {}, gaps))
    return recorded


def _curves(summary: StudySummary, data: str, metric: str) -> Curves:
    """Return the curves of a metric of those variants whose finished runs have it."""
    curves: Curves = {}
    for variant in run_scores.variants(summary, data):
        for run in run_scores.finished(summary, data, variant).values():
            if run.history.get(metric):
                curves.setdefault(variant, []).append(list(run.history[metric]))
    return curves


def colours(summary: StudySummary, marked: Sequence[str]) -> dict[str, str]:
    """Return the colour of each of some variants, which it has in MLflow, too."""
    names = list(dict.fromkeys(run.variant for run in summary.runs))
    return {name: palette.colour(palette.place_of(name, names)) for name in marked}


def foremost(summary: StudySummary, data: str) -> list[str]:
    """Return the variants that have a colour of their own: all in the study's order, of too many the best, best first.

    The best are those with the highest mean of the study's metric among those that were not pruned.
    """
    names = run_scores.variants(summary, data)
    best = summary.best.get(data)
    if len(names) <= MOST or best is None:
        return names[:MOST]
    metric = best.metric

    def rank(name: str) -> tuple[int, float]:
        runs = run_scores.finished(summary, data, name).values()
        scores = [run.metrics[metric] for run in runs if metric in run.metrics]
        return -len(scores), -float(np.mean(scores)) if scores else 0.0

    return sorted(names, key=rank)[:MOST]


def _differences(training: Sequence[Sequence[float]], validation: Sequence[Sequence[float]]) -> list[list[float]]:
    pairs = zip(training, validation, strict=True)
    return [np.subtract(training_curve, validation_curve).tolist() for training_curve, validation_curve in pairs]
