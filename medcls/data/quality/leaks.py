"""Leaks and contradictions: copies or patients in two sets, one picture in two classes, missing classes."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TRAIN, UNSPLIT, VALIDATION, DatasetSpec
from medcls.data.finding import DIVIDED, EXACT, MISSING, NEAR, PATIENTS, TWO_CLASSES, WITHIN, Finding, counted
from medcls.data.readers.records import listed

Rows = NDArray[np.int64]
Value = TypeVar("Value", bound=np.generic)

CHAIN = 3  # names of a group of copies that a sentence has


def found_in(bundle: DatasetSpec, copies: Rows) -> list[Finding]:
    """Return the findings about a data set whose images can all be read.

    Args:
        bundle: the data set.
        copies: of shape (n,): images with the same number show the same picture.
    """
    findings = [
        *(Finding(remark.kind, remark.sentence, remark.count, remark.names) for remark in bundle.remarks),
        *_missing_classes(bundle),
        _two_classes(bundle),
        *_across_sets(bundle, copies),
        _patients_across_sets(bundle),
        _within_sets(bundle, copies),
    ]
    return [finding for finding in findings if finding is not None]


def divided(bundle: DatasetSpec, copies: Rows, sides: Sequence[Mapping[str, Rows]]) -> Finding | None:
    """Return a finding of the groups of copies within one set that a study's own cuts divide, None without any.

    Args:
        bundle: the data set.
        copies: of shape (n,): images with the same number show the same picture.
        sides: for each way of cutting, the rows on each side.
    """
    cut: set[int] = set()
    whole = _undivided(bundle, copies)
    for cuts in sides:
        side = np.full(len(copies), -1)
        for number, rows in enumerate(cuts.values()):
            side[rows] = number
        pairs = np.unique(np.stack([copies, side])[:, (side >= 0) & np.isin(copies, whole)], axis=1)
        groups, count = np.unique(pairs[0], return_counts=True)
        cut |= set(groups[count > 1].tolist())
    if not cut:
        return None
    names = tuple(_chain(bundle, np.flatnonzero(copies == group)) for group in sorted(cut))
    total = len(_shared(copies[np.isin(copies, whole)]))
    sentence = f"The study's own cuts divide {len(cut)} of {total} groups of copies, e.g. {names[0]}."
    return Finding(DIVIDED, sentence, len(cut), names, f"{len(cut)} groups of copies divided by the cuts")


def home_of(parts: NDArray[np.str_]) -> str:
    """Return the set in which most images of a group lie; of equal ones training set, unsplit, validation or test set.

    Args:
        parts: the set of each image of the group, of shape (images,).
    """
    order = [set_name for set_name in (TRAIN, UNSPLIT, VALIDATION) if set_name in parts]
    order += sorted(set(parts.tolist()))
    return str(max(order, key=lambda set_name: int(np.sum(parts == set_name))))


def _missing_classes(bundle: DatasetSpec) -> list[Finding]:
    findings = []
    for set_name in dict.fromkeys(bundle.parts.tolist()):
        present = set(bundle.labels[bundle.parts == set_name].tolist())
        names = tuple(name for label, name in enumerate(bundle.classes) if label not in present)
        if names:
            findings.append(Finding(MISSING, f"{set_name} has no image of {listed(names)}.", len(names), names))
    return findings


def _two_classes(bundle: DatasetSpec) -> Finding | None:
    contents = np.unique(np.array(bundle.contents), return_inverse=True)[1]
    rows = contradictory(bundle)
    groups = sorted(set(contents[rows].tolist()))
    if not groups:
        return None
    names = tuple(_chain(bundle, np.flatnonzero(contents == group)) for group in groups)
    pictures = counted(len(groups), "picture")
    verb = "lies" if len(groups) == 1 else "lie"
    sentence = f"{pictures} {verb} in more than one class, e.g. {names[0]}."
    return Finding(TWO_CLASSES, sentence, len(groups), names, f"{pictures} in two classes")


def contradictory(bundle: DatasetSpec) -> Rows:
    """Return the rows of identical files that lie in more than one class."""
    contents = np.unique(np.array(bundle.contents), return_inverse=True)[1]
    pairs = np.unique(np.stack([contents, bundle.labels]), axis=1)
    several = _shared(pairs[0])
    return np.flatnonzero(np.isin(contents, several))


def _across_sets(bundle: DatasetSpec, copies: Rows) -> list[Finding]:
    """Return the images that lie in another set than most of their copies, identical files apart from others."""
    exact: list[str] = []
    near: list[str] = []
    for group in np.setdiff1d(_shared(copies), _undivided(bundle, copies)):
        rows = np.flatnonzero(copies == group)
        home = home_of(bundle.parts[rows])
        kept = rows[bundle.parts[rows] == home]
        same = {bundle.contents[row]: row for row in reversed(kept)}
        for row in rows[bundle.parts[rows] != home]:
            twin = same.get(bundle.contents[row])
            if twin is None:
                near.append(f"{bundle.names[row]} = {bundle.names[kept[0]]}")
            else:
                exact.append(f"{bundle.names[row]} = {bundle.names[twin]}")
    findings = []
    if exact:
        sentence = f"{_files_are(len(exact), 'the same file as one')} in another set, e.g. {exact[0]}."
        short = f"{counted(len(exact), 'identical file')} across sets"
        findings.append(Finding(EXACT, sentence, len(exact), tuple(exact), short))
    if near:
        copy = "a copy (turned, mirrored, rescaled, ...) of one"
        sentence = f"{_files_are(len(near), copy)} in another set, e.g. {near[0]}."
        short = f"{len(near)} {'copy' if len(near) == 1 else 'copies'} across sets"
        findings.append(Finding(NEAR, sentence, len(near), tuple(near), short))
    return findings


def _patients_across_sets(bundle: DatasetSpec) -> Finding | None:
    if bundle.patients is None:
        return None
    pairs = np.unique(np.stack([bundle.patients, bundle.parts]), axis=1)
    names = tuple(_shared(pairs[0]).tolist())
    if not names:
        return None
    patients = counted(len(names), "patient")
    sentence = f"{patients} {'has' if len(names) == 1 else 'have'} images in more than one set, e.g. {names[0]}."
    return Finding(PATIENTS, sentence, len(names), names, f"{patients} on both sides")


def _within_sets(bundle: DatasetSpec, copies: Rows) -> Finding | None:
    """Return a finding of the images that repeat another one of their set, which is no leak by itself."""
    pairs = np.unique(np.stack([copies.astype(np.str_), bundle.parts]), axis=1, return_inverse=True)[1].ravel()
    repeated = {int(pair) for pair in _shared(pairs)}
    names = tuple(_chain(bundle, np.flatnonzero(pairs == pair)) for pair in sorted(repeated))
    count = int(np.isin(pairs, list(repeated)).sum()) - len(repeated)
    if not count:
        return None
    verb = "repeats another" if count == 1 else "repeat others"
    is_split = set(bundle.parts.tolist()) != {UNSPLIT}
    where = " of the same set" if is_split else ""
    sentence = f"{counted(count, 'image')} {verb}{where}, {counted(len(names), 'group')} of copies, e.g. {names[0]}."
    return Finding(WITHIN, sentence, count, names)


def _undivided(bundle: DatasetSpec, copies: Rows) -> Rows:
    """Return the groups of copies that lie in one set only."""
    pairs = np.unique(np.stack([copies, np.unique(bundle.parts, return_inverse=True)[1]]), axis=1)
    groups, count = np.unique(pairs[0], return_counts=True)
    return np.asarray(groups[count == 1])


def _shared(values: NDArray[Value]) -> NDArray[Value]:
    """Return the values that occur more than once."""
    unique, count = np.unique(values, return_counts=True)
    return np.asarray(unique[count > 1])


def _chain(bundle: DatasetSpec, rows: Rows) -> str:
    names = sorted(bundle.names[row] for row in rows)
    chain = " = ".join(names[:CHAIN])
    if len(names) > CHAIN:
        return f"{chain} and {len(names) - CHAIN} more"
    return chain


def _files_are(count: int, what: str) -> str:
    return f"1 image is {what}" if count == 1 else f"{count} images are each {what}"
