"""One image with what a network says of it: the prediction, the outlines, or the saliency map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import segmentation as mask_scores
from medcls.explain.overlays import overlay
from medcls.report.figures import canvas, segmentation
from medcls.report.figures.segmentation import PREDICTED, TRUE
from medcls.utils.lazy import matplotlib

SIDE, EDGE, LINE = 2.4, 0.08, 0.165  # inches of the image, around it, and of a line of text
RIGHT, WRONG = "#12703a", canvas.COLOURS[2]
TEXT = canvas.SIZE


@dataclass(frozen=True)
class Case:
    """An image and its prediction.

    Attributes:
        image: of shape (height, width, channels), uint8.
        label: its true class.
        prediction: the probability of each class, of shape (classes,), or of each pixel, of shape (height, width, 1).
        file: the name of the image's file.
    """

    image: NDArray[np.uint8]
    label: int
    prediction: NDArray[np.floating]
    file: str


def with_prediction(case: Case, classes: tuple[str, ...]) -> matplotlib.figure.Figure:
    """Draw an image below its true class and its predicted class: green if right, red if wrong.

    Args:
        case: the image and its prediction.
        classes: the names of the classes.
    """
    figure, axes = _tile(_words(case, classes))
    segmentation.outlined(axes, case.image, ())
    return figure


def with_saliency(case: Case, classes: tuple[str, ...], heat: NDArray[np.floating]) -> matplotlib.figure.Figure:
    """Draw an image with its saliency map over it, below its true class and its predicted class.

    Args:
        case: the image and its prediction.
        classes: the names of the classes.
        heat: the saliency map, of shape (rows, columns), 0..1.
    """
    figure, axes = _tile(_words(case, classes))
    segmentation.outlined(axes, overlay(case.image, np.asarray(heat, np.float32), "inferno", 256), ())
    return figure


def with_outlines(case: Case, mask: NDArray[np.bool_]) -> matplotlib.figure.Figure:
    """Draw an image with the true and the predicted outline, below the Dice score.

    Args:
        case: the image and its prediction.
        mask: the true mask, of shape (height, width).
    """
    predicted = case.prediction[..., 0] > 0.5
    dice = float(mask_scores.judged(mask[None], case.prediction[None])["dice"][0])
    score = f"Dice {dice:.3f}" if np.isfinite(dice) else "no Dice: both masks are empty"
    figure, axes = _tile([(score, "black"), ("true outline", TRUE), ("predicted outline", PREDICTED), _file(case)])
    segmentation.outlined(axes, case.image, [(mask, TRUE), (predicted, PREDICTED)])
    return figure


def _words(case: Case, classes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the lines above a classified image, each with its colour."""
    names, predicted = canvas.names(classes), int(case.prediction.argmax())
    colour = RIGHT if predicted == case.label else WRONG
    said = f"predicted: {names[predicted]}  {case.prediction[predicted]:.2f}"
    return [(f"true: {names[case.label]}", "black"), (said, colour), _file(case)]


def _file(case: Case) -> tuple[str, str]:
    return canvas.plain(PurePath(case.file).name), canvas.COLOURS[-1]


def _tile(lines: list[tuple[str, str]]) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    """Return a figure with lines of text above the axes of an image; lines that are too long are shortened."""
    height = SIDE + 3 * EDGE + LINE * len(lines)
    figure = canvas.sheet(SIDE + 2 * EDGE, height, "")
    for number, (text, colour) in enumerate(lines):
        top = figure.get_figheight() - EDGE - number * LINE
        x, y = EDGE / figure.get_figwidth(), top / figure.get_figheight()
        figure.text(x, y, canvas.fitting(text, SIDE, TEXT), size=TEXT, va="top", color=colour)
    return figure, canvas.panel(figure, EDGE, EDGE, SIDE, SIDE)
