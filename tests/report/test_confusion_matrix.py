"""The confusion matrix: counts and shares."""

import numpy as np
import pytest
from figure_parts import check_texts, ticks

from medcls.report.figures import canvas, confusion


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_cells_hold_counts_and_row_percentages() -> None:
    matrix = np.array([[3, 1, 0], [0, 1, 999], [0, 0, 0]])

    (axes,) = confusion.confusion_matrix(matrix, ("Mel", "Nev", "Ak"), "skin").axes

    assert texts(axes) == [
        "3\n75%", "1\n25%", "0\n0%",
        "0\n0%", "1\n<1%", "999\n>99%",
        "0\n-", "0\n-", "0\n-",
    ]  # fmt: skip
    np.testing.assert_allclose(axes.get_images()[0].get_array(), [[0.75, 0.25, 0], [0, 0.001, 0.999], [0, 0, 0]])
    assert ticks(axes.yaxis) == ["Mel", "Nev", "Ak"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_of_many_classes_the_counts_are_written_and_of_a_hundred_only_coloured() -> None:
    (some,) = confusion.confusion_matrix(3 * np.eye(20, dtype=int), tuple(map(str, range(20))), "").axes
    (many,) = confusion.confusion_matrix(3 * np.eye(100, dtype=int), tuple(map(str, range(100))), "").axes

    assert texts(some) == ["3"] * 20
    assert texts(many) == []


@pytest.mark.parametrize("count", [2, 5, 20])
def test_cell_texts_fit_into_their_cells(count: int) -> None:
    figure = confusion.confusion_matrix(
        np.full((count, count), 1234), tuple(f"diagnosis {k}" for k in range(count)), ""
    )
    check_texts(figure)
    (axes,) = figure.axes
    cell = axes.get_window_extent().width / count

    for text in axes.texts:
        extent = text.get_window_extent()
        assert max(extent.width, extent.height) < cell


def test_equal_steps_of_a_share_look_equal() -> None:
    """The colours' distances in CIELAB (CIE 15:2004), worked out here anew, differ by little."""
    shades = np.array([canvas.blues()(share)[:3] for share in np.linspace(0, 1, 13)])
    linear = np.where(shades <= 0.04045, shades / 12.92, ((shades + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    relative = linear @ to_xyz.T / [0.9505, 1.0, 1.089]
    f = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative * (29 / 6) ** 2 / 3 + 4 / 29)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
    distances = np.linalg.norm(np.diff(lab, axis=0), axis=1)

    assert distances.max() / distances.min() < 1.3
    assert (np.diff(lab[:, 0]) < 0).all()
