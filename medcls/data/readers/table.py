"""labels.csv: a table with the columns path and label, or path and mask, and optionally patient and split."""

import difflib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

from medcls.data.dataset import TRAIN, UNSPLIT
from medcls.data.readers.delimited import divided_by, divided_otherwise, read_lines
from medcls.data.readers.listing import READ
from medcls.data.readers.records import FOREGROUND, PARTS, Record, label_of, listed
from medcls.utils.errors import BadInputError

TABLES = ("labels.csv", "labels.tsv")  # in a folder of images, the first that is there
SUFFIXES = frozenset({".csv", ".tsv"})
PATH, LABEL, MASK, PATIENT, SPLIT = COLUMNS = ("path", "label", "mask", "patient", "split")  # others are passed over
OF_CLASSES, OF_MASKS = (PATH, LABEL), (PATH, MASK)  # the columns that are needed
OTHER_WORDS = MappingProxyType(  # what people call the columns, in small letters and without blanks and marks
    {
        PATH: ("filename", "file", "filepath", "image", "imagepath", "imagefile", "imagename", "img", "imgpath"),
        LABEL: ("labels", "class", "classes", "classname", "target", "diagnosis", "category", "dx", "y", "groundtruth"),
        MASK: ("masks", "maskpath", "maskfile", "segmentation", "annotation", "groundtruth"),
        PATIENT: ("patients", "patientid", "pid", "subject", "subjectid", "person", "personid", "case", "caseid"),
        SPLIT: ("partition", "subset", "set", "dataset", "phase"),
    }
)


def read_table(table: Path) -> list[Record]:
    """Return the images that a table lists, by absolute paths or paths from the table's folder.

    Raises:
        BadInputError: a column, a value or a file is missing, or a file is listed twice.
    """
    return _records(table, OF_CLASSES)


def read_mask_table(table: Path) -> list[Record]:
    """Return the images with masks that a table lists, by absolute paths or paths from the table's folder.

    Raises:
        BadInputError: a column, a value or a file is missing, or an image is listed twice.
    """
    return _records(table, OF_MASKS)


def table_of(source: Path) -> Path | None:
    """Return the table that a source is or holds, None if it is or holds none."""
    if source.suffix.lower() in SUFFIXES and not source.is_dir():
        return source
    for name in TABLES:
        if os.path.exists(source / name):  # noqa: PTH110 - Path.exists raises where it may not look
            return source / name
    return None


def mask_table(source: Path) -> Path | None:
    """Return the table with a column of masks that a source is or holds, None where there is none that can be read."""
    table = table_of(source)
    if table is None or not table.is_file():
        return None
    with suppress(BadInputError):  # reading the table raises it again
        return table if MASK in _names(table) else None
    return None


def lists_classes(table: Path) -> bool:
    """Tell whether a table has a column of labels.

    Raises:
        BadInputError: no table of values.
    """
    return LABEL in _names(table)


def unread_columns(table: Path) -> dict[str, str]:
    """Return the names of unread columns that may hold the patient or the split, by the column they may stand for."""
    names = [name.strip() for name in _lines(table)[0][1]]
    has = {name.lower() for name in names}
    unread = {}
    for column in (PATIENT, SPLIT):
        name = _nearest(column, names)
        if name and column not in has:
            unread[column] = name
    return unread


def _records(table: Path, needed: Sequence[str]) -> list[Record]:
    (_, header), *lines = _lines(table)
    columns = _columns(table, header, needed)
    records = []
    for line, row in lines:
        values = _values(table, line, columns, row)
        records.append(_record(table, line, values, needed))
    occurrences = Counter(record.name for record in records)
    twice = [name for name, count in occurrences.items() if count > 1]
    if twice:
        raise BadInputError(f"{table} lists {listed(twice)} more than once: keep one line for each image.")
    missing = []
    for record in records:
        missing += [name for name, path in _files(record) if not _is_there(path)]
    if missing:
        raise BadInputError(f"{table} lists {len(missing)} missing files: {listed(missing)}; correct these paths.")
    if needed == OF_CLASSES and records and all(Path(record.label).suffix.lower() in READ for record in records):
        raise BadInputError(f"{table} has names of files for labels: if they are masks, call that column {MASK}.")
    if {UNSPLIT, TRAIN} <= {record.part for record in records}:
        raise BadInputError(
            f"{table} has a split for some train images and none for others: fill the column or drop it."
        )
    return _with_patients(table, records)


