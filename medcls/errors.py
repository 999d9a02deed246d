"""The errors that a user can mend, and what their sentences must not tell."""

import re


class BadInputError(Exception):
    """Something the user gave cannot be used: one sentence that names it and says what to do (exit code 2)."""

    def __init__(self, sentence: str) -> None:
        super().__init__("".join(each if each.isprintable() else repr(each)[1:-1] for each in sentence))


class TrainingError(Exception):
    """One run cannot go on, the others can: one sentence that says why (the run is recorded as failed)."""


def without_password(uri: str) -> str:
    """Return a URI without the name and password in it."""
    return re.sub(r"(?<=://)[^/@]*@", "", uri)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, without a full stop; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
