"""Which studies there are, what each asks, and how far it has come, without importing or running any."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medcls.tracking.outcomes import Outcome, labels, outcomes, state
from medcls.utils.errors import BadInputError


@dataclass(frozen=True)
class Entry:
    """A study: its name, its question, and a line for each outcome, which begins with the outcome's name."""

    name: str
    question: str
    outcomes: tuple[str, ...]


def studies(folder: Path, work: Path) -> list[Entry]:
    """Return the study files of a folder, then the studies without a file there that have ended.

    Args:
        folder: of the study files.
        work: the work directory, which has the summaries.

    Raises:
        BadInputError: no such folder, or no study in it.
    """
    by_study: dict[str, list[Outcome]] = {}
    for outcome in outcomes(work):
        by_study.setdefault(outcome.summary.study, []).append(outcome)
    entries = []
    for path in sorted(folder.glob("*.py")):
        question = _question(path)
        if question is not None:
            entries.append(Entry(path.stem, question, _lines(by_study.pop(path.stem, ()))))
    if not entries:
        raise BadInputError(f"There is no study in {folder}: name another folder.")
    for study, ended in sorted(by_study.items()):
        entries.append(Entry(study, ended[0].summary.question, _lines(ended)))
    return entries


def _lines(ended: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the name and state of each of a study's outcomes."""
    return tuple(f"{name} of {state(outcome)}" for name, outcome in zip(labels(ended), ended, strict=True))


def _question(path: Path) -> str | None:
    """Return the first line of a study file's docstring, None for a file that declares no study."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        return f"(cannot be read: {error})"
    called = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    if not called & {"Study", "Demonstration"}:
        return None
    return (ast.get_docstring(tree) or "(no docstring)").splitlines()[0]
