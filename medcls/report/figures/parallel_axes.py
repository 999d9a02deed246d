"""The axes of parallel coordinates: where the values of a parameter lie on them, and their ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from medcls.evaluation.run_record import Scalar
from medcls.report.figures import canvas

DECADE = 20.0  # ratio of the largest to the smallest value from which an axis is logarithmic
LONGEST = 20  # characters of a tick's label
MOST, APART = 4, 0.08  # values that all have a tick, and the least distance of two ticks on an axis of length 1
LEAST = 0.85  # inches from an axis to the next


@dataclass(frozen=True)
class Axis:
    """A parallel axis.

    Attributes:
        name_lines: its name, in lines.
        heights: where each trial's value lies, from 0 to 1; NaN where it has none.
        ticks: height and label of each tick.
    """

    name_lines: tuple[str, ...]
    heights: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]

    def width(self) -> float:
        """Return the room in inches from the axis to the next one: for the labels of its ticks and for its name."""
        texts = [label for _, label in self.ticks] + list(self.name_lines)
        return max(LEAST, canvas.text_width(texts, canvas.SIZE - 1) + 0.25)


def axis_of(name: str, values: Sequence[Scalar]) -> Axis:
    """Return the axis of a parameter: of numbers by their size, of anything else in the order of the values' names.

    Args:
        name: of the parameter.
        values: one a trial, None where a trial lacks it.
    """
    lines = tuple(canvas.plain(part) for part in name.split("."))
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    given = [value for value in values if value is not None]
    if given and len(numbers) == len(given):
        return _of_numbers(lines, [float(value) if isinstance(value, int | float) else None for value in values])
    return _of_names(lines, ["" if value is None else str(value) for value in values])


def _of_numbers(lines: tuple[str, ...], values: Sequence[float | None]) -> Axis:
    numbers = [value for value in values if value is not None]
    low, high = min(numbers), max(numbers)
    is_log = low > 0 and high / low >= DECADE

    def height(value: float | None) -> float:
        if value is None:
            return math.nan
        if high == low:
            return 0.5
        return math.log(value / low) / math.log(high / low) if is_log else (value - low) / (high - low)

    shown = sorted(set(numbers))
    places = [height(value) for value in shown]
    are_apart = all(after - before >= APART for before, after in pairwise(places))
    ends = shown if len(shown) <= MOST and are_apart else sorted({low, high})
    ticks = tuple((height(value), f"{value:.3g}") for value in ends)
    return Axis(lines, tuple(height(value) for value in values), ticks)


def _of_names(lines: tuple[str, ...], values: Sequence[str]) -> Axis:
    names = sorted({value for value in values if value})
    heights = {}
    for place, name in enumerate(names):
        heights[name] = 0.5 if len(names) == 1 else place / (len(names) - 1)
    ticks = tuple((heights[name], canvas.shortened(canvas.plain(name), LONGEST)) for name in names)
    return Axis(lines, tuple(heights.get(value, math.nan) for value in values), ticks)
