"""Learning curves: what is drawn is the history."""

from typing import Any

import pytest
from figure_parts import check_texts, lines, points

from medcls.report.figures import canvas, learning_curves

HISTORY = {
    "loss": [1.0, 0.6, 0.5, 0.4],
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "learning_rate": [1e-3, 1e-3, 5e-4, 5e-4],
    "val_loss": [1.1, 0.8, 0.7, 0.75],
    "val_accuracy": [0.4, 0.6, 0.7, 0.65],
}


def panels(figure: Any) -> dict[str, Any]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_curves_are_the_history() -> None:
    drawn = panels(learning_curves.learning_curves(HISTORY, 2, "xray"))

    assert list(drawn) == ["loss", "accuracy", "learning rate"]
    for name in ("loss", "accuracy"):
        training, validation = lines(drawn[name])["training"], lines(drawn[name])["validation"]
        assert points(training) == list(zip([1, 2, 3, 4], HISTORY[name], strict=True))
        assert points(validation) == list(zip([1, 2, 3, 4], HISTORY[f"val_{name}"], strict=True))
        assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")


def test_the_learning_rate_has_a_logarithmic_axis() -> None:
    axes = panels(learning_curves.learning_curves(HISTORY, None, ""))["learning rate"]

    assert axes.get_yscale() == "log"
    assert axes.get_lines()[0].get_ydata().tolist() == HISTORY["learning_rate"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.0005", "0.001"]


def test_the_best_epoch_is_marked_in_every_panel_with_its_scores() -> None:
    marked, unmarked = (learning_curves.learning_curves(HISTORY, best, "") for best in (2, None))

    for axes in marked.axes:
        assert [3, 3] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert "best epoch: 3" in lines(marked.axes[0])
    scores = {name: axes.get_title(loc="right") for name, axes in panels(marked).items()}
    assert scores == {"loss": "0.700", "accuracy": "0.700", "learning rate": ""}
    assert sum(len(axes.get_lines()) for axes in unmarked.axes) == len(HISTORY)


@pytest.mark.parametrize(
    "history",
    [
        {},
        {"loss": [1.0]},
        {name: values[:1] for name, values in HISTORY.items()},
        {"loss": [1.0, float("nan")], "val_loss": [2.0, float("inf")], "learning_rate": [0.0, 0.0]},
        {"val_dice": [0.1, 0.2], "learning_rate": [0.0, 1e-3]},
        {"learning_rate": [1e-3, 1e-4]},
        {"loss": [1e5, 1e-4], "val_loss": [123456.0, 1e-9], "learning_rate": [1e-3, 1.1e-3]},
        {name: values * 50 for name, values in HISTORY.items()},
    ],
)
def test_odd_histories_are_drawn_without_a_warning(history: dict[str, list[float]]) -> None:
    check_texts(learning_curves.learning_curves(history, 0, "odd"))


def test_a_saved_figure_is_a_modest_png(tmp_path: Any) -> None:
    canvas.save(learning_curves.learning_curves(HISTORY, 2, "xray"), tmp_path / "curves.png")

    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "curves.png").stat().st_size < 100_000
