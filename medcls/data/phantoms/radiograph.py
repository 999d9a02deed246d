"""From what rays cross to a radiograph of any size: exposure, grain, shutters, and letters burnt in."""

import cmath
import math
from dataclasses import dataclass

import numpy as np

from medcls.data.phantoms.texture import Field, Generator, clouds, grid, resized, smooth

LINE = 11  # pixels: the height of Pillow's bitmap font


@dataclass(frozen=True, eq=False)
class Plate:
    """Letters as they are burnt into a picture.

    Attributes:
        light: how bright each pixel of the plate is, of shape (height, width), 0..1.
        cover: how much of the picture below it hides.
        top, left: its place in the picture, in pixels.
    """

    light: Field
    cover: Field
    top: int
    left: int

    @property
    def where(self) -> tuple[slice, slice]:
        """The rows and columns of the picture that it takes."""
        height, width = self.light.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def on(self, picture: Field) -> Field:
        """Return the picture with the plate on it."""
        below = picture[self.where]
        burnt = picture.copy()
        burnt[self.where] = below + self.cover * (self.light - below)
        return burnt


def lettered(
    text: str, *, scale: float, framed: bool, brightness: float, corner: tuple[float, float], size: int
) -> Plate:
    """Return a plate with text: dark on a bright ground where `framed`, else bright on the picture itself.

    Args:
        text: one line or several.
        scale: the height of a line, as a multiple of 11 pixels.
        framed: whether the letters have a ground of their own.
        brightness: of the ground or of the letters, 0..1.
        corner: where the plate lies between the edges, (down, right), each 0..1.
        size: height and width of the picture in pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default_imagefont()
    lines = text.split("\n")
    width = max(math.ceil(font.getlength(line)) for line in lines)
    picture = Image.new("L", (width + 4, LINE * len(lines) + 4))
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text((2, 2 + LINE * number), line, fill=255, font=font)
    shape = (min(round(scale * picture.height), size), min(round(scale * picture.width), size))
    letters = np.clip(resized(np.asarray(picture, dtype=np.float32) / 255, shape), 0, 1)
    light = np.float32(brightness) * (1 - letters) if framed else np.full(shape, brightness, np.float32)
    top, left = (round(place * (size - length)) for place, length in zip(corner, shape, strict=True))
    return Plate(light.astype(np.float32), np.ones(shape, np.float32) if framed else letters, top, left)


def exposed(shadow: Field, rng: Generator, *, noise: float, blur: tuple[float, float] = (0.4, 1.0)) -> Field:
    """Return the picture, about 0..1, that a shadow leaves: windowed, grainy, bright where much was crossed."""
    size = len(shadow)
    shadow = shadow + np.float32(0.03 * shadow.mean()) * (clouds(rng, size, 5) + clouds(rng, size, 16))
    shadow = smooth(shadow, rng.uniform(*blur))
    dark, bright = np.percentile(shadow[::2, ::2], (rng.uniform(0, 4), rng.uniform(98, 100)))
    picture = (shadow - np.float32(dark)) / np.float32(max(bright - dark, 0.05) * rng.uniform(0.95, 1.2))
    grain = rng.standard_normal((size, size), dtype=np.float32) + clouds(rng, size, size // 2)
    strength = noise * math.exp(rng.normal(0, 0.4))
    picture = picture + np.float32(strength) * (np.float32(0.6) + np.minimum(picture, 1)) * grain
    picture = np.clip(picture, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.25)))
    low, high = rng.uniform(0, 0.1), rng.uniform(0.8, 1)
    scaled: Field = np.float32(low) + np.float32(high - low) * picture
    return scaled


def shuttered(picture: Field, rng: Generator, *, share: float, slant: float = 4.0) -> Field:
    """Return a picture darkened outside a slightly turned rectangle, in a share of the cases."""
    if rng.random() > share:
        return picture
    x, y = grid(len(picture))
    turn = cmath.rect(1, math.radians(rng.normal(0, slant)))
    across = x * np.float32(turn.real) + y * np.float32(turn.imag)
    along = y * np.float32(turn.real) - x * np.float32(turn.imag)
    left, right, top, bottom = rng.uniform(0.7, 1.1, 4)
    inside = np.minimum(np.minimum(across + left, right - across), np.minimum(along + top, bottom - along))
    light: Field = np.clip(inside * np.float32(len(picture) / 3), 0, 1)
    shut: Field = picture * light + np.float32(rng.uniform(0, 0.05)) * (1 - light)
    return shut
