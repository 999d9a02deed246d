"""What all figures share: names that can be read and told apart, texts in their places, the same bytes again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_parts import check_texts, predicted
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from medcls.evaluation import classification
from medcls.report.figures import calibration, canvas, class_scores, confusion, roc, worst_errors

ODD = (
    "Melanocytic naevus of the left upper extremity",
    "Melanocytic naevus of the left lower extremity",
    "Übergangsepithelkarzinom, é",
    "cost $5 and $_$ \\frac{",
    "肺炎",
    "正常",
    "several\nlines",
    "W" * 300,
    "x",
)
CASES: tuple[tuple[int, tuple[str, ...], dict[str, Any]], ...] = (
    (120, ("AFF", "NFF"), {}),
    (150, tuple(f"C{k}" for k in range(1, 10)), {}),
    (600, tuple(f"diagnosis {k}" for k in range(30)), {}),
    (30, ("a", "b", "c", "absent from so few", "d", "e", "f"), {}),
    (40, ("a", "b", "c"), {"skill": 50.0}),
    (1, ("a", "b", "c"), {}),
    (1, ("a", "b"), {}),
    (90, ODD, {}),
    (90, ODD[:2], {}),
)


def figures(n: int, names: tuple[str, ...], how: dict[str, Any]) -> Iterator[Any]:
    """Yield every figure of a set."""
    labels, probabilities = predicted(n, len(names), **how)
    matrix = classification.confusion_matrix(labels, probabilities.argmax(axis=1), len(names))
    title = "trial 12 seed 0 fold 3/5, validation set"
    yield confusion.confusion_matrix(matrix, names, title)
    yield roc.roc(labels, probabilities, names, title)
    yield roc.precision_recall(labels, probabilities, names, title)
    yield calibration.calibration_diagram(labels, probabilities, title)
    yield class_scores.class_scores(labels, probabilities, names, None, title)
    yield class_scores.recalls({name: [0.1, 0.9] for name in names}, {}, names, "fold", title)
    chosen = worst_errors.worst(labels, probabilities)
    images, files = np.zeros((len(chosen), 8, 8, 1), np.uint8), [f"{'long ' * 20}肺 $ {row}.png" for row in chosen]
    wrong = worst_errors.Misclassified(images, labels[chosen], probabilities[chosen], files, names)
    yield worst_errors.certain_errors(wrong, title)


@pytest.mark.parametrize(("n", "names", "how"), CASES)
def test_texts_stand_on_the_sheet_and_none_upon_another(n: int, names: tuple[str, ...], how: dict[str, Any]) -> None:
    for figure in figures(n, names, how):
        check_texts(figure)
        assert max(figure.bbox.width, figure.bbox.height) < 1600


def test_the_same_data_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    for one, other in zip(figures(*CASES[0]), figures(*CASES[0]), strict=True):
        canvas.save(one, first)
        canvas.save(other, second)
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_size < 150_000


@given(st.lists(st.text(min_size=1), min_size=1, max_size=12, unique=True))
def test_any_names_can_be_drawn_and_told_apart(given: list[str]) -> None:
    shown = canvas.names(given)

    assert len(set(shown)) == len(shown)
    assert all(len(name.replace(r"\$", "$")) <= canvas.LONGEST + len("12: ") for name in shown)
    figure = canvas.sheet(3.0, 0.5, "\n".join(shown))
    figure.canvas.draw()


def test_every_class_stands_in_a_legend_and_no_number_is_taken_for_a_name() -> None:
    shown = canvas.names(["_5mm", "<5mm", "_"])
    axes = Figure().add_subplot()
    for name in shown:
        axes.plot([0, 1], label=name)
    assert [text.get_text() for text in axes.legend().get_texts()] == shown == ["1: _5mm", "<5mm", "3: _"]
    assert len(set(canvas.names(["x  y", "x y", "1: x y"]))) == 3


def test_names_that_are_short_stay_as_they_are() -> None:
    assert canvas.names(["AFF", "Übergang", "a_b"]) == ["AFF", "Übergang", "a_b"]
    assert canvas.names(ODD[:2]) == ["1: Melanocytic naev…tremity", "2: Melanocytic naev…tremity"]


def test_threads_draw_side_by_side(tmp_path: Path) -> None:
    def draw(number: int) -> bytes:
        path = tmp_path / f"{number}.png"
        canvas.save(confusion.confusion_matrix(np.eye(3, dtype=int), ("a", "b", "c"), "same"), path)
        return path.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        drawn = set(pool.map(draw, range(8)))

    assert len(drawn) == 1


def test_pyplot_is_never_loaded() -> None:
    code = """
import sys
from medcls.report.figures import canvas, learning_curves as curves
import medcls.report.run_figures
assert "matplotlib" not in sys.modules
canvas.save(curves.learning_curves({"loss": [1.0, 0.5]}, 1, ""), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, os.devnull], check=True)
