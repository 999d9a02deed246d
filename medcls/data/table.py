"""labels.csv: a table with the columns path and label, and optionally patient and split."""

import csv
import io
import os
import unicodedata
from collections import Counter
from itertools import zip_longest
from pathlib import Path

from medcls.data.records import PARTS, Record, label_of, listed
from medcls.data.types import TRAIN, UNSPLIT
from medcls.errors import BadInputError

COLUMNS = ("path", "label", "patient", "split")  # the first two are needed, and any others are passed over


def read_table(table: Path) -> list[Record]:
    """Return the images that a table lists, by absolute paths or paths from the table's folder.

    Raises:
        BadInputError: a column, a value or a file is missing, or a file is listed twice.
    """
    records = [_record(table, line, row) for line, row in _rows(table)]
    twice = [name for name, count in Counter(record.name for record in records).items() if count > 1]
    if twice:
        raise BadInputError(f"{table} lists {listed(twice)} more than once: keep one line for each image.")
    missing = [record.name for record in records if not os.path.lexists(record.path) or record.path.is_dir()]
    if missing:
        raise BadInputError(f"{table} lists {len(missing)} missing files: {listed(missing)}; mend these paths.")
    if {UNSPLIT, TRAIN} <= {record.part for record in records}:
        raise BadInputError(
            f"{table} has a split for some train images and none for others: fill the column or drop it."
        )
    return _with_patients(table, records)


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Return each line's number and its values by column, without blanks around names and values."""
    try:
        text = table.read_text(encoding="utf-8-sig")
        if "\0" in text:
            raise csv.Error("it holds zero bytes")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
        columns = _columns(table, next(reader, []))
        return [(reader.line_num, _values(table, reader.line_num, columns, row)) for row in reader if any(row)]
    except UnicodeDecodeError as error:
        raise BadInputError(f"{table} is not in UTF-8: save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise BadInputError(f"{table} is no table of values ({error}): mend or remove that line.") from error
    except OSError as error:
        raise BadInputError(f"{table} cannot be read: {error.strerror or error}.") from error


def _separator(text: str) -> str:
    """Return what divides the names of the columns: spreadsheets save semicolons where the comma is for decimals."""
    first = text.partition("\n")[0].lower()
    fitting = (mark for mark in ";\t" if {"path", "label"} <= {_bare(name) for name in first.split(mark)})
    return next(fitting, ",")


def _bare(name: str) -> str:
    return name.strip().strip('"').strip()


def _columns(table: Path, header: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    found = ", ".join(name or "one without a name" for name in columns) or "none"
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise BadInputError(f"{table} has {columns.count(name)} columns {name} (its columns: {found}): keep one.")
    for needed in COLUMNS[:2]:
        if needed not in columns:
            raise BadInputError(f"{table} has no column {needed} (its columns: {found}): add it.")
    return columns


def _values(table: Path, line: int, columns: list[str], row: list[str]) -> dict[str, str]:
    """Return a line's values by column, "" where it is short. Columns that mean nothing here stay in and are unused."""
    if any(row[len(columns) :]):
        raise BadInputError(
            f"{table}, line {line}, has {len(row)} values for {len(columns)} columns: put what is one in quotes."
        )
    return {name: value.strip() for name, value in zip_longest(columns, row[: len(columns)], fillvalue="")}


def _record(table: Path, line: int, row: dict[str, str]) -> Record:
    for needed in ("path", "label"):
        if not row[needed]:
            raise BadInputError(f"{table}, line {line}, has no {needed}: fill it in or remove the line.")
    split = row.get("split", "")
    if split and split.lower() not in PARTS:
        raise BadInputError(f"{table}, line {line}: there is no split {split}; say train, validation or test.")
    name = row["path"].replace("\\", "/")  # as tables written under Windows have it
    return Record(
        path=_found(table.parent / name),
        name=os.path.normpath(name),
        label=label_of(row["label"]),
        part=PARTS[split.lower()] if split else UNSPLIT,
        patient=row.get("patient") or None,
    )


def _found(path: Path) -> Path:
    """Return a path as the file system writes it: systems differ in how they write accents."""
    spelt = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((each for each in spelt if os.path.lexists(each)), path)


def _with_patients(table: Path, records: list[Record]) -> list[Record]:
    """Return the records if each has a patient or none has one: a split by half-known patients would leak."""
    unknown = [record.name for record in records if record.patient is None]
    if 0 < len(unknown) < len(records):
        raise BadInputError(f"{table} names no patient for {listed(unknown)}: fill the column patient or drop it.")
    return records
