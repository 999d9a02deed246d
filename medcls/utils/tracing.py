"""Reports of errors in the user's own code: the file and line, and the message in one line."""

import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.files import write_atomically
from medcls.utils.redaction import text_without_secrets

TRACEBACK = "traceback.txt"
LONGEST = 300  # characters of an error's message
CONVERTED = "in user code:"  # TensorFlow begins errors in functions that it has converted with this
WRAPPED = "Exception encountered when calling"  # Keras begins errors in layers with this
INNER = "Error encountered:"  # Keras puts this before the error itself
GRAPH = "Graph execution error"
STYLE = re.compile(r"\x1b\[[\d;]*m")
PLACE = re.compile(r'File "([^"]+)", line (\d+), in ([^\s*]+)')

Frame = tuple[str, int, str]
"""A file, the number of a line, and the name of the function that contains the line."""


def told(error: BaseException) -> str:
    """Return an error in one line: where in the user's own code it was raised, its type and its message."""
    frame = users_frame(error)
    kind = f"{type(error).__name__}: {message(error)}".rstrip(": ")
    if frame is None:
        return kind
    file, line, function = frame
    inside = "" if function.startswith("<") else f", in {function}"
    return f"{file}, line {line}{inside}: {kind}"


def message(error: BaseException) -> str:
    """Return the line of an error's message that says what went wrong, shortened if it is long."""
    if isinstance(error, SyntaxError):
        return str(error.msg)
    lines = [line.strip() for line in STYLE.sub("", str(error)).splitlines() if line.strip()]
    if not lines:
        return ""
    chosen, *others = lines
    if chosen.startswith(CONVERTED):
        chosen = lines[-1].partition(": ")[2] or lines[-1]
    elif chosen.startswith(WRAPPED) and others:
        said = next((number for number, line in enumerate(others) if line.endswith(INNER)), -1)
        chosen = others[min(said + 1, len(others) - 1)]
    elif chosen.startswith(GRAPH) and others:
        chosen = _last_of_graph(others)
    return chosen if len(chosen) <= LONGEST else f"{chosen[:LONGEST]}..."


def users_frame(error: BaseException) -> Frame | None:
    """Return the innermost frame of an error in the user's own code, None if there is none.

    The user's code is neither part of medcls nor of Python nor of an installed package. If the error has no such
    frame, that of the error which caused it (`raise ... from`) is returned.
    """
    if isinstance(error, SyntaxError) and error.filename and _is_users(error.filename):
        return error.filename, error.lineno or 0, "<module>"
    frames = [*_of_text(str(error)), *_of_traceback(error)]
    for frame in frames:
        if _is_users(frame[0]):
            return frame
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return users_frame(before) if before is not None else None


def whole(error: BaseException) -> str:
    """Return the traceback of an error as Python prints it."""
    return "".join(traceback.format_exception(error))


@contextmanager
def explained(folder: Path, kind: type[Exception]) -> Iterator[None]:
    """Replace errors of the user's own code by errors with one sentence, and keep their traceback in a file.

    Args:
        folder: the directory of the file, created if necessary; if that fails the traceback is lost.
        kind: the type of the new error, e.g. `BadInputError`.
    """
    try:
        yield
    except (BadInputError, TrainingError, OSError):
        raise
    except Exception as error:
        if users_frame(error) is None:
            raise
        raise kind(kept(error, folder / TRACEBACK)) from error


def kept(error: BaseException, file: Path) -> str:
    """Write the traceback of an error into a file; return a sentence with the place, the error and the file.

    Where the file cannot be written, the traceback is lost, and the sentence does not name it.
    """
    sentence, trace = told(error), text_without_secrets(whole(error)).encode()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, lambda opened: opened.write(trace))
        sentence += f" (the traceback is in {file})"
    return f"{sentence}."


def defined_at(function: Callable[..., Any]) -> str:
    """Return where a function stands in the user's own code, as " (FILE, line N)"; "" where it is not the user's."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or not _is_users(code.co_filename):
        return ""
    return f" ({code.co_filename}, line {code.co_firstlineno})"


def _of_traceback(error: BaseException) -> Iterator[Frame]:
    """Yield the frames of an error's traceback, the innermost first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        yield frame.filename, frame.lineno or 0, frame.name


def _of_text(text: str) -> Iterator[Frame]:
    """Yield the frames in the message of TensorFlow, which replaces the user's code by its own."""
    for file, line, function in reversed(PLACE.findall(text)):
        yield file, int(line), function


def _last_of_graph(lines: list[str]) -> str:
    """Return the line that says what went wrong in a graph: the last one that names no node."""
    plain = [line for line in lines if "[[{{" not in line and "[Op:" not in line and not PLACE.search(line)]
    return plain[-1] if plain else lines[-1]


def _is_users(file: str) -> bool:
    if file.startswith("<") or "__autograph_generated_file" in file:
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in _of_others())


def _of_others() -> list[Path]:
    """Return the directories of medcls, of Python and of installed packages."""
    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    packages = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return [Path(__file__).resolve().parents[1], *(Path(path).resolve() for path in [*installed, *packages])]
