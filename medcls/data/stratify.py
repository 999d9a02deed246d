"""Cutting a data set so that every class keeps its share and no patient is divided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medcls.data.finding import counted
from medcls.data.sharing import Sharing
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import sklearn

Rows = NDArray[np.int64]
Counts = NDArray[np.float64]
Chosen = NDArray[np.bool_]


class Purpose(NamedTuple):
    """What patients are divided for, as the messages say it.

    Attributes:
        words: the subject and verb of a sentence, e.g. "5 folds need".
        needed: how many sets of patients are needed.
        remedy: what the user can do where there are too few.
    """

    words: str
    needed: int
    remedy: str


@dataclass(frozen=True, eq=False)
class Grouping:
    """Each image's class and patient; where patients are unknown, every image is a patient of its own.

    Attributes:
        labels: of shape (n,).
        patients: the number of each image's patient, of shape (n,).
        has_patients: whether the patients are known.
        classes: the names of the classes, for messages.
    """

    labels: Rows
    patients: Rows
    has_patients: bool
    classes: Sequence[str]

    @classmethod
    def of(cls, labels: Rows, patients: NDArray[np.str_] | None, classes: Sequence[str]) -> "Grouping":
        """Return the grouping of a data set.

        Args:
            labels: the class of each image, of shape (n,).
            patients: the patient of each image, of shape (n,), or None where unknown.
            classes: the names of the classes, for messages.
        """
        if patients is None:
            return cls(labels, np.arange(len(labels)), has_patients=False, classes=classes)
        return cls(labels, np.unique(patients, return_inverse=True)[1], has_patients=True, classes=classes)

    def hold_out(self, rows: Rows, share: float, seed: tuple[int, ...], *, folds: int = 1) -> tuple[Rows, Rows]:
        """Return the kept rows and the held-out rows: `share` of each class, as near as patients allow.

        Patients are tried in random order; one is held out if that brings the classes nearer to their shares. Where
        this leaves a side without a class, or no folds to cut, patients are held out only if a cut stays possible.

        Args:
            rows: to choose from.
            share: of each class's images to hold out.
            seed: of the order of patients.
            folds: into how many folds the kept rows will be cut; 1 (by default) for none.

        Raises:
            BadInputError: there is no such cut.
        """
        purpose = Purpose("a training and a validation set need", 2, "add some")
        if folds > 1:
            remedy = "add some, use fewer folds, or give a test set of your own"
            purpose = Purpose(f"{folds} folds and a held-out test set need", folds + 1, remedy)
        self._check(rows, purpose)
        numbers, number = np.unique(self.patients[rows], return_inverse=True)
        counts = self._counts(rows, number, len(numbers))
        order = np.random.default_rng(seed).permutation(len(numbers))
        chosen = _nearest(counts, share, order)
        sharing = Sharing.of(counts > 0)
        kept = tuple(np.bincount(sharing.kind[~chosen], minlength=len(sharing.kinds)).tolist())
        if not counts[chosen].any(axis=0).all() or not sharing.is_possible(kept, folds):
            chosen = _nearest_possible(counts, share, order, sharing, folds)
            if not counts[chosen].any(axis=0).all():
                raise _indivisible(purpose)
        return rows[~chosen[number]], rows[chosen[number]]

    def folds(self, rows: Rows, count: int, seed: int) -> list[tuple[Rows, Rows]]:
        """Return (kept rows, rows of the fold) for each of `count` folds.

        Args:
            rows: to cut.
            count: how many folds.
            seed: of the order of images or patients.

        Raises:
            BadInputError: there are no such folds.
        """
        purpose = Purpose(f"{count} folds need", count, "add some or use fewer folds")
        self._check(rows, purpose)
        labels = self.labels[rows]
        if not self.has_patients:
            cuts = sklearn.model_selection.StratifiedKFold(count, shuffle=True, random_state=seed).split(labels, labels)
            return [(rows[kept], rows[out]) for kept, out in cuts]
        # numbered at random: scikit-learn before 1.8 loses the strata when it shuffles groups itself
        numbers = np.random.default_rng(seed).permutation(self.patients.max() + 1)[self.patients[rows]]
        cutter = sklearn.model_selection.StratifiedGroupKFold(count)
        folds = [out for _, out in cutter.split(labels, labels, numbers)]
        if any(len(np.unique(labels[out])) < len(np.unique(labels)) for out in folds):
            folds = self._possible_folds(rows, numbers, purpose)
        return [(np.delete(rows, out), rows[out]) for out in folds]

    def _possible_folds(self, rows: Rows, numbers: Rows, purpose: Purpose) -> list[Rows]:
        """Return the positions in `rows` of each fold: a few patients who give it every class, and then a share.

        Patients with the most images come first; each goes to the fold that this brings nearest to its share.

        Args:
            rows: to cut.
            numbers: the number of each row's patient, of the shape of `rows`.
            purpose: of the cut; it needs as many sets of patients as there are folds.

        Raises:
            BadInputError: there are no such folds.
        """
        count, number = purpose.needed, np.unique(numbers, return_inverse=True)[1]
        counts = self._counts(rows, number, int(number.max()) + 1)
        largest = np.argsort(-counts.sum(axis=1), kind="stable")
        cores = Sharing.of(counts > 0).cores(largest[::-1], count)
        if cores is None:
            raise _indivisible(purpose)
        fold_of = np.full(len(counts), -1)
        for fold, core in enumerate(cores):
            fold_of[core] = fold
        total, held = counts.sum(axis=0), np.stack([counts[core].sum(axis=0) for core in cores])
        for patient in largest[fold_of[largest] < 0]:
            after = held + counts[patient]
            nearness = np.sum(((after - total / count) / total) ** 2 - ((held - total / count) / total) ** 2, axis=1)
            fold_of[patient] = nearness.argmin()
            held[nearness.argmin()] += counts[patient]
        return [np.flatnonzero(fold_of[number] == fold) for fold in range(count)]

    def _counts(self, rows: Rows, number: Rows, patients: int) -> Counts:
        """Return how many images each patient has of each class, of shape (patients, classes that occur)."""
        present, label = np.unique(self.labels[rows], return_inverse=True)
        counts = np.zeros((patients, len(present)))
        np.add.at(counts, (number, label), 1)
        return counts

    def _check(self, rows: Rows, purpose: Purpose) -> None:
        """Refuse a class with fewer images, or patients, than needed."""
        for label in np.unique(self.labels):
            count = len(np.unique(self.patients[rows[self.labels[rows] == label]]))
            if count < purpose.needed:
                unit = "patient" if self.has_patients else "image"
                raise BadInputError(
                    f"Class {self._name(label)} has {counted(count, unit)} to train on, and {purpose.words} at least "
                    f"{purpose.needed}: {purpose.remedy}."
                )

    def _name(self, label: int) -> str:
        return self.classes[label] if self.classes else str(label)


def _indivisible(purpose: Purpose) -> BadInputError:
    """Return the error for patients of several classes who leave no cut with every class on every side."""
    return BadInputError(
        f"The patients cannot be shared out without dividing one: {purpose.words} {purpose.needed} sets of patients "
        f"that each have every class, and too many patients have images of several; {purpose.remedy}."
    )


def _nearest(counts: Counts, share: float, order: Rows) -> Chosen:
    """Return which patients to hold out so that each class comes near to its share, of shape (patients,)."""
    total = counts.sum(axis=0)
    missing = np.maximum(share * total, 1)
    chosen = np.zeros(len(counts), bool)
    for patient in order:
        after = missing - counts[patient]
        if np.sum((after / total) ** 2) < np.sum((missing / total) ** 2):
            missing, chosen[patient] = after, True
    for label in range(counts.shape[1]):
        having = np.flatnonzero(counts[:, label])
        if not chosen[having].any():  # all its patients have too many images: take the one with the fewest
            chosen[having[counts[having].sum(axis=1).argmin()]] = True
    return chosen


def _nearest_possible(counts: Counts, share: float, order: Rows, sharing: Sharing, folds: int) -> Chosen:
    """Return which patients to hold out so that each class comes near to its share and every side has every class."""
    total = counts.sum(axis=0)
    missing = np.maximum(share * total, 1)
    chosen = np.zeros(len(counts), bool)
    left, lacking = list(sharing.counts), sharing.everything

    def may_go(patient: int) -> bool:
        kind = sharing.kind[patient]
        fewer = list(left)
        fewer[kind] -= 1
        return sharing.is_possible(tuple(fewer), folds, lacking - sharing.kinds[kind])

    def go(patient: int) -> None:
        nonlocal lacking
        chosen[patient] = True
        left[sharing.kind[patient]] -= 1
        lacking -= sharing.kinds[sharing.kind[patient]]

    for patient in order.tolist():
        after = missing - counts[patient]
        if np.sum((after / total) ** 2) < np.sum((missing / total) ** 2) and may_go(patient):
            missing = after
            go(patient)
    for patient in np.argsort(
        counts.sum(axis=1), kind="stable"
    ).tolist():  # those with the fewest images go where a class lacks
        if not chosen[patient] and lacking & sharing.kinds[sharing.kind[patient]] and may_go(patient):
            go(patient)
    return chosen
