"""How a command ended, and whether it complained as it should."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def check_complaint(self, code: int, *words: object) -> None:
        """Check that it ended with this code and one sentence on standard error that has these words."""
        assert self.code == code, self
        assert self.err.count("\n") == 1, self.err
        program, sentence = self.err.rstrip("\n").split(": ", maxsplit=1)
        assert re.fullmatch(r"medcls( run)?|[a-z0-9]+_[a-z0-9_]+", program), self  # the command or a study
        assert sentence.endswith((".", "?")), sentence
        for word in words:
            assert str(word) in sentence, sentence
