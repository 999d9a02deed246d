"""Which studies there are, what each asks, and how far it has come, without importing or running any."""

import ast
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.utils.errors import BadInputError
from medcls.utils.records import DamagedError, Shape, is_shaped, read_record


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
    found = outcomes(work)
    entries = [
        Entry(path.stem, question, tuple(state(each) for each in found.get(path.stem, ())))
        for path in sorted(folder.glob("*.py"))
        if (question := _question(path)) is not None
    ]
    if not entries:
        raise BadInputError(f"There is no study in {folder}: go to the folder of your checkout, or name another.")
    return entries


def _question(path: Path) -> str | None:
    """Return the first line of a study file's docstring, None for a file that declares no study."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        return f"(cannot be read: {error})"
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return (
        (ast.get_docstring(tree) or "(no docstring)").splitlines()[0] if called & {"Study", "Demonstration"} else None
    )


@dataclass(frozen=True)
class Outcome:
    """How a study ended once: when, in seconds since 1970, its folder, its summary."""

    written: float
    folder: Path
    summary: dict[str, Any]


def outcomes(work: Path) -> dict[str, list[Outcome]]:
    """Return the outcomes by study, the latest first."""
    found: dict[str, list[Outcome]] = {}
    for written, path in sorted(_by_time(work), reverse=True):
        with suppress(DamagedError):
            summary = _summary(path)
            found.setdefault(summary["study"], []).append(Outcome(written, path.parent, summary))
    return found


def damaged(work: Path) -> list[str]:
    """Return a sentence for each summary that cannot be read: `outcomes` does without them."""
    sentences = []
    for _, path in sorted(_by_time(work)):
        try:
            _summary(path)
        except DamagedError as error:
            sentences.append(str(error))
    return sentences


def _summary(path: Path) -> dict[str, Any]:
    summary = read_record(
        path, SUMMARY, remedy="remove it and run the study's command again, which trains nothing anew"
    )
    if summary is None:
        raise DamagedError(path, "gone")
    return summary


def _are_runs(value: Any) -> bool:
    return isinstance(value, list) and all(is_shaped(run, RUN) for run in value)


def _are_data_sets(value: Any) -> bool:
    return isinstance(value, list) and all(is_shaped(data, DATA_SET) for data in value)


def _are_best(value: Any) -> bool:
    return isinstance(value, dict) and all(is_shaped(best, BEST) for best in value.values())


RUN: Shape = MappingProxyType({"key": str, "status": str})
DATA_SET: Shape = MappingProxyType({"name": str, "kind": str})
BEST: Shape = MappingProxyType({"metric": str, "value": int | float})
SUMMARY: Shape = MappingProxyType(
    {
        "study": str,
        "question": str,
        "smoke": bool,
        "runs": _are_runs,
        "data_sets": _are_data_sets,
        "best": _are_best,
        "answers": list,
    }
)


def _by_time(work: Path) -> Iterator[tuple[float, Path]]:
    for path in work.glob("studies/*/summary.json"):
        yield path.stat().st_mtime, path


def state(outcome: Outcome) -> str:
    """Return one line: when, how many runs on which data, and the best score."""
    summary = outcome.summary
    runs = summary["runs"]
    finished = sum(run["status"] == "finished" for run in runs)
    sets = ", ".join(f"{each['name']} ({each['kind']})" for each in summary["data_sets"])
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(outcome.written))
    best = "".join(
        f", best {each['metric'].replace('_', ' ')} {each['value']:.3f}" for each in summary["best"].values()
    )
    if not runs:
        return f"{day}: {len(summary['answers'])} pictures of {sets}"
    return f"{day}{', smoke' if summary['smoke'] else ''}: {finished} of {len(runs)} runs finished on {sets}{best}"