def _names(table: Path) -> list[str]:
    return [name.strip().lower() for name in _lines(table)[0][1]]


def _lines(table: Path) -> list[tuple[int, list[str]]]:
    """Return the lines of a table with their numbers, the names of its columns first."""
    return read_lines(table, COLUMNS) or [(1, [])]


def _columns(table: Path, header: list[str], needed: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    there = ", ".join(name or "one without a name" for name in columns) or "none"
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise BadInputError(f"{table} has {columns.count(name)} columns {name} (its columns: {there}): keep one.")
    for name in needed:
        if name not in columns:
            raise BadInputError(_missing(table, name, header, there))
    return columns


def _missing(table: Path, name: str, header: list[str], there: str) -> str:
    """Return the message about a column that is missing, has another name, or is not divided from the others."""
    mark = divided_by(" ".join(header), COLUMNS) if len(header) == 1 else ""
    if mark:
        return (
            f"{table} has {mark} for commas (its first line: {there}): divide it by commas, semicolons, tabs or bars."
        )
    near = _nearest(name, header)
    remedy = f"did you mean {near}? Call that column {name}." if near else "add it."
    return f"{table} has no column {name} (its columns: {there}): {remedy}"


def _nearest(column: str, names: Sequence[str]) -> str:
    """Return the name that seems to mean a column, "" if none does."""
    plain = {}
    for name in names:
        if name.strip().lower() not in COLUMNS:
            plain[re.sub(r"[\W_]+", "", name.lower())] = name.strip()
    for word in OTHER_WORDS[column]:
        if word in plain:
            return plain[word]
    close = difflib.get_close_matches(column, plain, n=1, cutoff=0.8)
    return plain[close[0]] if close else ""


def _values(table: Path, line: int, columns: list[str], row: list[str]) -> dict[str, str]:
    """Return a line's values by column, "" where it is short. Columns that mean nothing here stay in and are unused."""
    if divided_otherwise(row, len(columns)):
        raise BadInputError(f"{table}, line {line}, is not divided as its first line is: divide all lines by one mark.")
    if any(row[len(columns) :]):
        raise BadInputError(
            f"{table}, line {line}, has {len(row)} values for {len(columns)} columns: put what is one in quotes."
        )
    return {name: value.strip() for name, value in zip_longest(columns, row[: len(columns)], fillvalue="")}


def _record(table: Path, line: int, row: dict[str, str], needed: Sequence[str]) -> Record:
    for name in needed:
        if not row[name]:
            raise BadInputError(f"{table}, line {line}, has no {name}: fill it in or remove the line.")
    split = row.get(SPLIT, "")
    if split and split.lower() not in PARTS:
        raise BadInputError(f"{table}, line {line}: there is no split {split}; say train, validation or test.")
    name = _slashed(row[PATH])
    return Record(
        path=_existing(table.parent / name),
        name=os.path.normpath(name),
        label=label_of(row[LABEL]) if LABEL in needed else FOREGROUND,
        part=PARTS[split.lower()] if split else UNSPLIT,
        patient=row.get(PATIENT) or None,
        mask=_existing(table.parent / _slashed(row[MASK])) if MASK in needed else None,
    )


def _slashed(path: str) -> str:
    return path.replace("\\", "/")  # tables written under Windows have backslashes


def _existing(path: Path) -> Path:
    """Return a path as the file system writes it: systems differ in how they write accents."""
    composed = Path(unicodedata.normalize("NFC", str(path)))
    decomposed = Path(unicodedata.normalize("NFD", str(path)))
    for spelling in (path, composed, decomposed):
        if os.path.lexists(spelling):
            return spelling
    return path


def _files(record: Record) -> list[tuple[str, Path]]:
    """Return the files of a record with their names for people."""
    files = [(record.name, record.path)]
    if record.mask is not None:
        files.append((str(record.mask), record.mask))
    return files


def _is_there(path: Path) -> bool:
    return os.path.lexists(path) and not path.is_dir()


def _with_patients(table: Path, records: list[Record]) -> list[Record]:
    """Return the records if each has a patient or none has one: a split by half-known patients would leak."""
    unknown = [record.name for record in records if record.patient is None]
    if 0 < len(unknown) < len(records):
        raise BadInputError(f"{table} names no patient for {listed(unknown)}: fill the column patient or drop it.")
    return records
