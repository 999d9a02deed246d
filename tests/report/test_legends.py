"""Legends of figures: beside or above the axes, never on a curve; and outlines that the image's edge does not cut."""

import numpy as np
import pytest
from figure_parts import check_legends, predicted

from medcls.explain.decision_map import Plane
from medcls.report.figures import canvas, class_scores, decision_boundary, roc, sanity_checks, segmentation
from medcls.report.figures.saliency import Shown, where_it_looks

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize("count", [4, 16])
def test_the_legends_of_sanity_checks_lie_above_their_panels(count: int) -> None:
    generator = np.random.default_rng(0)
    curves = generator.random((count, 17))
    arrays = dict.fromkeys(("deletion", "insertion", "random_deletion", "random_insertion"), curves)
    arrays |= {"down_to": np.array(["dense", "conv_3"]), "ranks": curves[:2], "likeness": curves[2:4]}
    check_legends(sanity_checks.trust(arrays, "some run on skin"))


def test_the_legends_of_predictions_lie_beside_their_panels() -> None:
    labels, probabilities = predicted(90, 3)
    check_legends(roc.roc(labels, probabilities, CLASSES, "some run"))
    check_legends(roc.precision_recall(labels, probabilities, CLASSES, "some run"))
    check_legends(class_scores.class_scores(labels, probabilities, CLASSES, None, "some run"))


def test_the_legends_of_a_boundary_lie_above_its_panels() -> None:
    points = decision_boundary.Points(np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1]), ("inside", "outside"))
    history = {name: [0.9, 0.5, 0.1] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    plane = Plane(3, (-1.0, 1.0, -1.0, 1.0), np.linspace(0, 1, 16).reshape(4, 4).astype(np.float32))
    check_legends(decision_boundary.boundary(plane, points, history, "some run"))


def test_an_outline_at_the_edge_is_drawn_in_its_whole_width() -> None:
    masks = np.ones((20, 20), bool)
    figure = canvas.sheet(3, 3, "")
    axes = canvas.panel(figure, 0.5, 0.5, 2, 2)
    segmentation.outlined(axes, np.zeros((20, 20, 1), np.uint8), [(masks, "#ff0000")])
    figure.canvas.draw()
    pixels = canvas.drawn_pixels(figure).astype(int)
    frame = axes.get_window_extent()
    height = len(pixels)
    top, bottom = height - round(frame.y1), height - round(frame.y0)
    left, right, middle = round(frame.x0), round(frame.x1), height // 2
    for beyond in (pixels[top - 1, middle], pixels[bottom, middle], pixels[middle, left - 1], pixels[middle, right]):
        assert beyond[0] - beyond[1] > 40  # red outside the image too: half of the line lies there


def test_the_outline_of_a_region_is_closed_at_the_edge_of_the_image() -> None:
    arrays = {
        "maps": np.zeros((1, 16, 16), np.float16),
        "places": np.array([0]),
        "reasons": np.array(["typical"]),
        "labels": np.array([0]),
        "predictions": np.array([[0.9, 0.1]]),
        "method": np.array("grad_cam"),
        "layer": np.array("conv"),
        "regions": np.array(["corner"]),
        "masks": np.pad(np.ones((1, 1, 8, 8), bool), ((0, 0), (0, 0), (0, 8), (0, 8))),
    }
    shown = Shown(arrays, np.zeros((1, 16, 16, 1), np.uint8), ["a.png"], ("a", "b"))
    figure = where_it_looks(shown, "some run")
    (image, *_) = (picture.get_array() for picture in figure.images)
    blue = np.asarray(image)[:, :, 2] > 200
    assert blue[0, :80].all()
    assert blue[:80, 0].all()
    assert not blue[0, 120:].any()
