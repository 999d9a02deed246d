"""What numbers the masks of a data set hold, and which of them mean the target: decided over all files, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.integer | np.floating | np.bool_]
"""The pixels of a mask as they are stored: whole numbers, floats or bits."""

TWO, LABELS, GREY = "two", "labels", "grey"
GREYEST = 0.01  # share of the pixels that may be neither black nor white: real outlines have grey edges
MIDDLE = (0.1, 0.9)  # of a mask's range: what lies between is neither
FEW = 32  # different values: more are shades of grey, not labels
FLAT = 0.3  # share of a label's pixels amid their like: edges and the traces of JPEG have none or few
FEWEST = 4  # different values: so few are no traces of JPEG, however thin what they draw
LEVEL = 0.15  # share of the mid-grey pixels: grey edges, however broad, are nowhere level
EVEN = 0.03  # of a mask's range: JPEG changes an area of one grey by less
SPECK = 0.001  # share of the pixels: less is a slip of the brush, no label
NONE, SOME, ALL = 0, 1, 2  # what of its image a mask marks
FRAYED = (
    "a mask whose edges are frayed by values near 0, as JPEG leaves them, all of which data.mask_values=labels would "
    "take for the target: save the labels as PNG, or set data.mask_values=two"
)
LOSSY_LABELS = (
    "a JPEG, which blurs labels, so that data.mask_values=labels would take its traces for the target: save the "
    "labels as PNG, or set data.mask_values=two"
)


BLACK_PAINT = (
    "a mask that is painted in black on transparent ground, so that laid on black it marks nothing: paint the target "
    "in white, or save black and white without transparency"
)
HOPELESS = (LOSSY_LABELS, FRAYED, BLACK_PAINT)


class Value(NamedTuple):
    """One of a mask's few values: how many pixels have it, and how many of them are amid their like (3x3)."""

    value: float
    pixels: int
    amid: int


class Content(NamedTuple):
    """What numbers a mask file holds.

    Attributes:
        low: the smallest.
        high: the largest.
        pixels: how many pixels it has.
        values: all that occur, in order, if they are few; else none.
        lossy: whether it was saved in a lossy format.
        fault: why its values cannot be what they are said to be, "" if they can.
        certain: whether the fault is one whatever the other masks of the data set hold.
        size: width and height, turned as its EXIF data say.
        drawn_in_alpha: whether its transparency varies.
        bare: the content with the transparency passed over, if something is transparent.
    """

    low: float
    high: float
    pixels: int
    values: tuple[Value, ...] = ()
    lossy: bool = False
    fault: str = ""
    certain: bool = False
    size: tuple[int, int] = (0, 0)
    drawn_in_alpha: bool = False
    bare: "Content | None" = None


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a data set's masks mean.

    Attributes:
        values: "two", "labels" or "grey".
        low: the smallest number of all masks.
        high: the largest.
        laid: whether what is transparent is laid on black, or its transparency passed over.
    """

    values: str
    low: float
    high: float
    laid: bool = True

    @property
    def cut(self) -> float:
        """What is larger is the target."""
        return 0.0 if self.values == LABELS else (self.low + self.high) / 2

    @property
    def sentence(self) -> str:
        """What the numbers mean, in a few words."""
        if self.values == LABELS:
            return "0 is ground, all else is the target"
        if self.values == GREY:
            return f"up to {self.cut:g} is ground, above it is the target"
        return f"{self.low:g} is ground, {self.high:g} is the target"

    def seen(self, content: Content) -> Content:
        """Return what a file holds, its transparency taken as everywhere in the data set."""
        return content if self.laid or content.bare is None else content.bare

    def marked(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Return where the target is, of the shape of a mask's numbers.

        A mask with both black and white is cut at half its own range, for JPEG and resizing shift it a little.
        """
        if self.values == LABELS:
            return np.asarray(numbers != 0)
        low, high = float(numbers.min()), float(numbers.max())
        if self.low == self.high:  # nothing to compare with
            return np.full(numbers.shape, bool(high))
        cut = (low + high) / 2 if low <= self.cut < high else self.cut
        return np.asarray(numbers > cut)

    def extent(self, content: Content) -> int:
        """Return whether a file marks NONE, SOME or ALL of its image."""
        content = self.seen(content)
        if self.values == LABELS:
            empty = content.low == content.high == 0
            full = content.low > 0
        elif self.low == self.high:
            empty = not content.high
            full = not empty
        else:
            empty = content.high <= self.cut
            full = content.low > self.cut
        if empty:
            return NONE
        return ALL if full else SOME

    def fault(self, content: Content) -> str:
        """Return why a file's numbers contradict how masks are read, "" if they do not.

        Greys that are all near the ground, or all near the target, of the other masks are traces of it.
        """
        content = self.seen(content)
        spans = content.low <= self.cut < content.high
        return content.fault if content.certain or self.values != TWO or spans else ""


def alone(content: Content, values: str) -> Meaning:
    """Return what the numbers of one mask mean where no others are known."""
    return Meaning(values, content.low, content.high)


