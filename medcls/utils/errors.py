"""Errors that a user can correct; their messages never contain a password."""

import sys
from pathlib import Path
from types import TracebackType

from medcls.utils.redaction import text_without_secrets
from medcls.utils.texts import printable


class BadInputError(Exception):
    """Bad input of the user: one sentence that names the file or flag and says what to do (exit code 2)."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(text_without_secrets(sentence)))


class TrainingError(Exception):
    """One run cannot continue, though others can: one sentence that says why (the run is recorded as failed)."""

    def __init__(self, sentence: str) -> None:
        super().__init__(text_without_secrets(sentence))


def say_without_traceback() -> None:
    """Let Python print an uncaught BadInputError as one line on standard error and exit with code 2."""
    before = sys.excepthook

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, BadInputError):
            before(kind, error, trace)
            return
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)

    sys.excepthook = say


def first_line(error: Exception, *urls: str) -> str:
    """Return the first line of an error's message without its full stop; the error's type if there is no message.

    Args:
        error: the error.
        urls: URLs whose secrets are removed from the message.
    """
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text_without_secrets(line, *urls).rstrip(".")
