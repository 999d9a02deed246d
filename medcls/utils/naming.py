"""Safe names for files, MLflow metrics and the like, which do not take every character; they stay distinct."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medcls.utils.errors import BadInputError, say_without_traceback

DIGITS = range(4, 65)  # numbers of digits of a digest that are tried until the name differs from all others

LONGEST_STUDY = 60  # characters of a study's name: a directory's name has at most 255 bytes, a character up to 4
NOT_IN_A_STUDY = "/\\:?"  # characters that directories and the URIs of models cannot have


@dataclass(frozen=True)
class Rules:
    """The rules for names of one kind.

    Attributes:
        clean: a name -> the name with safe characters only; a safe name is returned unchanged.
        shorten: a clean name and the longest length -> as much of the beginning as fits.
        room: the longest length, in the unit of `shorten` (characters or bytes).
        key: a safe name -> what must differ between two names.
        unlike: a name -> the part that is not safe, whose digest distinguishes the name from others.
    """

    clean: Callable[[str], str]
    shorten: Callable[[str, int], str]
    room: int
    key: Callable[[str], str] = str
    unlike: Callable[[str], str] = str


def in_store(names: Iterable[str]) -> dict[str, str]:
    """Return a name that MLflow accepts for each name of a metric or parameter."""
    return distinct(names, STORE)


def in_file(names: Iterable[str]) -> dict[str, str]:
    """Return a part of a file name for each name; the parts differ also on file systems that ignore case."""
    return distinct(names, FILE)


def beside_others(names: Iterable[str]) -> dict[str, str]:
    """Return a part of a file name for each name that a file already has; only names that are too long change."""
    return distinct(names, STEM)


def check_study(owner: str, name: str) -> None:
    """Check that the name of a study can be used for its directory, its experiment and its models in MLflow.

    A script makes its study before anything catches errors, so Python's own hook is told to print this error in one
    line.

    Args:
        owner: the class that has the name, such as "Study".
        name: the name.

    Raises:
        BadInputError: a name that cannot be used.
    """
    odd = [letter for letter in name if not letter.isprintable() or letter in NOT_IN_A_STUDY]
    if odd or name.strip(" .") != name or not 0 < len(name) <= LONGEST_STUDY:
        shown = f"{name[:LONGEST_STUDY]}..." if len(name) > LONGEST_STUDY else name
        say_without_traceback()
        raise BadInputError(
            f'{owner}.name "{shown}" cannot be used as the name of a folder and a model: use 1 to {LONGEST_STUDY} '
            f"letters, digits, blanks, and signs other than {' '.join(NOT_IN_A_STUDY)}, without a blank or a full stop "
            "at either end."
        )


def distinct(names: Iterable[str], rules: Rules) -> dict[str, str]:
    """Return a distinct safe name for each name; the order of the names does not matter.

    A safe name is returned unchanged. If several names have one safe name, all but the unchanged one end with a few
    digits of their digest.
    """
    safe = {name: rules.shorten(rules.clean(name), rules.room) for name in sorted(set(names))}
    alike: dict[str, list[str]] = defaultdict(list)
    for name, cleaned in safe.items():
        alike[rules.key(cleaned)].append(name)
    taken = set(alike)
    for group in alike.values():
        unchanged = [name for name in group if safe[name] == name]
        others = [name for name in group if name not in unchanged[:1]] if len(group) > 1 else []
        tell_apart = len({rules.unlike(name) for name in others}) == len(others)
        for name in others:
            unlike = rules.unlike(name) if tell_apart else name
            safe[name] = _marked(safe[name], unlike, taken, rules)
            taken.add(rules.key(safe[name]))
    return safe


def _marked(cleaned: str, unlike: str, taken: set[str], rules: Rules) -> str:
    """Return a clean name that ends with digits of the digest of `unlike` and that is not taken yet."""
    digest = hashlib.sha256(unlike.encode("utf-8", "surrogatepass")).hexdigest()
    for count in DIGITS:
        marked = f"{rules.shorten(cleaned, rules.room - count - 1)}-{digest[:count]}"
        if rules.key(marked) not in taken:
            return marked
    raise AssertionError(f"another name has the digest of {unlike!r}")


def _clean_for_store(name: str) -> str:
    """Return a name with characters that MLflow takes, without parts that a file system would resolve."""
    parts = []
    for part in re.sub(r"[^\w.\- :/]", "_", name).split("/"):
        parts.append("_" * max(len(part), 1) if part in ("", ".", "..") else part)
    cleaned = "/".join(parts)
    return f"__{cleaned[2:]}" if cleaned.startswith("..") else cleaned  # MLflow takes ..x for a path, too


def _unlike_in_store(name: str) -> str:
    """Return the parts of a name that MLflow does not accept, so that a class has one digest in all its metrics."""
    changed = [part for part in name.split("/") if _clean_for_store(part) != part]
    return "/".join(changed) or name


def _shorten_for_store(name: str, room: int) -> str:
    return name if len(name) <= room else name[:room].rstrip("./")


def _clean_for_file(name: str) -> str:
    """Return a name without characters that some file systems refuse, and without blanks and full stops at its ends."""
    cleaned = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_" for letter in name)
    return re.sub(r"^[. ]+|[. ]+$", lambda ends: "_" * len(ends[0]), cleaned) or "_"


def _shorten_for_file(name: str, room: int) -> str:
    content = name.encode("utf-8", "surrogateescape")
    return name if len(content) <= room else content[:room].decode(errors="ignore")


STORE = Rules(_clean_for_store, _shorten_for_store, room=250, unlike=_unlike_in_store)
"""Names of MLflow's metrics and parameters, which have at most 250 characters."""

FILE = Rules(_clean_for_file, _shorten_for_file, room=150, key=str.casefold)
"""Parts of file names, which have at most 255 bytes including what stands before and after the part."""

STEM = Rules(str, _shorten_for_file, room=150, key=str.casefold)
"""Parts of file names, from names that files already have, whatever their characters."""