def content_of_labels(numbers: Numbers, values: str, *, lossy: bool) -> Content:  # noqa: ARG001
    """Return what a mask holds whose numbers other than 0 are labels.

    Args:
        numbers: of shape (height, width).
        values: "labels".
        lossy: whether it was saved in a lossy format.
    """
    content = _content(numbers, lossy=lossy)
    if lossy:
        return content._replace(fault=LOSSY_LABELS)
    return content._replace(fault=FRAYED) if content.low != content.high and _frayed(numbers) else content


def content_of_shades(numbers: Numbers, values: str, *, lossy: bool) -> Content:
    """Return what a mask holds whose numbers are greys.

    Args:
        numbers: of shape (height, width).
        values: "two", which allows for grey edges only, or "grey".
        lossy: whether it was saved in a lossy format.
    """
    content = _content(numbers, lossy=lossy)
    if values == GREY or content.low == content.high:
        return content
    reach = content.high - content.low
    middle = (numbers > content.low + MIDDLE[0] * reach) & (numbers < content.low + MIDDLE[1] * reach)
    share = float(middle.mean())
    if share <= GREYEST:
        if _third(content):
            return content._replace(fault=several(content), certain=True)
        level = _level(numbers, middle, reach) if lossy or not content.values else None
        return content if level is None else content._replace(fault=several_labels((content.low, level, content.high)))
    if content.values:
        return content._replace(fault=several(content), certain=any(_is_flat(value) for value in _inner(content)))
    fault = f"a mask that is grey in {share:.0%} of its pixels: set data.mask_values=grey to cut it at half its range"
    return content._replace(fault=fault)


def several(content: Content) -> str:
    """Return the message about a mask of several labels."""
    return several_labels([value.value for value in content.values])


def several_labels(values: Sequence[float]) -> str:
    """Return the message about several labels in one mask."""
    shown = ", ".join(f"{value:g}" for value in values[:6]) + (", ..." if len(values) > 6 else "")
    return f"a mask of several labels ({shown}): set data.mask_values=labels if all but 0 are the target"


def _content(numbers: Numbers, *, lossy: bool) -> Content:
    distinct, counts = np.unique(numbers, return_counts=True)
    content = Content(float(distinct[0]), float(distinct[-1]), int(numbers.size), lossy=lossy)
    if len(distinct) > FEW:
        return content
    amid = _amid_their_like(numbers)
    counted = zip(distinct.tolist(), counts.tolist(), strict=True)
    return content._replace(
        values=tuple(Value(float(value), count, int(np.count_nonzero(amid == value))) for value, count in counted)
    )


def _amid_their_like(numbers: Numbers) -> Numbers:
    """Return the values of those pixels all of whose eight neighbours have the same value."""
    height, width = numbers.shape
    if height < 3 or width < 3:
        return numbers[:0, :0].ravel()
    centre = numbers[1:-1, 1:-1]
    same = np.ones(centre.shape, np.bool_)
    for row in range(3):
        for column in range(3):
            same &= numbers[row : height - 2 + row, column : width - 2 + column] == centre
    return np.asarray(centre[same])


def _inner(content: Content) -> tuple[Value, ...]:
    return content.values[1:-1]


def _is_flat(value: Value) -> bool:
    return value.amid > 0 and value.amid >= FLAT * value.pixels


def _third(content: Content) -> bool:
    """Tell whether a mask of black and white with few greys between holds a third label.

    Grey edges and the traces of JPEG are thin or speckled, and of many values.
    """
    inner = _inner(content)
    if content.lossy or not inner:
        return False
    reach = content.high - content.low
    near = [v for v in inner if not content.low + MIDDLE[0] * reach < v.value < content.low + MIDDLE[1] * reach]
    drawn = len(content.values) <= FEWEST and len(near) == len(inner)
    return any(_is_flat(value) for value in inner) or any(
        drawn and value.pixels > SPECK * content.pixels for value in near
    )


def _level(numbers: Numbers, middle: NDArray[np.bool_], reach: float) -> float | None:
    """Return the grey of an area of mid-grey that is level but for the traces of JPEG, None if there is none."""
    height, width = numbers.shape
    if height < 3 or width < 3 or not middle.any():
        return None
    windows = np.lib.stride_tricks.sliding_window_view(numbers, (3, 3))[middle[1:-1, 1:-1]].astype(np.float64)
    level = windows.max(axis=(1, 2)) - windows.min(axis=(1, 2)) <= EVEN * reach if len(windows) else np.zeros(0, bool)
    if np.count_nonzero(level) < LEVEL * np.count_nonzero(middle):
        return None
    return float(np.round(np.median(windows[level, 1, 1])))


def _frayed(numbers: Numbers) -> bool:
    """Tell whether labels have the traces of a lossy format: 1, 2 and 3 as well as most others are nowhere flat."""
    labels = np.unique(numbers[numbers != 0])
    flat = np.unique(_amid_their_like(numbers))
    rough = np.setdiff1d(labels, flat)
    return len(labels) > FEWEST and bool(np.isin((1, 2, 3), rough).all()) and 2 * len(rough) > len(labels)
