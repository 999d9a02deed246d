"""Learning curves on a study's page: of many variants the best ones in colours, the others in grey."""

import re
from dataclasses import replace

import numpy as np
import pytest
from summaries import summary

from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.report import html
from medcls.report.figures import study_curves, svg_curves
from medcls.report.page_parts import PageExtras
from medcls.utils import palette


def searched(accuracies: dict[str, tuple[float, ...]]) -> StudySummary:
    """Return the summary of a search whose trials reached these accuracies, fold by fold."""
    found, runs = summary(), []
    first = found.runs[0]
    for name, scores in accuracies.items():
        for fold, score in enumerate(scores):
            params, metrics = {**first.params, "folds": 3}, {"accuracy": score, "gap": 0.0}
            runs.append(replace(first, variant=name, fold=fold, params=params, metrics=metrics))
    best = BestRecord(key=first.key, variant="trial 1", metric="accuracy", value=0.9)
    return replace(found, runs=tuple(runs), best={"skin": best})


TRIALS = {f"trial {number}": (0.5 + 0.4 * (number * 3 % 8) / 8,) * 3 for number in range(8)}


def test_the_best_of_many_trials_are_marked_the_best_first() -> None:
    expected = sorted(TRIALS, key=lambda name: -np.mean(TRIALS[name]))[: study_curves.MOST]
    assert study_curves.foremost(searched(TRIALS), "skin") == expected


def test_a_trial_pruned_after_a_lucky_fold_comes_behind_whole_ones() -> None:
    found = searched({**TRIALS, "trial 8": (0.99,)})
    assert "trial 8" not in study_curves.foremost(found, "skin")


def test_a_few_variants_keep_their_order_and_have_a_colour_each() -> None:
    assert study_curves.foremost(summary(), "skin") == ["plain", "dropout"]
    for chart in charts_of(summary()):
        assert drawn(chart, svg_curves.GREY) == 0
        assert drawn(chart, palette.colour(0)) > 0


def test_a_hundred_variants_have_a_hundred_colours() -> None:
    colours = [palette.colour(place) for place in range(100)]
    assert len(set(colours)) == 100
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)


@pytest.mark.parametrize("count", [6, 7, 8])
def test_no_two_variants_have_the_same_colour(count: int) -> None:
    chosen = dict(list(TRIALS.items())[:count])
    accuracy, loss, gap = charts_of(searched(chosen))
    for chart, curves in ((accuracy, 2), (loss, 2), (gap, 1)):  # training and validation, or their difference
        colours = [palette.colour(int(name.split()[-1])) for name in study_curves.foremost(searched(chosen), "skin")]
        assert [drawn(chart, colour) for colour in colours] == [curves] * study_curves.MOST
        assert drawn(chart, svg_curves.GREY) == count - study_curves.MOST


def test_the_legend_names_who_has_a_colour_and_counts_the_others() -> None:
    found = searched(TRIALS)
    others = len(TRIALS) - study_curves.MOST
    assert legend_of(found) == [
        *study_curves.colours(found, study_curves.foremost(found, "skin")).items(),
        (f"{others} others", svg_curves.GREY),
    ]
    one_too_many = dict(list(TRIALS.items())[: study_curves.MOST + 1])
    assert sorted(name for name, _ in legend_of(searched(one_too_many))) == sorted(one_too_many)


def test_the_legend_stands_beside_the_charts_and_not_upon_their_curves() -> None:
    for chart in charts_of(searched(TRIALS)):
        assert "trial" not in " ".join(re.findall(r"<!-- (.*?) -->", chart))  # each text that a chart draws


def legend_of(found: StudySummary) -> list[tuple[str, str]]:
    """Return names and colours of the legend that the page of a summary has."""
    page = html.render(found, PageExtras([], "", "", ""))
    legend = page[page.index('<ul class="legend">') : page.index('<div class="charts">')]
    return [(name, colour) for colour, name in re.findall(r'background:([^"]*)"></span>([^<]*)</li>', legend)]


def charts_of(found: StudySummary) -> list[str]:
    """Return the charts of a summary as its page has them."""
    return study_curves.charts(found, "skin", study_curves.foremost(found, "skin"))


def drawn(chart: str, colour: str) -> int:
    """Return how many curves within the axes have a colour."""
    paths = re.findall(r'<path d="[^"]*" clip-path="[^"]*" style="([^"]*)"', chart)
    return sum(f"stroke: {colour}" in style and "fill: none" in style for style in paths)
