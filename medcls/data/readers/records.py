"""The records of a data set's image files: set, class and patient of each, their order, their fingerprint."""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION
from medcls.data.readers.images import READABLE
from medcls.data.readers.listing import folders_in
from medcls.data.readers.spelling import quoted, several_spellings
from medcls.utils.errors import BadInputError

# What people call the three sets; a folder or a word in labels.csv counts whatever its case.
PARTS = MappingProxyType(
    {
        "train": TRAIN,
        "training": TRAIN,
        "validation": VALIDATION,
        "valid": VALIDATION,
        "val": VALIDATION,
        "test": TEST,
        "testing": TEST,
    }
)

FOREGROUND = "foreground"  # the one class of images with masks


@dataclass(frozen=True)
class Record:
    """One image file, and what its folder or table says of it.

    Attributes:
        path: the file.
        name: its path below the source, for people.
        label: the name of its class.
        part: its set: TRAIN, VALIDATION, TEST or UNSPLIT (by default).
        patient: the name of its patient, None (by default) where unknown.
        mask: the file of its mask where it has one instead of a class, else None (by default).
    """

    path: Path
    name: str
    label: str
    part: str = UNSPLIT
    patient: str | None = None
    mask: Path | None = None


def label_of(text: str) -> str:
    """Return a label in Unicode's form NFC (file systems differ) without blanks at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def part_folders(source: Path) -> dict[str, Path]:
    """Return the folders of the training, validation and test set within a folder, by set.

    Raises:
        BadInputError: two folders for one set, or the folder cannot be listed.
    """
    folders: dict[str, Path] = {}
    for folder in folders_in(source):
        set_name = PARTS.get(folder.name.lower())
        if set_name in folders:
            raise BadInputError(f"{source} has both {folders[set_name].name} and {folder.name}: keep one of the two.")
        if set_name is not None:
            folders[set_name] = folder
    return folders


def ordered(source: Path, records: Sequence[Record]) -> list[Record]:
    """Return the records sorted by set, class and name.

    Raises:
        BadInputError: no image, one class, a class without an image to train on or one whose name cannot be shown.
    """
    classes = sorted({record.label for record in records})
    if not records:
        raise BadInputError(f"{source} holds no {READABLE} image: give a folder or a labels.csv with images.")
    if len(classes) == 1:
        raise BadInputError(f"{source} has one class only ({classes[0]}): give a folder with two classes or more.")
    refuse_spellings(source, "classes", classes)
    for label in classes:
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
            raise BadInputError(f"{source} has a class {label!r}, which no screen can show: give it another name.")
    trained = {record.label for record in records if record.part in (TRAIN, UNSPLIT)}
    for label in classes:
        if label not in trained:
            sets = Counter(record.part for record in records if record.label == label)
            others = " and ".join(f"{count} in {set_name}" for set_name, count in sorted(sets.items()))
            raise BadInputError(f"{source} has no image of {label} to train on ({others}): add some to train.")
    return sorted(records, key=lambda record: (record.part, record.label, record.name))


def refuse_spellings(source: Path, things: str, names: Iterable[str]) -> None:
    """Refuse names of classes or patients that differ only in how they are written.

    Args:
        source: the data set, for the message.
        things: what the names name, in the plural, e.g. "classes".
        names: the names.

    Raises:
        BadInputError: two of the names differ in case, blanks, accents or the format of a number alone.
    """
    spellings = several_spellings(names)
    if spellings:
        raise BadInputError(
            f"{source} has {things} whose names differ in case, blanks, accents or the format of a number only "
            f"({quoted(spellings)}): write each in one way."
        )


def fingerprint(records: Sequence[Record], contents: Sequence[str]) -> str:
    """Return "sha256:" and 64 hex digits over the classes and every image's set, class, patient and content.

    Names, order and folders of the files do not count, so that a renamed folder keeps its fingerprint.

    Args:
        records: the data set's records.
        contents: the SHA-256 of each record's file, in the same order.
    """
    classes = sorted({record.label for record in records})
    rows = sorted(
        [record.part, record.label, record.patient or "", content]
        for record, content in zip(records, contents, strict=True)
    )
    return "sha256:" + hashlib.sha256(json.dumps([classes, rows]).encode()).hexdigest()


def patients_in(records: Sequence[Record]) -> NDArray[np.str_] | None:
    """Return the patient of each record, of shape (n,); None if that of any is unknown."""
    patients = [record.patient for record in records]
    return None if None in patients else np.array(patients, np.str_)


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return the first `most` names (10 by default) for a message, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
