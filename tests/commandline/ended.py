"""How a command ended, and whether it complained as it should."""

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
        assert program in ("bonus_resnet", "tiny_study", "medcls", "medcls run"), self
        assert sentence.endswith("."), sentence
        for word in words:
            assert str(word) in sentence, sentence
