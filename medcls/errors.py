"""The errors that a user can mend; their sentences never tell a password."""

from medcls.redaction import text_without_secrets


class BadInputError(Exception):
    """Something the user gave cannot be used: one sentence that names it and says what to do (exit code 2)."""

    def __init__(self, sentence: str) -> None:
        shown = text_without_secrets(sentence)
        super().__init__("".join(each if each.isprintable() else repr(each)[1:-1] for each in shown))


class TrainingError(Exception):
    """One run cannot go on, the others can: one sentence that says why (the run is recorded as failed)."""

    def __init__(self, sentence: str) -> None:
        super().__init__(text_without_secrets(sentence))


def first_line(error: Exception, *urls: str) -> str:
    """Return the first line of what an error says, without a full stop; its kind where it says nothing.

    The secrets of the URLs at which it was raised are left out.
    """
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text_without_secrets(line, *urls).rstrip(".")
