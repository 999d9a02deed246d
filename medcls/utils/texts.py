"""Texts from outside (names of files, classes, studies), made harmless before they are printed or written."""

from typing import TextIO

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take the wide ones too


def printable(text: str, keep: str = "") -> str:
    r"""Return a text in which every character that is not visible is escaped: a line break as \n, ESC as \x1b.

    A terminal obeys such characters, and in a log a line break makes one name look like two lines.

    Args:
        text: any text.
        keep: characters that stay as they are, such as the line breaks of a text of several lines.
    """
    return "".join(letter if letter.isprintable() or letter in keep else repr(letter)[1:-1] for letter in text)


def say(line: str, file: TextIO | None = None) -> None:
    """Print a line on standard output or to another file, with characters escaped that are not visible."""
    print(printable(line), file=file, flush=True)


def cell(value: object) -> object:
    """Return a value for a CSV file: a text that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def storable(text: str) -> str:
    """Return a text that can be written as UTF-8: bytes of a file name that are not UTF-8 are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
