"""Folders within folders: which level is the class, which the patient, which the set."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from medcls.data.readers.records import Record, label_of, listed
from medcls.utils.errors import BadInputError

NUMBERS = re.compile(r"\d+")
VIEWS = frozenset(  # folders of these are no classes
    {"left", "right", "l", "r", "od", "os", "ap", "pa", "lat", "lateral", "frontal", "front", "back"}
    | {"axial", "coronal", "sagittal", "cc", "mlo"}
)
OF_A_SET = re.compile(
    r"(train|valid|val|test)(ing|ation)?s?$|.*(images?|imgs?|masks?|labels?)([_ ]?t[rs])?$", re.IGNORECASE
)
PATIENT = re.compile(r"(patient|pat|subject|subj|sub|person|case)s?[\W_]*(id)?[\W_]*", re.IGNORECASE)


def folder_within(record: Record) -> str:
    """Return the name of the folder that holds an image; "" if it is its class, its set, all images or the data set."""
    name = label_of(PurePosixPath(record.name).parent.name)
    return "" if name == record.label or OF_A_SET.match(name) else name


def are_numbered_alike(names: Collection[str]) -> bool:
    """Tell whether names differ in their numbers alone, such as pat1, pat2 or 001, 002."""
    return len({NUMBERS.sub("#", name) for name in names}) == 1 and all(map(NUMBERS.search, names))


def are_called_patients(names: Collection[str]) -> bool:
    """Tell whether names say themselves that they are patients: pat1, Patient 07, case_12."""
    return all(PATIENT.fullmatch(NUMBERS.sub("", name)) for name in names)


def are_views(names: Collection[str]) -> bool:
    """Tell whether names say how an image was taken: left, right, ap, axial."""
    return {name.lower() for name in names} <= VIEWS


def refuse_patients_above_classes(folder: Path, images: Sequence[Path]) -> None:
    """Refuse folders of patients that hold the classes' folders: their names would be taken for classes.

    Args:
        folder: whose folders are to be classes.
        images: all images below it.

    Raises:
        BadInputError: numbered folders hold folders of a few names that are not numbered.
    """
    paths = [image.relative_to(folder).parts for image in images]
    pairs = {(parts[0], parts[1]) for parts in paths if len(parts) > 2}
    outer, inner = {parts[0] for parts in paths}, Counter(name for _, name in pairs)
    shared = sorted(name for name, count in inner.items() if count > 1)
    if (
        len(shared) < 2
        or len(inner) > len(outer)
        or {name for name, _ in pairs} != outer
        or not are_numbered_alike(outer)
        or are_numbered_alike(inner)
        or are_views(inner)
        or (len(outer) == 2 and not are_called_patients(outer))
    ):
        return
    raise BadInputError(
        f"{folder} holds {listed(sorted(outer), 3)}, and in these are {listed(shared, 3)}: if the outer folders are "
        f"patients and the inner ones classes, turn them round ({shared[0]}/{min(outer)}) and say "
        f"data.patients=folder, or write a labels.csv; if the outer ones are classes, put their images into them "
        f"without folders."
    )


def refuse_sets_in_class(folder: Path, sets: Sequence[Path], *, hold_images: bool) -> None:
    """Refuse a folder that looks like a class and holds training, validation or test sets.

    Args:
        folder: the folder.
        sets: the folders of sets in it.
        hold_images: whether images lie directly in these, and not in folders of classes.

    Raises:
        BadInputError: always, with what to do.
    """
    if not hold_images:
        raise BadInputError(f"{folder} looks like a class but holds sets: give this folder itself.")
    names = [path.name for path in sets]
    turned = " and ".join(f"{name}/{folder.name}" for name in names)
    raise BadInputError(
        f"{folder} is a class that holds {' and '.join(names)}: turn the folders round ({turned}), or write a "
        f"labels.csv with the columns path, label and split."
    )
