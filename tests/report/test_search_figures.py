"""The figures of a search: what their points, lines and bars are made of, and which of them are drawn at all."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figure_parts import check_legends, check_texts, lines, points, ticks
from summaries import summary

from medcls.evaluation.run_record import Scalar
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.evaluation.trial_scores import scored_trials
from medcls.report.figures import search
from medcls.report.figures.parallel_axes import axis_of
from medcls.report.search_report import draw_search, search_figures

RATES = (0.001, 0.1, 0.01, 0.03)
SCORES = ((0.5, 0.6), (0.9, 0.7), (0.4,), (0.6, 0.62))  # of the folds; the third trial was pruned
PROPOSED: dict[str, Sequence[Scalar]] = {
    "learner.rate": RATES,
    "learner.depth": (8, 14, 8, 20),
    "learner.schedule": ("cosine", "step", "cosine", "step"),
}


def searched(**more: object) -> StudySummary:
    """Return the summary of a search of four trials."""
    trials = []
    for number, scores in enumerate(SCORES):
        params = {path: values[number] for path, values in PROPOSED.items()}
        is_whole = len(scores) == 2
        state, value = ("complete", float(np.mean(scores))) if is_whole else ("pruned", None)
        trials.append({"number": number, "state": state, "value": value, "params": params})
    whole = summary(trials=trials)
    runs = []
    for number, scores in enumerate(SCORES):
        for fold, score in enumerate(scores):
            params = {**whole.runs[0].params, "folds": 2}
            run = replace(whole.runs[0], variant=f"trial {number}", fold=fold, params=params)
            runs.append(replace(run, key=f"{number}{fold}", metrics={"accuracy": score}))
    best = BestRecord(key="10", variant="trial 1", metric="accuracy", value=0.8)
    return replace(whole, runs=tuple(runs), best={"skin": best}, **more)


def test_whole_trials_come_before_pruned_ones_with_the_mean_of_their_folds() -> None:
    trials = scored_trials(searched())
    assert [trial.number for trial in trials] == [1, 3, 0, 2]
    assert [trial.mean for trial in trials] == pytest.approx([0.8, 0.61, 0.55, 0.4])
    assert trials[0].sd == pytest.approx(np.std([0.9, 0.7], ddof=1))
    assert trials[3].sd is None
    assert [trial.is_best for trial in trials] == [True, False, False, False]


def test_the_history_shows_each_trial_and_the_best_so_far() -> None:
    figure = search.history(scored_trials(searched()), "accuracy")
    drawn = lines(figure.axes[0])
    np.testing.assert_allclose(points(drawn["mean of the folds"]), [(0, 0.55), (1, 0.8), (3, 0.61)])
    assert points(drawn["pruned: mean of the folds so far"]) == [(2, 0.4)]
    np.testing.assert_allclose(points(drawn["best so far"]), [(0, 0.55), (1, 0.8), (3, 0.8)])
    np.testing.assert_allclose(points(drawn["best"]), [(1, 0.8)])
    bars = {line.get_xdata()[0]: line.get_ydata() for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1}
    spread = np.std([0.5, 0.6], ddof=1)
    assert bars[0] == pytest.approx((0.55 - spread, 0.55 + spread))
    check_texts(figure)
    check_legends(figure)


def test_a_line_of_the_parallel_axes_runs_through_the_values_of_its_trial() -> None:
    figure = search.parallel_coordinates(scored_trials(searched()), "accuracy")
    drawn = lines(figure.axes[0])
    assert list(drawn) == ["trial 0", "trial 3", "trial 1"]  # the best on top; the pruned one has no score of all folds
    heights = {name: [y for _, y in points(line)] for name, line in drawn.items()}
    assert heights["trial 0"] == pytest.approx([0, 0, 0, 0])
    assert heights["trial 1"] == pytest.approx([1, 0.5, 1, 1])
    middle = math.log(0.03 / 0.001) / math.log(100)  # on a logarithmic axis
    assert heights["trial 3"] == pytest.approx([middle, 1, 1, (0.61 - 0.55) / 0.25])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"rate", "depth", "schedule", "accuracy", "0.001", "0.1", "cosine", "step", "8", "14", "20"} <= set(texts)
    check_texts(figure)


def test_the_importances_are_bars_the_largest_on_top() -> None:
    figure = search.bars({"learner.rate": 0.2, "learner.depth": 0.7, "learner.schedule": 0.1})
    (axes,) = figure.axes
    assert ticks(axes.yaxis) == ["depth", "rate", "schedule"]
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.2, 0.1]
    assert [text.get_text() for text in axes.texts] == ["70%", "20%", "10%"]
    check_texts(figure)


def test_importances_are_drawn_where_the_trials_were_enough_to_tell() -> None:
    assert set(search_figures(searched())) == {"history", "parallel_coordinates"}
    told = searched(importances={"learner.rate": 0.4, "learner.depth": 0.6})
    assert set(search_figures(told)) == {"history", "parallel_coordinates", "importances"}
    assert search_figures(summary()) == {}


def test_figures_of_other_trials_are_drawn_anew_and_those_of_these_stay(tmp_path: Path) -> None:
    draw_search(tmp_path, searched(importances={"learner.rate": 0.4, "learner.depth": 0.6}))
    names = {"search_history.png", "search_parallel_coordinates.png", "search_importances.png"}
    assert {path.name for path in tmp_path.glob("*.png")} == names
    before = (tmp_path / "search_history.png").stat().st_mtime_ns

    draw_search(tmp_path, searched(importances={"learner.rate": 0.4, "learner.depth": 0.6}))
    assert (tmp_path / "search_history.png").stat().st_mtime_ns == before
    draw_search(tmp_path, searched())
    assert not (tmp_path / "search_importances.png").exists()


def test_trials_of_which_none_is_complete_have_a_history() -> None:
    whole = searched()
    trials = [replace(trial, value=None, state="failed") for trial in whole.trials or ()]
    nothing = replace(whole, trials=tuple(trials), best={}, runs=())
    assert set(search_figures(nothing)) == {"history"}
    check_texts(search_figures(nothing)["history"]())


def test_ticks_that_would_lie_upon_one_another_are_left_out() -> None:
    assert [label for _, label in axis_of("x", [0.2, 0.5, 1.0]).ticks] == ["0.2", "0.5", "1"]
    assert [label for _, label in axis_of("x", [0.2, 0.21, 1.0]).ticks] == ["0.2", "1"]
    assert [label for _, label in axis_of("x", [3, 3]).ticks] == ["3"]
