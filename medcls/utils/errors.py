"""The errors that a user can mend; their sentences never tell a password."""

import sys
from pathlib import Path
from types import TracebackType

from medcls.utils.redaction import text_without_secrets
from medcls.utils.texts import printable


class BadInputError(Exception):
    """Something the user gave cannot be used: one sentence that names it and says what to do (exit code 2)."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(text_without_secrets(sentence)))


class TrainingError(Exception):
    """One run cannot go on, the others can: one sentence that says why (the run is recorded as failed)."""

    def __init__(self, sentence: str) -> None:
        super().__init__(text_without_secrets(sentence))


def say_without_traceback() -> None:
    """Let Python say a BadInputError that nothing catches as commands do: one line on standard error, exit code 2."""
    before = sys.excepthook

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, BadInputError):
            before(kind, error, trace)
            return
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)

    sys.excepthook = say


def first_line(error: Exception, *urls: str) -> str:
    """Return the first line of what an error says, without a full stop; its kind where it says nothing.

    The secrets of the URLs at which it was raised are left out.
    """
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text_without_secrets(line, *urls).rstrip(".")
