"""The errors that a user can mend."""


class BadInputError(Exception):
    """Something the user gave cannot be used: one sentence that names it and says what to do (exit code 2)."""

    def __init__(self, sentence: str) -> None:
        super().__init__("".join(each if each.isprintable() else repr(each)[1:-1] for each in sentence))


class TrainingError(Exception):
    """One run cannot go on, the others can: one sentence that says why (the run is recorded as failed)."""
