"""Outlines of masks: which cases are shown, and that the lines run around the masks."""

import numpy as np
import pytest

from medcls.report.figures import canvas, segmentation


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_best_median_and_worst_are_told_by_dice(count: int):
    dice = np.random.default_rng(count).permutation(count) / count
    chosen = segmentation.cases(dice)
    few = min(3, count)
    assert [len(each) for each in chosen.values()] == [few] * 3
    assert dice[chosen["best"]].tolist() == sorted(dice, reverse=True)[:few]
    assert dice[chosen["worst"]].tolist() == sorted(dice)[:few]
    assert abs(np.median(dice[chosen["median"]]) - np.median(dice)) <= 1 / count


def test_the_line_runs_around_the_mask_also_at_the_edge():
    mask = np.zeros((20, 20), bool)
    mask[0:6, 4:10] = True
    axes = canvas.panel(canvas.sheet(3, 3, ""), 0, 0, 2, 2)
    segmentation.outlined(axes, np.zeros((20, 20, 1), np.uint8), [(mask, "red")])
    (line,) = axes.lines
    x, y = line.get_data()
    assert (x.min(), x.max(), y.min(), y.max()) == (3.5, 9.5, -0.5, 5.5)


def test_a_sheet_says_what_it_shows(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
    masks = generator.random((4, 16, 16)) > 0.5
    dice = np.array([0.5, 0.9, 0.1, 0.7])
    names = [f"{name}.png" for name in "abcd"]
    segmented = segmentation.Segmented(images, np.array([5, 0, 2, 1]), masks, ~masks, dice, names)
    figure = segmentation.overlays(segmented, "chests")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "best: Dice 0.900, b.png"
    assert titles[6] == "worst: Dice 0.100, c.png"
    assert np.array_equal(figure.axes[0].images[0].get_array(), images[0])  # the row of the best, place 1
    canvas.save(figure, tmp_path / "sheet.png")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["true outline", "predicted outline"]


def test_the_spread_leaves_out_what_is_undefined():
    figure = segmentation.spread({"dice": np.array([0.2, np.nan, 0.8]), "precision": np.full(3, np.nan)}, "chests")
    curves = figure.axes[0].lines[0].get_ydata()
    assert curves.tolist() == [0.2, 0.8]
    assert not figure.axes[1].lines
