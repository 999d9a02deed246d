"""Sheets of images with their saliency maps: by one method with its overlays, and by all methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.overlays import HEAT, IMAGE, coloured, enlarged, overlay
from medcls.report.figures import canvas
from medcls.utils.lazy import cv2, matplotlib

PANEL, EDGE, LINE, HEAD = 180, 8, 15, 20  # pixels of a picture, between two, of a line of text, of the headings
OUTLINES = ((64, 200, 255), (255, 150, 30), (120, 220, 60), (230, 90, 200))  # of marked regions, RGB
NAMES = ("blue", "orange", "green", "pink")

Arrays = Mapping[str, NDArray[Any]]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """The images on a sheet.

    Attributes:
        arrays: as `medcls.explain.heat_maps` returns them.
        images: the images at the "places" of the arrays, of shape (shown, height, width, channels), uint8.
        files: the names of the images' files, of length shown.
        classes: the names of the classes.
    """

    arrays: Arrays
    images: Picture
    files: Sequence[str]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """A row of a sheet: its caption, whether the prediction is right, and pictures of shape (PANEL, PANEL, 3)."""

    caption: str
    right: bool
    pictures: Sequence[Picture]


def where_it_looks(shown: Shown, title: str) -> matplotlib.figure.Figure:
    """Draw one row per image: the image, its saliency map, and the map over the image in two colour scales.

    Marked regions are outlined in the image.

    Args:
        shown: the images, with "maps" of shape (n, height, width), 0..1, in their arrays.
        title: of the figure; the method, the layer and the regions are added to it.
    """
    arrays = shown.arrays
    maps = np.asarray(arrays["maps"][arrays["places"]], np.float32)
    rows = []
    for number, (image, saliency_map) in enumerate(zip(shown.images, maps, strict=True)):
        masks = [masks_of_region[number] for masks_of_region in arrays.get("masks", ())]
        pictures = [
            _outlined(_sized(image), masks),
            coloured(enlarged(saliency_map[None], (PANEL, PANEL))[0], "inferno"),
            overlay(image, saliency_map, "jet", PANEL),
            overlay(image, saliency_map, "viridis", PANEL),
        ]
        rows.append(_row(shown, number, pictures))
    heads = ("image", "saliency map", f"{IMAGE:g} image + {HEAT:g} jet", f"{IMAGE:g} image + {HEAT:g} viridis")
    whole_title = f"{title}: {arrays['method']} at {arrays['layer']}"
    regions = [canvas.plain(str(name)) for name in arrays["regions"]]
    if regions:
        outlines = ", ".join(f"{name} {colour}" for name, colour in zip(regions, NAMES, strict=False))
        whole_title += f"\noutlined: {outlines}"
    return _sheet(rows, heads, whole_title)


def methods(shown: Shown, title: str) -> matplotlib.figure.Figure:
    """Draw one row per image and one column per method: each method's saliency map over the image.

    Args:
        shown: the images, with "beside" of shape (methods, shown, height, width), 0..1, in their arrays.
        title: of the figure.
    """
    rows = []
    maps_by_image = np.moveaxis(shown.arrays["beside"], 0, 1)
    for number, (image, maps) in enumerate(zip(shown.images, maps_by_image, strict=True)):
        pictures = [_sized(image)]
        pictures += [overlay(image, saliency_map, "inferno", PANEL) for saliency_map in maps]
        rows.append(_row(shown, number, pictures))
    return _sheet(rows, ("image", *map(str, shown.arrays["methods"])), title)


def _row(shown: Shown, number: int, pictures: Sequence[Picture]) -> _Row:
    """Return the row of the image with a number, captioned with its class, the prediction and the file."""
    names = canvas.names(shown.classes)
    place, reason = shown.arrays["places"][number], shown.arrays["reasons"][number]
    label, probabilities = int(shown.arrays["labels"][place]), shown.arrays["predictions"][place]
    predicted = int(probabilities.argmax())
    file = canvas.plain(PurePath(shown.files[number]).name)
    answer = f"true {names[label]}, predicted {names[predicted]} {probabilities[predicted]:.2f} ({reason})"
    return _Row(f"{answer}   {file}", label == predicted, pictures)


def _sheet(rows: Sequence[_Row], heads: Sequence[str], title: str) -> matplotlib.figure.Figure:
    across, down = EDGE + len(heads) * (PANEL + EDGE), PANEL + LINE + EDGE
    height = HEAD + max(1, len(rows)) * down
    figure = canvas.sheet(across / canvas.DOTS, height / canvas.DOTS, title)
    for column, head in enumerate(heads):
        _write(figure, head, EDGE + column * (PANEL + EDGE), height, PANEL, "black")
    for number, row in enumerate(rows):
        top = height - HEAD - number * down
        _write(figure, row.caption, EDGE, top, across - EDGE, canvas.COLOURS[-1] if row.right else canvas.COLOURS[2])
        for column, picture in enumerate(row.pictures):
            figure.figimage(picture, EDGE + column * (PANEL + EDGE), top - LINE - PANEL, origin="upper")
    return figure


def _write(figure: matplotlib.figure.Figure, text: str, left: int, top: int, width: int, colour: str) -> None:
    """Write one line of text; its place and its greatest width are in pixels from the sheet's lower left corner."""
    line = canvas.fitting(text, width / canvas.DOTS, canvas.SIZE - 1)
    x, y = left / figure.bbox.width, top / figure.bbox.height
    figure.text(x, y, line, size=canvas.SIZE - 1, va="top", color=colour)


def _sized(image: Picture) -> Picture:
    """Return an image of shape (height, width, 1 or 3) at the size of a panel, of shape (PANEL, PANEL, 3), RGB."""
    large = cv2.resize(np.ascontiguousarray(image), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    return np.array(np.broadcast_to(large.reshape(PANEL, PANEL, -1), (PANEL, PANEL, 3)), np.uint8)


def _outlined(panel: Picture, masks: Sequence[NDArray[np.bool_]]) -> Picture:
    """Draw the outlines of masks, each of shape (height, width), into a panel of shape (PANEL, PANEL, 3)."""
    for mask, colour in zip(masks, OUTLINES, strict=False):
        large = cv2.resize(mask.astype(np.uint8), (PANEL, PANEL), interpolation=cv2.INTER_NEAREST)
        surrounded = np.pad(large, 1)  # so that the outline is closed where a mask meets the panel's edge
        gradient = cv2.morphologyEx(surrounded, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        panel[gradient[1:-1, 1:-1] > 0] = colour
    return panel
