"""A decision boundary over a map of probabilities, the learning curves beside it; and how it moved, as a film."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.decision_map import Plane
from medcls.report.figures import canvas
from medcls.utils.lazy import PIL, matplotlib

SIDE, LEFT, FLOOR, GAP = 3.6, 0.5, 0.5, 0.75  # the map's side, room on its left, below, and between panels, in inches
CURVE = 1.5  # height of a curve's panel
PAUSE, END = 80, 2500  # milliseconds of a frame and of the last
ENDS = ("#9db2fd", "#ffffff", "#ffb98f")  # of the map: surely the first class, undecided, surely the second
INKS = canvas.COLOURS[:2]  # of the points and curves
CURVES = ("loss", "accuracy")


@dataclass(frozen=True)
class Points:
    """What lies in the plane: points of shape (n, 2), their classes of shape (n,), the classes' names."""

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def boundary(plane: Plane, points: Points, history: Mapping[str, Sequence[float]], title: str) -> Any:
    """Return a Figure: the map with the boundary where both classes are as likely, the points, loss and accuracy.

    Args:
        plane: the map.
        points: on which the network learnt and was judged.
        history: one value an epoch, as a run's folder has it; curves end at the map's epoch.
        title: of the figure.
    """
    return _Drawing(points, history, title, plane.extent).show(plane)


def film(planes: Sequence[Plane], points: Points, history: Mapping[str, Sequence[float]], title: str) -> bytes:
    """Return an animated GIF of the boundary over the epochs, repeated for ever, the last map shown longest."""
    drawing = _Drawing(points, history, title, planes[0].extent)
    pictures = [drawing.picture(plane) for plane in planes]
    palette = _beside([pictures[0], pictures[len(pictures) // 2], pictures[-1]]).quantize(128)
    first, *others = [each.quantize(palette=palette, dither=PIL.Image.Dither.NONE) for each in pictures]
    pauses = [PAUSE] * len(others) + [END]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=pauses, loop=0, optimize=False)
    return buffer.getvalue()


class _Drawing:
    """A sheet whose map and curves are exchanged from frame to frame."""

    def __init__(
        self, points: Points, history: Mapping[str, Sequence[float]], title: str, extent: tuple[float, ...]
    ) -> None:
        self._history = history
        width = LEFT + SIDE + GAP + SIDE + 0.15
        self._figure = canvas.sheet(width, FLOOR + SIDE + 0.3, title)
        self._axes = canvas.panel(self._figure, LEFT, FLOOR, SIDE, SIDE)
        self._points = self._scatter(points)
        self._told = self._axes.text(0, 1.02, "", transform=self._axes.transAxes, size=canvas.SIZE)
        scale = matplotlib.colors.LinearSegmentedColormap.from_list("classes", ENDS)
        self._map = self._axes.imshow(
            np.zeros((2, 2)), cmap=scale, vmin=0, vmax=1, extent=extent, origin="lower", interpolation="bilinear"
        )
        self._axes.set_aspect("auto")
        self._axes.set(xlim=extent[:2], ylim=extent[2:])
        self._contour: Any = None
        self._still: Any = None
        bottoms = (FLOOR + SIDE - CURVE, FLOOR)
        self._lines = {name: self._panel(name, bottom) for name, bottom in zip(CURVES, bottoms, strict=True)}

    def show(self, plane: Plane) -> Any:
        """Return the sheet as it is after a map's epochs."""
        self._map.set_data(plane.probabilities)
        if self._contour is not None:
            self._contour.remove()
        rows, columns = plane.probabilities.shape
        x, y = np.linspace(*plane.extent[:2], columns), np.linspace(*plane.extent[2:], rows)
        has_both = plane.probabilities.min() < 0.5 < plane.probabilities.max()
        self._contour = self._axes.contour(x, y, plane.probabilities, [0.5], colors="black") if has_both else None
        self._told.set_text(f"after epoch {plane.epochs}")
        for lines in self._lines.values():
            for name, line in lines.items():
                values = self._history[name][: plane.epochs]
                line.set_data(range(1, len(values) + 1), values)
        return self._figure

    def picture(self, plane: Plane) -> Any:
        """Return the sheet after a map's epochs as a picture; what does not change is drawn once for all of them."""
        if self._still is None:
            for each in self._moving():
                each.set_visible(False)
            self._figure.canvas.draw()
            self._still = self._figure.canvas.copy_from_bbox(self._figure.bbox)
            for each in self._moving():
                each.set_visible(True)
        self.show(plane)
        self._figure.canvas.restore_region(self._still)
        for each in self._moving():
            each.draw(self._figure.canvas.get_renderer())
        return PIL.Image.fromarray(np.asarray(self._figure.canvas.buffer_rgba())[:, :, :3].copy())

    def _moving(self) -> list[Any]:
        """Return what changes from frame to frame, and the points, which lie over it: from the bottom up."""
        contour = [] if self._contour is None else [self._contour]
        curves = [line for lines in self._lines.values() for line in lines.values()]
        return [self._map, *contour, *self._points, self._told, *curves]

    def _scatter(self, points: Points) -> list[Any]:
        drawn = []
        for label, (name, colour) in enumerate(zip(canvas.names(points.classes), INKS, strict=True)):
            chosen = points.points[points.labels == label]
            style = {"s": 9, "color": colour, "edgecolors": "white", "linewidths": 0.4, "zorder": 3}
            drawn.append(self._axes.scatter(*chosen.T, marker="os"[label], label=f"class {name}", **style))
        place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2, "ncols": 2}
        self._axes.legend(fontsize=canvas.SIZE, frameon=False, handletextpad=0.1, columnspacing=1.0, **place)
        return drawn

    def _panel(self, name: str, bottom: float) -> dict[str, Any]:
        axes = canvas.panel(self._figure, LEFT + SIDE + GAP, bottom, SIDE, CURVE)
        curves = [each for each in (name, f"val_{name}") if each in self._history]
        styles = ((INKS[0], "--", "training"), (INKS[1], "-", "validation"))
        lines = {}
        for each, (colour, style, label) in zip(curves, styles, strict=False):
            (lines[each],) = axes.plot([], [], color=colour, linestyle=style, label=label)
        values = [value for each in curves for value in self._history[each]]
        space = 0.05 * (max(values) - min(values)) + 1e-3
        axes.set(xlim=(0, len(self._history[name]) + 1), ylim=(min(values) - space, max(values) + space))
        axes.grid(alpha=0.3)
        axes.set_title(name, loc="left", size=canvas.SIZE)
        if name == CURVES[0]:
            axes.legend(fontsize=canvas.SIZE, frameon=False)
        else:
            axes.set_xlabel("epoch", size=canvas.SIZE)
        return lines


def _beside(pictures: Sequence[Any]) -> Any:
    return PIL.Image.fromarray(np.concatenate([np.asarray(each) for each in pictures], axis=1))
