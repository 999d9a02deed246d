"""Images with their heat, as sheets: where a network looks, and how the methods differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.overlays import HEAT, IMAGE, coloured, enlarged, overlay
from medcls.report.figures import canvas
from medcls.utils.lazy import cv2

PANEL, EDGE, LINE, HEAD = 180, 8, 15, 20  # pixels of a picture, between two, of a line of text, of the headings
OUTLINES = ((64, 200, 255), (255, 150, 30), (120, 220, 60), (230, 90, 200))  # of marked regions, RGB
NAMES = ("blue", "orange", "green", "pink")

Arrays = Mapping[str, NDArray[Any]]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """The images on a sheet.

    Attributes:
        arrays: what `heat_maps` found.
        images: of shape (shown, height, width, channels), uint8, at its "places".
        files: their names.
        classes: names.
    """

    arrays: Arrays
    images: Picture
    files: Sequence[str]
    classes: tuple[str, ...]

    def captions(self) -> Iterator[tuple[str, bool]]:
        """Yield for each image a line on what it is and was taken for, and whether that is right."""
        names = canvas.names(self.classes)
        for place, why, file in zip(self.arrays["places"], self.arrays["reasons"], self.files, strict=True):
            label, said = int(self.arrays["labels"][place]), self.arrays["predictions"][place]
            predicted = int(said.argmax())
            told = f"true {names[label]}, predicted {names[predicted]} {said[predicted]:.2f} ({why})"
            yield f"{told}   {canvas.plain(PurePath(file).name)}", label == predicted


def where_it_looks(shown: Shown, title: str) -> Any:
    """Return a Figure with a row an image: as it is, its heat, heat over image in jet and in even colours."""
    maps = np.asarray(shown.arrays["maps"][shown.arrays["places"]], np.float32)
    rows = []
    for number, (image, heat) in enumerate(zip(shown.images, maps, strict=True)):
        plain = _outlined(_sized(image), [each[number] for each in shown.arrays.get("masks", ())])
        layers = [overlay(image, heat, scale, PANEL) for scale in ("jet", "viridis")]
        rows.append([plain, coloured(enlarged(heat[None], (PANEL, PANEL))[0], "inferno"), *layers])
    regions = [canvas.plain(str(name)) for name in shown.arrays["regions"]]
    outlines = ", ".join(f"{name} {colour}" for name, colour in zip(regions, NAMES, strict=False))
    heads = ("image", "heat", f"{IMAGE:g} image + {HEAT:g} jet", "even colours")
    told = f"{title}: {shown.arrays['method']} at {shown.arrays['layer']}"
    return _sheet(rows, list(shown.captions()), heads, f"{told}\noutlined: {outlines}" if outlines else told)


def methods(shown: Shown, title: str) -> Any:
    """Return a Figure with a row an image and a column a method, each map over its image in even colours."""
    rows = [
        [_sized(image), *(overlay(image, heat, "inferno", PANEL) for heat in heats)]
        for image, heats in zip(shown.images, np.moveaxis(shown.arrays["beside"], 0, 1), strict=True)
    ]
    return _sheet(rows, list(shown.captions()), ("image", *map(str, shown.arrays["methods"])), title)


def _sheet(rows: list[list[Picture]], captions: list[tuple[str, bool]], heads: Sequence[str], title: str) -> Any:
    across, down = EDGE + len(heads) * (PANEL + EDGE), PANEL + LINE + EDGE
    height = HEAD + max(1, len(rows)) * down
    figure = canvas.sheet(across / canvas.DOTS, height / canvas.DOTS, title)

    def write(text: str, left: int, top: int, colour: str = "black") -> None:
        shown = canvas.fitting(text, (across - left) / canvas.DOTS, canvas.SIZE - 1)
        place = (left / figure.bbox.width, top / figure.bbox.height)
        figure.text(*place, shown, size=canvas.SIZE - 1, va="top", color=colour)

    for column, head in enumerate(heads):
        left = EDGE + column * (PANEL + EDGE)
        write(canvas.fitting(head, PANEL / canvas.DOTS, canvas.SIZE - 1), left, height)
    for row, (pictures, (caption, right)) in enumerate(zip(rows, captions, strict=True)):
        top = height - HEAD - row * down
        write(caption, EDGE, top, canvas.COLOURS[-1] if right else canvas.COLOURS[2])
        for column, picture in enumerate(pictures):
            figure.figimage(picture, EDGE + column * (PANEL + EDGE), top - LINE - PANEL, origin="upper")
    return figure


def _sized(image: Picture) -> Picture:
    """Return an image of shape (height, width, 1 or 3) as a panel, RGB."""
    large = cv2.resize(np.ascontiguousarray(image), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    return np.array(np.broadcast_to(large.reshape(PANEL, PANEL, -1), (PANEL, PANEL, 3)), np.uint8)


def _outlined(panel: Picture, masks: Sequence[NDArray[np.bool_]]) -> Picture:
    for mask, colour in zip(masks, OUTLINES, strict=False):
        large = cv2.resize(mask.astype(np.uint8), (PANEL, PANEL), interpolation=cv2.INTER_NEAREST)
        panel[cv2.morphologyEx(large, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0] = colour
    return panel
