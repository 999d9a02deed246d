"""Patients by a short digest, wherever something leaves the run folders: no store and no model card names them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from medcls.data.leaks import Finding
from medcls.data.types import Bundle, Decoded

DIGITS = 6  # of a digest: enough to tell a few hundred patients apart
EXAMPLES = "e.g. "  # the words after which a finding's sentence has names


class Pseudonyms:
    """What the patients of a data set are called outside, the same in everything that is written of the data set.

    Args:
        data: the data set; without known patients, every name stays as it is.
    """

    def __init__(self, data: Bundle | Decoded) -> None:
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
            return self.text(name)
        return "".join(self._without(piece, self._patient_of.get(piece, "")) for piece in pieces)

    def text(self, text: str) -> str:
        """Return a text without the identifiers of any patient of the data set."""
        for patient in self._longest_first:
            if patient in text:
                text = self._without(text, patient)
        return text

    def finding(self, finding: Finding) -> Finding:
        """Return a finding without the identifiers of patients."""
        before, examples, names = finding.sentence.partition(EXAMPLES)
        sentence = before + examples + self.text(names) if examples else self.text(finding.sentence)
        return replace(finding, sentence=sentence, names=tuple(self.file(name) for name in finding.names))

    def _without(self, text: str, patient: str) -> str:
        """Return a text with a patient's identifier replaced where it is no part of a longer word or number."""
        if not patient:
            return text
        return re.sub(rf"(?<![^\W_]){re.escape(patient)}(?![^\W_])", self.of(patient), text)

    @cached_property
    def _patient_of(self) -> dict[str, str]:
        patients = [] if self._data.patients is None else self._data.patients.tolist()
        return dict(zip(self._data.names, patients, strict=False))

    @cached_property
    def _patients(self) -> frozenset[str]:
        return frozenset(self._patient_of.values())

    @cached_property
    def _longest_first(self) -> list[str]:
        return sorted(self._patients, key=len, reverse=True)
