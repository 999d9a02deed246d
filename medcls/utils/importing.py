"""Find out whether a script is run or imported: the processes of its runs import it to find its functions."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from medcls.utils.errors import BadInputError

WORKER = "__mp_main__"  # what multiprocessing calls a script while a process that it starts imports it
SERVER = "medcls.execution.executors.preload"  # what the server of such processes has imported, and they with it


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
    """Keep the processes that are started meanwhile from importing a script that they would carry out once more.

    They are then given the script's functions themselves, as those of a notebook's cells.
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
    """Tell whether the statement of the script that is being carried out is one that asks for `__name__`."""
    for frame in _top_levels():
        if frame.f_globals is vars(sys.modules["__main__"]):
            try:
                statements = ast.parse(Path(frame.f_code.co_filename).read_bytes()).body
            except (OSError, SyntaxError, ValueError):  # no file, or one that was changed meanwhile
                return True
            return any(_asks_for_name(each) for each in statements if each.lineno <= frame.f_lineno <= _end(each))
    return True


def _asks_for_name(statement: ast.stmt) -> bool:
    names = ast.walk(statement.test) if isinstance(statement, ast.If) else ()
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in names)


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _top_levels() -> Iterator[FrameType]:
    """Yield the frames of files' top levels that a call comes from, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            yield frame
        frame = frame.f_back
