"""Cutting a data set so that every class keeps its share and no patient is divided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.errors import BadInputError
from medcls.lazy import lazy

model_selection = lazy("sklearn.model_selection")

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Each image's class and patient; where patients are unknown, every image is a patient of its own.

    Attributes:
        labels: of shape (n,).
        patients: the number of each image's patient, of shape (n,).
        known: whether these are real patients.
        classes: the names of the classes, for messages.
    """

    labels: Rows
    patients: Rows
    known: bool
    classes: Sequence[str]

    @classmethod
    def of(cls, labels: Rows, patients: NDArray[np.str_] | None, classes: Sequence[str]) -> "Grouping":
        """Return the grouping of a data set."""
        if patients is None:
            return cls(labels, np.arange(len(labels)), known=False, classes=classes)
        return cls(labels, np.unique(patients, return_inverse=True)[1], known=True, classes=classes)

    def hold_out(self, rows: Rows, share: float, seed: tuple[int, ...]) -> tuple[Rows, Rows]:
        """Return the rows kept and those held out: `share` of each class, as near as patients allow.

        Patients are asked in random order; one is held out if that brings the classes nearer to their shares.
        """
        self._check(rows, 2, "hold some out")
        patients, number = np.unique(self.patients[rows], return_inverse=True)
        present, label = np.unique(self.labels[rows], return_inverse=True)
        counts = np.zeros((len(patients), len(present)))
        np.add.at(counts, (number, label), 1)
        total = counts.sum(axis=0)
        missing = np.maximum(share * total, 1)
        chosen = np.zeros(len(patients), bool)
        for patient in np.random.default_rng(seed).permutation(len(patients)):
            after = missing - counts[patient]
            if np.sum((after / total) ** 2) < np.sum((missing / total) ** 2):
                missing, chosen[patient] = after, True
        for each in range(len(present)):
            having = np.flatnonzero(counts[:, each])
            if not chosen[having].any():  # its patients are all too large: the smallest goes
                chosen[having[counts[having].sum(axis=1).argmin()]] = True
        return self._checked(rows[~chosen[number]], rows[chosen[number]])

    def folds(self, rows: Rows, count: int, seed: int) -> list[tuple[Rows, Rows]]:
        """Return (kept rows, rows of the fold) for each of `count` folds."""
        self._check(rows, count, f"cut {count} folds")
        labels = self.labels[rows]
        if self.known:
            # numbered at random: scikit-learn before 1.8 loses the strata when it shuffles groups itself
            numbers = np.random.default_rng(seed).permutation(self.patients.max() + 1)
            cutter = model_selection.StratifiedGroupKFold(count)
            cuts = cutter.split(labels, labels, numbers[self.patients[rows]])
        else:
            cuts = model_selection.StratifiedKFold(count, shuffle=True, random_state=seed).split(labels, labels)
        return [self._checked(rows[kept], rows[out]) for kept, out in cuts]

    def _check(self, rows: Rows, needed: int, purpose: str) -> None:
        """Refuse a class with fewer images, or patients, than needed."""
        for label in np.unique(self.labels):
            count = len(np.unique(self.patients[rows[self.labels[rows] == label]]))
            if count < needed:
                unit = "patients" if self.known else "images"
                raise BadInputError(
                    f"Class {self._name(label)} has {count} {unit} to train on, too few to {purpose}: "
                    f"at least {needed} are needed."
                )

    def _checked(self, kept: Rows, out: Rows) -> tuple[Rows, Rows]:
        """Return both sides of a cut if each has every class."""
        for label in np.unique(self.labels):
            if not (self.labels[kept] == label).any() or not (self.labels[out] == label).any():
                raise BadInputError(
                    f"The patients of class {self._name(label)} cannot be shared out without dividing one: "
                    f"use fewer folds or another split seed."
                )
        return kept, out

    def _name(self, label: int) -> str:
        return self.classes[label] if self.classes else str(label)
