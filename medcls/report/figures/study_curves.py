"""A study's learning curves as charts of its page: of many variants the foremost in colours, the others in grey."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medcls.evaluation import run_scores
from medcls.report.figures import svg_curves

CHARTS = ("accuracy", "dice", "soft_dice", "loss")
MEASURES = ("accuracy", "dice")

Summary = Mapping[str, Any]


def charts(summary: Summary, data: str, marked: Sequence[str]) -> list[str]:
    """Draw accuracy or Dice, loss, and the gap between training and validation, those that were recorded.

    The variants that are `marked` have a colour each, as `foremost` chooses them.
    """
    found = {name: run_scores.finished(summary, data, name).values() for name in run_scores.variants(summary, data)}

    def curves(metric: str) -> dict[str, list[list[float]]]:
        each = {name: [run["history"].get(metric, []) for run in runs] for name, runs in found.items()}
        return {name: [curve for curve in runs if curve] for name, runs in each.items() if any(runs)}

    drawn = [svg_curves.chart(name, curves(name), curves(f"val_{name}"), marked) for name in CHARTS if curves(name)]
    measure = next((name for name in MEASURES if curves(name)), MEASURES[0])
    training, validation = curves(measure), curves(f"val_{measure}")
    gaps = {name: _differences(training[name], validation[name]) for name in training if name in validation}
    title = f"generalisation gap (training - validation {measure})"
    return [*drawn, svg_curves.chart(title, {}, gaps, marked)] if gaps else drawn


def foremost(summary: Summary, data: str) -> list[str]:
    """Return the variants that have a colour of their own: all in the study's order, of too many the best, best first.

    The best are those with the highest mean of the study's metric among those that were not given up.
    """
    names = run_scores.variants(summary, data)
    best = summary["best"].get(data)
    if len(names) <= len(svg_curves.COLOURS) or best is None:
        return names[: len(svg_curves.COLOURS)]

    def rank(name: str) -> tuple[int, float]:
        scores = [run["metrics"].get(best["metric"]) for run in run_scores.finished(summary, data, name).values()]
        known = [score for score in scores if score is not None]
        return -len(known), -float(np.mean(known)) if known else 0.0

    return sorted(names, key=rank)[: len(svg_curves.COLOURS)]


def _differences(training: Sequence[Sequence[float]], validation: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[a - b for a, b in zip(one, other, strict=True)] for one, other in zip(training, validation, strict=True)]
