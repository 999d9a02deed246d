"""Figures: what is drawn is what was given."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcls.report import figures

HISTORY = {
    "loss": [1.0, 0.6, 0.5, 0.4],
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "learning_rate": [1e-3, 1e-3, 5e-4, 5e-4],
    "val_loss": [1.1, 0.8, 0.7, 0.75],
    "val_accuracy": [0.4, 0.6, 0.7, 0.65],
}


def lines(axes: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.get_lines()}


def panels(figure: Any) -> dict[str, Any]:
    return {axes.get_title(): axes for axes in figure.axes}


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_curves_are_the_history() -> None:
    drawn = panels(figures.learning_curves(HISTORY, 2, "xray"))

    assert set(drawn) == {"loss", "accuracy", ""}
    for name in ("loss", "accuracy"):
        training, validation = lines(drawn[name])["training"], lines(drawn[name])["validation"]
        assert training.get_xdata().tolist() == [1, 2, 3, 4]
        assert training.get_ydata().tolist() == HISTORY[name]
        assert validation.get_ydata().tolist() == HISTORY[f"val_{name}"]
        assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")


def test_the_learning_rate_has_a_logarithmic_axis() -> None:
    (axes,) = [axes for axes in figures.learning_curves(HISTORY, None, "").axes if axes.get_yscale() == "log"]

    assert axes.get_lines()[0].get_ydata().tolist() == HISTORY["learning_rate"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.0005", "0.001"]


def test_the_best_epoch_is_marked_in_every_panel() -> None:
    marked, unmarked = (figures.learning_curves(HISTORY, best, "") for best in (2, None))

    for axes in marked.axes:
        assert [3, 3] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert "best epoch: 3" in lines(marked.axes[0])
    assert sum(len(axes.get_lines()) for axes in unmarked.axes) == len(HISTORY)


@pytest.mark.parametrize(
    "history",
    [
        {},
        {"loss": [1.0]},
        {name: values[:1] for name, values in HISTORY.items()},
        {"loss": [1.0, float("nan")], "val_loss": [2.0, float("inf")], "learning_rate": [0.0, 0.0]},
        {"val_dice": [0.1, 0.2], "learning_rate": [0.0, 1e-3]},
    ],
)
def test_odd_histories_are_drawn_without_a_warning(history: dict[str, list[float]], tmp_path: Path) -> None:
    figures.save(figures.learning_curves(history, 0, "odd"), tmp_path / "curves.png")

    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_cells_hold_counts_and_row_percentages() -> None:
    matrix = np.array([[3, 1, 0], [0, 1, 999], [0, 0, 0]])

    (axes,) = figures.confusion_matrix(matrix, ("Mel", "Nev", "Ak"), "skin").axes

    assert texts(axes) == [
        "3\n75%", "1\n25%", "0\n0%",
        "0\n0%", "1\n<1%", "999\n>99%",
        "0\n-", "0\n-", "0\n-",
    ]  # fmt: skip
    np.testing.assert_allclose(axes.get_images()[0].get_array(), [[0.75, 0.25, 0], [0, 0.001, 0.999], [0, 0, 0]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Mel", "Nev", "Ak"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


@pytest.mark.parametrize("count", [2, 5, 20])
def test_cell_texts_fit_into_their_cells(count: int) -> None:
    matrix = np.full((count, count), 1234)
    figure = figures.confusion_matrix(matrix, tuple(f"diagnosis {k}" for k in range(count)), "large")
    figure.canvas.draw()
    (axes,) = figure.axes
    cell = axes.get_window_extent().width / count

    for text in axes.texts:
        extent = text.get_window_extent()
        assert max(extent.width, extent.height) < cell


def test_a_saved_figure_is_a_modest_png_of_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        figures.save(figures.learning_curves(HISTORY, 2, "xray"), tmp_path / name)

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_size < 150_000
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert max(image.size) < 1500


def test_threads_draw_side_by_side(tmp_path: Path) -> None:
    def draw(number: int) -> bytes:
        path = tmp_path / f"{number}.png"
        figures.save(figures.confusion_matrix(np.eye(3, dtype=int), ("a", "b", "c"), "same"), path)
        return path.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        drawn = set(pool.map(draw, range(8)))

    assert len(drawn) == 1


def test_pyplot_is_never_loaded() -> None:
    code = """
import sys
from medcls.report import figures
assert "matplotlib" not in sys.modules
figures.save(figures.learning_curves({"loss": [1.0, 0.5]}, 1, ""), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, os.devnull], check=True)
