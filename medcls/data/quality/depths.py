"""The range of values in a data set's images of more than 8 bits, remembered by content, and the findings about it."""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from medcls.data.dataset import DatasetSpec
from medcls.data.finding import BRIGHTER, DARK, NOTHING_DEEP, Finding, counted
from medcls.data.levels import SET
from medcls.data.readers.deep import Depth
from medcls.data.readers.images import BITS, DECODER, UnreadableImageError
from medcls.data.sqlite_cache import transact

CREATE = """CREATE TABLE IF NOT EXISTS extents (sha256 TEXT, decoder INTEGER, full INTEGER, largest INTEGER,
lower INTEGER, upper INTEGER, colours INTEGER, PRIMARY KEY (sha256, decoder)) WITHOUT ROWID"""
DIM = 0.5  # of the range: images that stay below this are said to be dark
DIMMER = 0.25  # of the range: images are said to be dark of which all but half a percent of the pixels stay below
NARROW = 0.125  # of the range: images that lie within so much of it, wherever, have little contrast
GREYS = 256
Tell = Callable[[str, int, int], None]


def depths(
    bundle: DatasetSpec, stored: Sequence[tuple[str, tuple[int, int]]], folder: Path, tell: Tell
) -> dict[int, Depth]:
    """Return how far the values of the images reach that have more than 8 bits, by row.

    Args:
        bundle: the data set, all of whose images can be read.
        stored: of length n: how an image's pixels are stored, and its size.
        folder: where hashes and decoded images are cached.
        tell: called with the current step, how much of it is done, and how much there is.
    """
    rows = [row for row, (kind, _) in enumerate(stored) if kind.endswith(BITS) and bundle.depth is not None]
    store = folder / "survey.sqlite"
    remembered: Mapping[str, Depth] = transact(store, _remembered, {}) if rows else {}
    depths_by_row: dict[int, Depth] = {}
    new: dict[str, Depth] = {}
    unseen = [row for row in rows if bundle.contents[row] not in remembered]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (row, depth) in enumerate(zip(unseen, pool.map(partial(_depth, bundle), unseen), strict=True)):
            tell("looking at the depth of images", done, len(unseen))
            if depth is not None:
                new[bundle.contents[row]] = depth
    for row in rows:
        depth = remembered.get(bundle.contents[row]) or new.get(bundle.contents[row])
        if depth is not None:
            depths_by_row[row] = depth
    if new:
        transact(store, partial(_remember, new), None)
    return depths_by_row


def found_in(bundle: DatasetSpec, by_row: Mapping[int, Depth]) -> list[Finding]:
    """Return the findings about the range of values in deep images.

    Args:
        bundle: the data set.
        by_row: row number -> how far the values of a deep image reach.
    """
    white = bundle.levels.white
    if not by_row and not bundle.levels.as_stored:
        sentence = "data.white changes nothing: no image has more than 8 bits, or their headers say what white is."
        return [Finding(NOTHING_DEEP, sentence, len(bundle.labels))]
    if bundle.levels.own or bundle.levels.found:
        return []
    dark = _dark(by_row, white)
    return [dark] if dark is not None else _brighter(bundle, by_row, white)


def _dark(by_row: Mapping[int, Depth], white: float | None) -> Finding | None:
    """Return that deep images are dark: as a whole, or but for half a percent of their pixels."""
    if not by_row:
        return None
    full = max(depth.full for depth in by_row.values()) if white is None else white
    largest = max(depth.largest for depth in by_row.values())
    upper = max(depth.upper for depth in by_row.values())
    if largest < DIM * full:
        reach, what = largest, f"whose largest value is {largest}"
    elif upper < DIMMER * full:
        reach, what = upper, f"of which all but 0.5% of the pixels stay below {upper + 1}"
    else:
        return _narrow(by_row, full, upper)
    share = reach / full
    sentence = (
        f"{counted(len(by_row), 'image')} of more than 8 bits {what}: {share:.1%} of their range, "
        f"{max(1, round(share * GREYS))} grey levels are left; {_remedy(by_row, reach)}"
    )
    return Finding(DARK, sentence, len(by_row))


def _narrow(by_row: Mapping[int, Depth], full: float, upper: int) -> Finding | None:
    """Return that deep images lie within a small share of the range, away from black."""
    lower = min(depth.lower for depth in by_row.values())
    share = (upper - lower) / full
    if share >= NARROW or upper == lower:
        return None
    sentence = (
        f"{counted(len(by_row), 'image')} of more than 8 bits of which 99% of the pixels lie between {lower} and "
        f"{upper}: {share:.1%} of their range, {max(1, round(share * GREYS))} grey levels are left; say what black and "
        f"white are with --set data.white={SET}."
    )
    return Finding(DARK, sentence, len(by_row))


def _remedy(by_row: Mapping[int, Depth], reach: int) -> str:
    if any(depth.colours for depth in by_row.values()):
        return "save them in 8 bits, for of such colours the upper 8 are read."
    return f"say what white is with --set data.white={2 ** reach.bit_length() - 1} (or data.white={SET})."


def _brighter(bundle: DatasetSpec, by_row: Mapping[int, Depth], white: float | None) -> list[Finding]:
    names = []
    for row, depth in by_row.items():
        if white is not None and depth.upper > white:
            names.append(bundle.names[row])
    if not names:
        return []
    has = "1 image has" if len(names) == 1 else f"{len(names)} images have"
    sentence = f"{has} more than 0.5% of the pixels above data.white={white:g}, which are shown as white."
    return [Finding(BRIGHTER, sentence, len(names), tuple(names))]


def _depth(bundle: DatasetSpec, row: int) -> Depth | None:
    assert bundle.depth is not None
    try:
        with bundle.unchanged(row):
            depth: Depth | None = bundle.depth(row)
            return depth
    except UnreadableImageError:
        return None


def _remembered(file: sqlite3.Connection) -> dict[str, Depth]:
    question = "SELECT sha256, full, largest, lower, upper, colours FROM extents WHERE decoder = ?"
    by_content = {}
    for content, *reach in file.execute(question, (DECODER,)):
        by_content[content] = Depth(*reach)
    return by_content


def _remember(new: Mapping[str, Depth], file: sqlite3.Connection) -> None:
    file.execute(CREATE)
    rows = []
    for content, depth in new.items():
        rows.append((content, DECODER, depth.full, depth.largest, depth.lower, depth.upper, int(depth.colours)))
    file.executemany("INSERT OR REPLACE INTO extents VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
