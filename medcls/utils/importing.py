"""Find out whether a script is run or imported: the processes of its runs import it to find its functions."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from medcls.utils.errors import BadInputError

WORKER = "__mp_main__"  # the name of a script while a process started by multiprocessing imports it
SERVER = "medcls.execution.executors.preload"  # imported by the server of such processes, and so by them


def is_imported() -> bool:
    """Return whether a call comes from the top level of a file that is imported instead of run.

    A study's file that calls `main` there without `if __name__ == "__main__":` is imported by the processes of its
    runs and by `medcls run`.
    """
    for frame in _top_levels():
        name = frame.f_globals.get("__name__")
        return name == WORKER or (name != "__main__" and frame.f_globals.get("__spec__") is not None)
    return False


def refuse_in_worker(call: str) -> None:
    """Refuse a call in the process of a run, which only makes the call because it imports the user's file.

    Args:
        call: the name of the called function, e.g. "medcls.run".

    Raises:
        BadInputError: this process is that of a run.
    """
    if SERVER not in sys.modules:
        return
    frame = next(_top_levels(), sys._getframe(1))
    raise BadInputError(
        f"{frame.f_code.co_filename}, line {frame.f_lineno}, calls {call} when the file is imported, which the "
        'processes of runs do: put the call below if __name__ == "__main__":.'
    )


@contextmanager
def importable() -> Iterator[None]:
    """Keep processes that are started meanwhile from importing the script, which they would run once more.

    The functions of the script are then sent to the processes, as those of a notebook's cells are.
    """
    script = sys.modules["__main__"]
    if _is_guarded() or not hasattr(script, "__file__"):
        yield
        return
    file, spec = script.__file__, script.__spec__
    del script.__file__
    script.__spec__ = None
    try:
        yield
    finally:
        script.__file__, script.__spec__ = file, spec


def _is_guarded() -> bool:
    """Return whether the script's current statement at top level is an `if` that tests `__name__`."""
    for frame in _top_levels():
        if frame.f_globals is vars(sys.modules["__main__"]):
            try:
                statements = ast.parse(Path(frame.f_code.co_filename).read_bytes()).body
            except (OSError, SyntaxError, ValueError):  # no file, or a file that has been changed meanwhile
                return True
            return _is_guard_at(statements, frame.f_lineno)
    return True


def _is_guard_at(statements: list[ast.stmt], line: int) -> bool:
    """Return whether the statement at a line is an `if` that tests `__name__`."""
    for statement in statements:
        if isinstance(statement, ast.If) and statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            for node in ast.walk(statement.test):
                if isinstance(node, ast.Name) and node.id == "__name__":
                    return True
    return False


def _top_levels() -> Iterator[FrameType]:
    """Yield the frames at the top level of a file through which a call came, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            yield frame
        frame = frame.f_back
