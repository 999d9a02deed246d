"""Patients by a short digest, wherever something leaves the run directories: no store and no model card names them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from medcls.data.dataset import Dataset, DatasetSpec
from medcls.data.finding import Finding
from medcls.data.patients import NOT_TAKEN
from medcls.data.readers.suspicions import FOLDERS, SUSPECTED

COUNT = 3  # digits of what may be a count
DIGITS = 6  # of a digest: enough to tell a few hundred patients apart
EXAMPLES = re.compile(r"e\.g\. |such as ")  # the words after which a finding's sentence has names
SUPPOSED = (SUSPECTED, FOLDERS, NOT_TAKEN)  # kinds of findings whose names may be patients, although none are known


class Pseudonyms:
    """What the patients of a data set are called outside, the same in everything that is written of the data set.

    Args:
        data: the data set; without known patients, every name stays as it is.
    """

    def __init__(self, data: DatasetSpec | Dataset) -> None:
        self._data = data

    def of(self, patient: str) -> str:
        """Return what a patient is called."""
        digest = hashlib.sha256(f"{self._data.fingerprint}\0{patient}".encode("utf-8", "surrogatepass")).hexdigest()
        return f"patient {digest[:DIGITS]}"

    def files(self, rows: Iterable[int]) -> list[str]:
        """Return the names of the files in some rows, without their patients' identifiers."""
        return [self.file(self._data.names[row]) for row in rows]

    def file(self, name: str) -> str:
        """Return the name of a file, or of several that a finding names as one, without patients' identifiers."""
        if self._data.patients is None:
            return name
        if name in self._patients:
            return self.of(name)
        pieces = re.split(r"( = | \(| and \d+ more$| dropped$| moved$)", name)
        if pieces[0] not in self._patient_of:
            return self._text(name)
        return "".join(self._hide(piece, self._patient_of.get(piece, "")) for piece in pieces)

    def finding(self, finding: Finding) -> Finding:
        """Return a finding without the identifiers of patients, known or supposed."""
        call = self.of if finding.kind in SUPPOSED else self.file
        called = {name: call(name) for name in finding.names}
        words = EXAMPLES.search(finding.sentence)
        start = words.end() if words else 0
        examples = finding.sentence[start:]
        for name in sorted(called, key=len, reverse=True):
            examples = _replaced(examples, name, called[name])
        sentence = finding.sentence[:start] + self._text(examples)
        return replace(finding, sentence=sentence, names=tuple(called.values()))

    def _text(self, text: str) -> str:
        """Return a text without the identifiers of any patient, but those that could as well be a count."""
        for patient in self._telling:
            text = self._hide(text, patient)
        return text

    def _hide(self, text: str, patient: str) -> str:
        return _replaced(text, patient, self.of(patient)) if patient else text

    @cached_property
    def _patient_of(self) -> dict[str, str]:
        patients = [] if self._data.patients is None else self._data.patients.tolist()
        return dict(zip(self._data.names, patients, strict=False))

    @cached_property
    def _patients(self) -> frozenset[str]:
        return frozenset(self._patient_of.values())

    @cached_property
    def _telling(self) -> list[str]:
        telling = [patient for patient in self._patients if len(patient) > COUNT or not patient.isdecimal()]
        return sorted(telling, key=len, reverse=True)


def _replaced(text: str, word: str, by: str) -> str:
    """Return a text with a word replaced, in capitals or not, where it is no part of a longer word or number."""
    if word.casefold() not in text.casefold():
        return text
    return re.sub(rf"(?i)(?<![^\W_]){re.escape(word)}(?![^\W_])", lambda _: by, text)
