"""A decision boundary over a map of probabilities, beside the learning curves; and how it moved, as an animation."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medcls.explain.decision_map import Extent, Plane
from medcls.report.figures import canvas
from medcls.utils.lazy import PIL, matplotlib

if TYPE_CHECKING:
    from matplotlib.contour import QuadContourSet
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

SIDE, LEFT, FLOOR, GAP = 3.6, 0.5, 0.5, 0.75  # the map's side, room on its left, below, and between panels, in inches
CURVE = 1.5  # height of a curve's panel
PAUSE, END = 80, 2500  # milliseconds of a frame and of the last
ENDS = ("#9db2fd", "#ffffff", "#ffb98f")  # of the map: surely the first class, undecided, surely the second
INKS = canvas.COLOURS[:2]  # of the points and curves
CURVES = ("loss", "accuracy")
COLOURS = 128  # of the animation's palette

History = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Points:
    """The points that a network learnt from and was judged on.

    Attributes:
        points: of shape (n, 2).
        labels: their classes, of shape (n,).
        classes: the names of the two classes.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def boundary(plane: Plane, points: Points, history: History, title: str) -> matplotlib.figure.Figure:
    """Draw a map with the boundary where both classes are equally likely, the points, and loss and accuracy.

    Args:
        plane: the map.
        points: the points.
        history: curve -> one value per epoch, as the run directory has it; curves end at the map's epoch.
        title: of the figure.
    """
    return _Drawing(points, history, title, plane.extent).show(plane)


def film(planes: Sequence[Plane], points: Points, history: History, title: str) -> bytes:
    """Return an animated GIF of the boundary over the epochs, in an endless loop that rests on the last map.

    Args:
        planes: the maps, in order of their epochs.
        points: the points.
        history: curve -> one value per epoch, as the run directory has it.
        title: of the figure.
    """
    drawing = _Drawing(points, history, title, planes[0].extent)
    pictures = [drawing.pixels(plane) for plane in planes]
    samples = np.concatenate([pictures[0], pictures[len(pictures) // 2], pictures[-1]], axis=1)
    palette = PIL.Image.fromarray(samples).quantize(COLOURS)
    frames = []
    for picture in pictures:
        image = PIL.Image.fromarray(picture)
        frames.append(image.quantize(palette=palette, dither=PIL.Image.Dither.NONE))
    pauses = [PAUSE] * (len(frames) - 1) + [END]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=False)
    return buffer.getvalue()


class _Drawing:
    """A sheet whose map and curves change from frame to frame.

    Args:
        points: the points.
        history: curve -> one value per epoch.
        title: of the figure.
        extent: left, right, bottom and top of the maps.
    """

    def __init__(self, points: Points, history: History, title: str, extent: Extent) -> None:
        self._history = history
        width = LEFT + SIDE + GAP + SIDE + 0.15
        self._figure = canvas.sheet(width, FLOOR + SIDE + 0.3, title)
        self._axes = canvas.panel(self._figure, LEFT, FLOOR, SIDE, SIDE)
        self._points = _scatter(self._axes, points)
        self._epochs = self._axes.text(0, 1.02, "", transform=self._axes.transAxes, size=canvas.SIZE)
        scale = matplotlib.colors.LinearSegmentedColormap.from_list("classes", ENDS)
        self._map: AxesImage = self._axes.imshow(
            np.zeros((2, 2)), cmap=scale, vmin=0, vmax=1, extent=extent, origin="lower", interpolation="bilinear"
        )
        self._axes.set_aspect("auto")
        self._axes.set(xlim=extent[:2], ylim=extent[2:])
        self._contour: QuadContourSet | None = None
        self._lines: dict[str, Line2D] = {}
        for name, bottom in zip(CURVES, (FLOOR + SIDE - CURVE, FLOOR), strict=True):
            axes = canvas.panel(self._figure, LEFT + SIDE + GAP, bottom, SIDE, CURVE)
            self._lines |= _empty_curves(axes, name, history)
        self._background: object = None

    def show(self, plane: Plane) -> matplotlib.figure.Figure:
        """Return the sheet as it is after the epochs of a map."""
        self._map.set_data(plane.probabilities)
        if self._contour is not None:
            self._contour.remove()
            self._contour = None
        rows, columns = plane.probabilities.shape
        left, right, bottom, top = plane.extent
        if np.min(plane.probabilities) < 0.5 < np.max(plane.probabilities):
            x, y = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
            self._contour = self._axes.contour(x, y, plane.probabilities, [0.5], colors="black")
        self._epochs.set_text(f"after epoch {plane.epochs}")
        for name, line in self._lines.items():
            values = self._history[name][: plane.epochs]
            line.set_data(range(1, len(values) + 1), values)
        return self._figure

    def pixels(self, plane: Plane) -> NDArray[np.uint8]:
        """Return the sheet after the epochs of a map as an image of shape (height, width, 3).

        What does not change from frame to frame is drawn once.
        """
        agg = canvas.agg_canvas(self._figure)
        if self._background is None:
            for artist in self._moving():
                artist.set_visible(False)
            agg.draw()
            self._background = agg.copy_from_bbox(self._figure.bbox)
            for artist in self._moving():
                artist.set_visible(True)
        self.show(plane)
        agg.restore_region(self._background)
        for artist in self._moving():
            artist.draw(agg.get_renderer())
        return canvas.drawn_pixels(self._figure)

    def _moving(self) -> list[matplotlib.artist.Artist]:
        """Return what changes from frame to frame, and the points, which lie above the map: from the bottom up."""
        artists: list[matplotlib.artist.Artist] = [self._map]
        if self._contour is not None:
            artists.append(self._contour)
        artists += self._points
        artists.append(self._epochs)
        artists += self._lines.values()
        return artists


def _scatter(axes: matplotlib.axes.Axes, points: Points) -> list[matplotlib.artist.Artist]:
    """Draw the points of each class and a legend above the axes."""
    drawn: list[matplotlib.artist.Artist] = []
    for label, (name, colour, marker) in enumerate(zip(canvas.names(points.classes), INKS, "os", strict=True)):
        x, y = points.points[points.labels == label].T
        drawn.append(
            axes.scatter(
                x,
                y,
                s=9,
                color=colour,
                edgecolors="white",
                linewidths=0.4,
                zorder=3,
                marker=marker,
                label=f"class {name}",
            )
        )
    canvas.legend_beside_title(axes, handletextpad=0.1)
    return drawn


def _empty_curves(axes: matplotlib.axes.Axes, name: str, history: History) -> dict[str, Line2D]:
    """Prepare axes for the curves of a quantity, and return these by their names in the history, still empty."""
    lines: dict[str, Line2D] = {}
    values: list[float] = []
    for curve, colour, style, label in ((name, INKS[0], "--", "training"), (f"val_{name}", INKS[1], "-", "validation")):
        if curve in history:
            (lines[curve],) = axes.plot([], [], color=colour, linestyle=style, label=label)
            values += history[curve]
    space = 0.05 * (max(values) - min(values)) + 1e-3
    axes.set(xlim=(0, len(history[name]) + 1), ylim=(min(values) - space, max(values) + space))
    axes.grid(alpha=0.3)
    axes.set_title(name, loc="left", size=canvas.SIZE)
    if name == CURVES[0]:
        canvas.legend_beside_title(axes)
    else:
        axes.set_xlabel("epoch", size=canvas.SIZE)
    return lines
