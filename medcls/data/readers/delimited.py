"""A table in a text file -> its lines of values: encodings, what divides the columns, quotes."""

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

from medcls.utils.errors import BadInputError

MOST_BYTES = 2_000_000_000
MARKS = ",;\t|"
OTHER_MARKS = (("blanks", r"\s+"), ("colons", ":"), ("carets", r"\^"), ("tildes", "~"))  # named in messages, not read
WITH_MARK = (  # in this order: the mark of UTF-32 begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx and .ods, and .xls, begin
LINE_OF_MARK = re.compile(r'"?sep=(.)"?')  # as spreadsheets write it before the names of columns


def read_lines(table: Path, column_names: Collection[str]) -> list[tuple[int, list[str]]]:
    """Return the number and the values of each line that has any, that of the columns' names first.

    Args:
        table: commas, semicolons, tabs or bars divide it; UTF-8, or UTF-16 with or without a mark.
        column_names: names of columns that a table may have, which show by what mark it is divided.

    Raises:
        BadInputError: no table of values, or in an encoding that cannot be told.
    """
    text = _text(table)
    first, _, rest = text.partition("\n")
    line_of_mark = LINE_OF_MARK.fullmatch(first.strip(" "))
    if line_of_mark:
        mark, lines, offset = line_of_mark[1], rest, 1
    else:
        mark, lines, offset = _mark(text, column_names), text, 0
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=mark, skipinitialspace=True)
    try:
        return [(reader.line_num + offset, row) for row in reader if "".join(row).strip()]
    except csv.Error as error:
        raise BadInputError(f"{table} is not a table of values ({error}): correct or remove that line.") from error


def divided_otherwise(row: list[str], columns: int) -> bool:
    """Tell whether a line is divided by another mark than the names of the columns are."""
    return len(row) == 1 and columns > 1 and any(len(row[0].split(mark)) == columns for mark in MARKS)


def divided_by(header: str, column_names: Collection[str]) -> str:
    """Return what divides the names of columns that no mark of a table divides, for people; "" if that is not seen."""
    if any(len(_names(header.split(mark)) & set(column_names)) > 1 for mark in MARKS):
        return "quotes around whole lines"
    for words, mark in OTHER_MARKS:
        if len(_names(re.split(mark, header)) & set(column_names)) > 1:
            return words
    return ""


def _text(table: Path) -> str:
    try:
        if table.exists() and not (table.is_file() or table.is_dir()):
            raise BadInputError(f"{table} is a pipe or a device, not a file: save the table as a file.")
        if table.exists() and table.stat().st_size > MOST_BYTES:
            raise BadInputError(f"{table} is larger than {MOST_BYTES / 1e9:.0f} GB: no table of images is so long.")
        content = table.read_bytes()
    except OSError as error:
        raise BadInputError(f"{table} cannot be read: {error.strerror or error}.") from error
    if content.startswith(SPREADSHEETS):
        raise BadInputError(f"{table} is a spreadsheet's own file under the name of a table: save it as CSV UTF-8.")
    encoding = next((name for mark, name in WITH_MARK if content.startswith(mark)), "") or _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInputError(_not_read(table, content, encoding, error)) from error
    if "\0" in text:
        raise BadInputError(f"{table} is not a table of values (it holds zero bytes): correct or remove that line.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(content: bytes) -> str:
    """Return the encoding of a text without a mark: in UTF-16 every other byte of Latin letters is zero."""
    low, high = content[::2].count(0), content[1::2].count(0)
    enough = len(content) // 4
    if len(content) % 2 == 0 and high > enough and 10 * low < high:
        return "utf-16-le"
    if len(content) % 2 == 0 and low > enough and 10 * high < low:
        return "utf-16-be"
    return "utf-8-sig"


def _not_read(table: Path, content: bytes, encoding: str, error: UnicodeDecodeError) -> str:
    if encoding != "utf-8-sig":
        return f"{table} begins as {encoding.upper()} and is damaged (byte {error.start}): save it as CSV UTF-8."
    line = content.count(b"\n", 0, error.start) + 1
    shown = content[error.start : error.start + 1].decode("cp1252", "replace")
    return (
        f"{table} is not in UTF-8 (line {line} has a byte that is {shown!r} in Windows-1252 and Latin-1): save it "
        f"as CSV UTF-8, as spreadsheets offer, or type iconv -f WINDOWS-1252 -t UTF-8."
    )


def _mark(text: str, column_names: Collection[str]) -> str:
    """Return what divides the columns: the mark that yields most of `column_names`, then most names."""
    header = next((line for line in text.split("\n") if line.strip()), "")
    split = {mark: next(csv.reader([header], delimiter=mark, skipinitialspace=True), []) for mark in MARKS}
    return max(MARKS, key=lambda mark: (len(_names(split[mark]) & set(column_names)), len(split[mark])))


def _names(header: list[str]) -> set[str]:
    return {name.strip().strip('"').strip().lower() for name in header}
