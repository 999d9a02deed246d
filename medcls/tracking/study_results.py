"""Which studies there are, what each asks, and how far it has come, without importing or running any."""

import ast
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from medcls.evaluation.metrics import words
from medcls.evaluation.summary import StudySummary, read_summary
from medcls.utils.errors import BadInputError
from medcls.utils.records import DamagedError

REMEDY = "remove it and run the study's command again, which trains nothing anew"


@dataclass(frozen=True)
class Entry:
    """A study file: its stem, the question in its docstring, and what it has found, the latest first."""

    name: str
    question: str
    states: tuple[str, ...]


def studies(folder: Path, work: Path) -> list[Entry]:
    """Return the study files of a folder; `work` is where their summaries lie.

    Raises:
        BadInputError: no such folder, or no study in it.
    """
    ended = outcomes(work)
    entries = []
    for path in sorted(folder.glob("*.py")):
        question = _question(path)
        if question is not None:
            states = tuple(state(outcome) for outcome in ended.get(path.stem, ()))
            entries.append(Entry(path.stem, question, states))
    if not entries:
        raise BadInputError(f"There is no study in {folder}: go to the folder of your checkout, or name another.")
    return entries


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


@dataclass(frozen=True)
class Outcome:
    """How a study ended once.

    Attributes:
        written: when, in seconds since 1970.
        folder: the study's directory, below the work directory.
        summary: what it found.
    """

    written: float
    folder: Path
    summary: StudySummary


def outcomes(work: Path) -> dict[str, list[Outcome]]:
    """Return the outcomes by study, the latest first."""
    outcomes: dict[str, list[Outcome]] = {}
    for written, path in sorted(_by_time(work), reverse=True):
        with suppress(DamagedError):
            summary = _summary(path)
            outcomes.setdefault(summary.study, []).append(Outcome(written, path.parent, summary))
    return outcomes


def damaged(work: Path) -> list[str]:
    """Return a sentence for each summary that cannot be read: `outcomes` does without them."""
    sentences = []
    for _, path in sorted(_by_time(work)):
        try:
            _summary(path)
        except DamagedError as error:
            sentences.append(str(error))
    return sentences


def _summary(path: Path) -> StudySummary:
    """Return the summary in a file.

    Raises:
        DamagedError: it is gone, or no summary.
    """
    try:
        if not path.is_file():
            raise DamagedError(path, "no file", REMEDY)
        return read_summary(path.read_bytes())
    except FileNotFoundError as error:
        raise DamagedError(path, "gone", REMEDY) from error
    except ValueError as error:
        raise DamagedError(path, str(error), REMEDY) from error


def _by_time(work: Path) -> Iterator[tuple[float, Path]]:
    for path in work.glob("studies/*/summary.json"):
        yield path.stat().st_mtime, path


def state(outcome: Outcome) -> str:
    """Return one line: when, how many runs on which data, and the best score."""
    summary = outcome.summary
    sets = ", ".join(f"{data.name} ({data.kind})" for data in summary.data_sets)
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(outcome.written))
    if not summary.runs:
        return f"{day}: {len(summary.answers)} pictures of {sets}"
    smoke = ", smoke" if summary.smoke else ""
    line = f"{day}{smoke}: {len(summary.finished)} of {len(summary.runs)} runs finished on {sets}"
    for best in summary.best.values():
        line += f", best {words(best.metric)} {best.value:.3f}"
    return line
