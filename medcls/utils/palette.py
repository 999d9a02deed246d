"""One colour a variant, the same in MLflow and in the report."""

import colorsys
import re
from collections.abc import Sequence

# Petroff, Accessible color sequences for data visualization (2021); darkest left out, as the page may be dark.
FIRST = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#7a21dd")
GOLDEN = 0.618034  # of the colour circle: the step that keeps any number of hues apart
LIGHTNESS = (0.42, 0.6, 0.32)


def colour(place: int) -> str:
    """Return the colour of the variant at a place of its study, from 0 on, as six hex digits behind a #."""
    if place < len(FIRST):
        return FIRST[place]
    number = place - len(FIRST)
    parts = colorsys.hls_to_rgb((0.4 + number * GOLDEN) % 1.0, LIGHTNESS[number % len(LIGHTNESS)], 0.75)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def place_of(name: str, names: Sequence[str]) -> int:
    """Return the place of a variant in its study; that of a trial is its number, whichever trials there are."""
    trial = re.fullmatch(r"trial (\d+)", name)
    return int(trial[1]) if trial else list(names).index(name)
