"""Names that are one and the same but for case, blanks, accents or the format of a number."""

import re
import unicodedata
from collections.abc import Iterable

NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d*)?")


def normal_form(text: str) -> str:
    """Return what is equal for all spellings of a name: "mel" for "Mel ", "1" for "01" and "1.0"."""
    shown = "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    bare = re.sub(r"\s+", "", shown).casefold()
    if NUMBER.fullmatch(bare):
        whole, _, decimals = bare.lstrip("+").replace(",", ".").partition(".")
        rest = f".{decimals}" if decimals.strip("0") else ""  # 1.1 and 1.10 may be two: a place and its first or tenth
        return re.sub(r"^(-?)0+(?=\d)", r"\1", whole) + rest
    return re.sub(r"(?<![\d.])0+(?=\d)", "", bare)


def several_spellings(names: Iterable[str]) -> list[list[str]]:
    """Return the spellings of each name that is spelled in more than one way, sorted."""
    spellings: dict[str, set[str]] = {}
    for name in names:
        spellings.setdefault(normal_form(name), set()).add(name)
    return [sorted(group) for _, group in sorted(spellings.items()) if len(group) > 1]


def quoted(spellings: Iterable[list[str]], most: int = 3) -> str:
    """Return spellings for a message, the first few groups of them."""
    groups = list(spellings)
    more = f" and {len(groups) - most} more" if len(groups) > most else ""
    return "; ".join(" and ".join(map(repr, group[:4])) for group in groups[:most]) + more
