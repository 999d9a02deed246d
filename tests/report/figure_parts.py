"""What the tests of figures look at: lines, texts and where they stand; and predictions to draw."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def predicted(n: int, classes: int, skill: float = 1.5, seed: int = 0) -> tuple[Array, Array]:
    """Return labels and probabilities that are better than chance by some skill."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    raw = np.exp(2 * (generator.normal(size=(n, classes)) + skill * np.eye(classes)[labels]))
    return labels, (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


def lines(axes: Any) -> dict[str, Any]:
    """Return the lines that have a label, by it."""
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def points(line: Any) -> list[tuple[float, float]]:
    """Return a line's points."""
    return [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def title(figure: Any) -> str:
    """Return a figure's title on one line."""
    return " ".join(figure.get_suptitle().split())


def ticks(axis: Any) -> list[str]:
    """Return the labels of an axis."""
    return [label.get_text() for label in axis.get_ticklabels()]


def check_texts(figure: Any) -> None:
    """Check that all texts stand on the sheet and none upon another; a pixel is forgiven."""
    figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in _texts(figure)]
    assert boxes
    for text, box in boxes:
        assert box.x0 > -2, text
        assert box.y0 > -2, text
        assert box.x1 < figure.bbox.width + 2, text
        assert box.y1 < figure.bbox.height + 2, text
    for (text, box), (other, there) in combinations(boxes, 2):
        assert not box.overlaps(there), (text, other)


def check_legends(figure: Any) -> None:
    """Check that no legend lies on axes, and so on no curve; a pixel is forgiven."""
    figure.canvas.draw()
    for axes in figure.axes:
        if axes.get_legend():
            box = axes.get_legend().get_window_extent().padded(-1)
            for other in figure.axes:
                assert not box.overlaps(other.get_window_extent()), axes.get_legend().get_texts()


def _texts(figure: Any) -> Iterator[Any]:
    """Yield all texts that are drawn."""
    shown = [figure._suptitle, *figure.texts]
    for axes in figure.axes:
        shown += [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        shown += axes.get_legend().get_texts() if axes.get_legend() else []
        for place, axis in enumerate((axes.xaxis, axes.yaxis) if axes.axison else ()):
            low, high = sorted(axis.get_view_interval())
            shown += [label for label in axis.get_majorticklabels() if low <= label.get_position()[place] <= high]
    yield from {id(text): text for text in shown if text and text.get_visible() and text.get_text().strip()}.values()
