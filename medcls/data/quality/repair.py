"""Repairs of data sets: rows selected, unreadable files left out, leaks closed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TRAIN, UNSPLIT, DatasetSpec
from medcls.data.finding import FIXED, Finding, counted
from medcls.data.quality.connected import smallest_connected
from medcls.data.quality.leaks import contradictory, home_of
from medcls.data.readers.records import Record, fingerprint
from medcls.utils.errors import BadInputError

Rows = NDArray[np.int64]


def selected(bundle: DatasetSpec, rows: Rows, **changes: Any) -> DatasetSpec:
    """Return some rows of a data set as a data set.

    Args:
        bundle: the data set.
        rows: the row numbers, in the order in which they are wanted.
        changes: new values of further fields.
    """
    render, stored, unchanged = bundle.render, bundle.stored, bundle.unchanged
    masks, marks, depth = bundle.masks, bundle.marks, bundle.depth
    return replace(
        bundle,
        labels=bundle.labels[rows],
        parts=bundle.parts[rows],
        patients=None if bundle.patients is None else bundle.patients[rows],
        names=tuple(bundle.names[row] for row in rows),
        contents=tuple(bundle.contents[row] for row in rows),
        render=lambda row, size, channels: render(int(rows[row]), size, channels),
        stored=lambda row: stored(int(rows[row])),
        masks=None if masks is None else lambda row, size: masks(int(rows[row]), size),
        unchanged=lambda row: unchanged(int(rows[row])),
        marks=None if marks is None else lambda tell: marks(tell).of(rows),
        depth=None if depth is None else lambda row: depth(int(rows[row])),
        **changes,
    )


def without(bundle: DatasetSpec, bad: Rows) -> DatasetSpec:
    """Return a data set without some of its rows.

    Raises:
        BadInputError: a class is left without an image to train on.
    """
    kept = selected(bundle, np.setdiff1d(np.arange(len(bundle.labels)), bad))
    trained = set(kept.labels[np.isin(kept.parts, (TRAIN, UNSPLIT))].tolist())
    for label, name in enumerate(bundle.classes):
        if label not in trained:
            raise BadInputError(
                f"{bundle.source} has no readable image of {name} to train on: repair its files or add some."
            )
    return replace(kept, fingerprint=fingerprint_of(kept))


def fixed(bundle: DatasetSpec, copies: Rows) -> tuple[DatasetSpec, Rows, list[Finding]]:
    """Close a data set's leaks: copies and patients move to the set that has most of them, contradictions are dropped.

    Images that belong together count as one patient from then on, whom no later cut divides.

    Args:
        bundle: the data set.
        copies: of shape (n,): images with the same number show the same picture.

    Returns:
        the data set, the copies in its order, and a finding of what was done, if anything was.

    Raises:
        BadInputError: a set loses the last image of a class.
    """
    dropped = contradictory(bundle)
    kept = np.setdiff1d(np.arange(len(copies)), dropped)
    groups, parts = _together(bundle, copies), bundle.parts.copy()
    for group in np.unique(groups[kept]):
        rows = kept[groups[kept] == group]
        parts[rows] = home_of(bundle.parts[rows])
    moved = kept[parts[kept] != bundle.parts[kept]]
    names = _names(bundle, groups, kept)
    if names is None and not len(dropped):
        return bundle, copies, []
    _refuse_losses(bundle, kept, parts)
    contents = np.array(bundle.contents)
    order = kept[np.lexsort((contents[kept], bundle.labels[kept], parts[kept]))]
    mended = replace(selected(bundle, order), parts=parts[order], patients=None if names is None else names[order])
    done = _done(bundle, moved, dropped, groups[kept])
    return replace(mended, fingerprint=fingerprint_of(mended)), copies[order], [done]


def _together(bundle: DatasetSpec, copies: Rows) -> Rows:
    """Return for each image the number of its group: copies and images of one patient, linked by chains of both."""
    if bundle.patients is None:
        return copies
    names, patients = np.unique(bundle.patients, return_inverse=True)
    count = int(np.max(copies)) + 1  # the patients are numbered after the groups of copies
    pairs = np.stack([copies, count + patients], axis=1)
    return smallest_connected(count + len(names), pairs)[copies]


def _names(bundle: DatasetSpec, groups: Rows, kept: Rows) -> NDArray[np.str_] | None:
    """Return a patient's name for each image, the first in its group; None if there are neither patients nor copies.

    A group without known patients is named by a content, so that the names of files do not matter.
    """
    if bundle.patients is None and len(np.unique(groups[kept])) == len(kept):
        return None
    own_names = np.array(bundle.contents) if bundle.patients is None else bundle.patients
    names = own_names.astype(object)
    for group in np.unique(groups[kept]):
        rows = kept[groups[kept] == group]
        names[rows] = min(own_names[rows].tolist())
    return names.astype(np.str_)


def _refuse_losses(bundle: DatasetSpec, kept: Rows, parts: NDArray[np.str_]) -> None:
    before = set(zip(bundle.parts.tolist(), bundle.labels.tolist(), strict=True))
    after = set(zip(parts[kept].tolist(), bundle.labels[kept].tolist(), strict=True))
    for set_name, label in sorted(before - after):
        where = f"in {set_name} of {bundle.source}" if set_name else f"in {bundle.source}"
        raise BadInputError(
            f"--fix-leaks leaves no image of {bundle.classes[label]} {where}, for all are copies or of patients that "
            f"belong elsewhere: add images there, or give the images unsplit."
        )


def _done(bundle: DatasetSpec, moved: Rows, dropped: Rows, groups: Rows) -> Finding:
    together = int(np.sum(np.unique(groups, return_counts=True)[1] > 1))
    sentence = (
        f"--fix-leaks moved {counted(len(moved), 'image')} to the set of their copies or patient, dropped "
        f"{len(dropped)} of contradictory class, and keeps {counted(together, 'group')} of images together."
    )
    changes = [f"{bundle.names[row]} dropped" for row in dropped]
    changes += [f"{bundle.names[row]} moved" for row in moved]
    return Finding(FIXED, sentence, len(changes), tuple(changes))


def fingerprint_of(bundle: DatasetSpec) -> str:
    """Return the fingerprint of a data set made of files, whose sets or patients may have been changed."""
    return fingerprint(list(_records(bundle)), bundle.contents)


def _records(bundle: DatasetSpec) -> Iterable[Record]:
    for row, name in enumerate(bundle.names):
        patient = None if bundle.patients is None else str(bundle.patients[row])
        yield Record(Path(name), name, bundle.classes[bundle.labels[row]], str(bundle.parts[row]), patient)
