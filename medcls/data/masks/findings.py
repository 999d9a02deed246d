"""What there is to say of masks: which cannot be used, which mark nothing, which targets are lost in resizing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import UNSPLIT, DatasetSpec, Tell
from medcls.data.finding import EMPTY, FULL, LOST, SCORED, TURNED, Finding
from medcls.data.marks import Marks
from medcls.data.masks.resizing import lost, smallest_size
from medcls.data.masks.turning import UPRIGHT, at_odds
from medcls.data.masks.values import ALL, NONE
from medcls.data.readers.records import listed
from medcls.utils.errors import BadInputError

STEP = 16  # of sizes that a network can halve four times


def with_faults_of_masks(faults: Sequence[str], sizes: Sequence[tuple[int, int]], marks: Marks) -> tuple[str, ...]:
    """Return why an image or its mask cannot be used, "" if both can, in the data set's order.

    Args:
        faults: why an image cannot be decoded, "" if it can.
        sizes: width and height of each image as it is shown.
        marks: what the masks mark.
    """
    rows = zip(faults, marks.faults, strict=True)
    return tuple(fault or of_mask or _of_size(marks, row, sizes[row]) for row, (fault, of_mask) in enumerate(rows))


def _of_size(marks: Marks, row: int, size: tuple[int, int]) -> str:
    """Return how the size of a mask differs from that of its image, "" if it does not."""
    width, height = marks.sizes[row]
    if size == (width, height):
        return ""
    fault = f"its mask {marks.names[row]} is of {width}x{height} pixels, the image of {size[0]}x{size[1]}"
    image, mask = marks.turned[row].tolist()
    return fault if image == mask else f"{fault}, for by EXIF {_turned(image, mask)}: save both upright"


def found_in_masks(bundle: DatasetSpec, tell: Tell) -> list[Finding]:
    """Return the findings about masks that can all be read.

    Raises:
        BadInputError: the masks of a whole set, or of all sets, mark nothing.
    """
    if bundle.marks is None:
        return []
    marks = bundle.marks(tell)
    return [*_empty(bundle, marks.extents), *_full(bundle, marks.extents), *_at_odds(bundle, marks)]


def lost_in_resizing(bundle: DatasetSpec, folder: Path, tell: Tell) -> list[Finding]:
    """Return the findings about masks that mark nothing, or everything, only once they are resized.

    Args:
        bundle: the data set, whose masks can all be read.
        folder: where the results of scanning its files are remembered.
        tell: called with the current step, how much of it is done, and how much there is.

    Raises:
        BadInputError: all targets of a set are lost.
    """
    if bundle.marks is None:
        return []
    marks = bundle.marks(tell)
    extents = lost(bundle, marks, folder, tell)
    rows = np.flatnonzero(extents >= 0)
    if not len(rows):
        return []
    best = smallest_size(bundle, marks, folder, tell, step=1)
    even = smallest_size(bundle, marks, folder, tell, step=STEP)
    remedy = "no data.size keeps them all"
    if best:
        remedy = f"data.size={best} is the smallest at which no target is lost"
        remedy += f", {even} the smallest multiple of {STEP}" if even not in (0, best) else ""
    for set_name in dict.fromkeys(bundle.parts.tolist()):
        targets = (bundle.parts == set_name) & (marks.extents != NONE)
        if targets.any() and (extents[targets] >= 0).all():
            where = f"all {targets.sum()} targets"
            if set_name != UNSPLIT:
                where += f" of {set_name}"
            raise BadInputError(f"{bundle.source}: {where} are lost in resizing to data.size={bundle.size}; {remedy}.")
    findings = []
    for extent, what, instead in ((NONE, "nothing", "there is something"), (ALL, "everything", "there is ground")):
        names = tuple(bundle.names[row] for row in np.flatnonzero(extents == extent))
        if names:
            marking, files = ("mask marks", "its file") if len(names) == 1 else ("masks mark", "their files")
            where = f"{what} at data.size={bundle.size} though in {files} {instead}"
            sentence = f"{len(names)} of {len(extents)} {marking} {where}: {listed(names)}; {remedy}."
            findings.append(Finding(LOST, sentence, len(names), names))
    return findings


def _empty(bundle: DatasetSpec, extents: NDArray[np.int64]) -> list[Finding]:
    """Return the findings about masks that mark nothing, which a study may well have.

    Raises:
        BadInputError: all masks mark nothing, or all masks of a set.
    """
    rows = np.flatnonzero(extents == NONE)
    if not len(rows):
        return []
    if len(rows) == len(extents):
        raise BadInputError(f"{bundle.source}: no mask marks anything; give masks that do.")
    for set_name in dict.fromkeys(bundle.parts.tolist()):
        if (extents[bundle.parts == set_name] == NONE).all():
            raise BadInputError(f"{bundle.source}: no mask of {set_name} marks anything; give masks there that do.")
    names = tuple(bundle.names[row] for row in rows)
    marks = "mask marks" if len(names) == 1 else "masks mark"
    scored = (
        "Dice, IoU and distances are means over the images whose masks mark something; false_alarm_rate is the share "
        "of the others in which something is found. val_dice while training counts 1 where nothing is found there."
    )
    return [
        Finding(EMPTY, f"{len(names)} {marks} nothing: {listed(names)}.", len(names), names),
        Finding(SCORED, scored, len(names)),
    ]


def _full(bundle: DatasetSpec, extents: NDArray[np.int64]) -> list[Finding]:
    names = tuple(bundle.names[row] for row in np.flatnonzero(extents == ALL))
    if not names:
        return []
    marks = "mask marks" if len(names) == 1 else "masks mark"
    return [Finding(FULL, f"{len(names)} {marks} everything: {listed(names)}.", len(names), names)]


def _at_odds(bundle: DatasetSpec, marks: Marks) -> list[Finding]:
    """Return which images may lie at odds with their masks, as one of them is turned by its EXIF data."""
    names = []
    for row, (image, mask) in enumerate(marks.turned.tolist()):
        if at_odds(image, mask, marks.sizes[row]):
            names.append(f"{bundle.names[row]} ({_turned(image, mask)})")
    if not names:
        return []
    files = "1 image and its mask are" if len(names) == 1 else f"{len(names)} images and their masks are"
    sentence = (
        f"{files} turned differently by EXIF and may lie at odds: {listed(names, 3)}; look at them "
        "(medcls data preview) and save both upright."
    )
    return [Finding(TURNED, sentence, len(names), tuple(names))]


def _turned(image: int, mask: int) -> str:
    """Return in words how an image and its mask are turned."""
    phrases = []
    for name, orientation in (("the image", image), ("its mask", mask)):
        if orientation == UPRIGHT:
            phrases.append(f"{name} is not turned")
        else:
            phrases.append(f"{name} is turned (orientation {orientation})")
    return " and ".join(phrases)
