"""An exact search for a division of patients in which every side of a cut has every class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

State = tuple[tuple[int, ...], int, frozenset[int]]  # patients left of each kind, sides left, what the side lacks
Taken = tuple["Taken | None", int, int]  # what was taken before, the side, the kind of patient

NONE_LACKING: frozenset[int] = frozenset()
MOST_STATES = 20_000  # of a search, some seconds: patients of many classes each can make it endless


@dataclass(frozen=True, eq=False)
class Sharing:
    """The patients of a data set by kind: those who have images of the same classes are interchangeable.

    Attributes:
        kinds: the classes of each kind of patient.
        kind: the number of each patient's kind, of shape (patients,).
        everything: all classes.
    """

    kinds: tuple[frozenset[int], ...]
    kind: NDArray[np.int64]
    everything: frozenset[int]

    @classmethod
    def of(cls, holds: NDArray[np.bool_]) -> "Sharing":
        """Return the sharing of patients who have images of the classes in `holds`, of shape (patients, classes)."""
        rows, kind = np.unique(holds, axis=0, return_inverse=True)
        kinds = tuple(frozenset(np.flatnonzero(row).tolist()) for row in rows)
        return cls(kinds, kind.reshape(-1).astype(np.int64), frozenset(range(holds.shape[1])))

    @property
    def counts(self) -> tuple[int, ...]:
        """How many patients there are of each kind."""
        return tuple(np.bincount(self.kind, minlength=len(self.kinds)).tolist())

    def is_possible(self, counts: tuple[int, ...], sides: int, lacking: frozenset[int] = NONE_LACKING) -> bool:
        """Tell whether the patients left give each of `sides` sides every class, and a begun side what it lacks.

        Args:
            counts: how many patients are left of each kind.
            sides: how many sides have no patient yet.
            lacking: the classes that a side which was begun has not got yet.
        """
        return self._search(counts, sides, lacking) is not None

    def cores(self, order: NDArray[np.int64], sides: int) -> list[list[int]] | None:
        """Return for each side a few patients, the first of their kind in `order`, who give it every class.

        Returns:
            the patients' numbers by side; None if no way was found to share patients out so.
        """
        taken = self._search(self.counts, sides, NONE_LACKING)
        if taken is None:
            return None
        waiting: list[list[int]] = [[] for _ in self.kinds]
        for patient in order.tolist():
            waiting[self.kind[patient]].append(patient)
        cores: list[list[int]] = [[] for _ in range(sides)]
        for side, kind in taken:
            cores[side].append(waiting[kind].pop(0))
        for kind in self._plentiful(self.counts, sides):
            for core in cores:
                core.append(waiting[kind].pop(0))
        return cores

    def _plentiful(self, counts: tuple[int, ...], sides: int) -> list[int]:
        """Return the kinds of patients of a single class of which there is one for every side."""
        plentiful = []
        for kind, (labels, count) in enumerate(zip(self.kinds, counts, strict=True)):
            if len(labels) == 1 and count >= sides:
                plentiful.append(kind)
        return plentiful

    def _search(self, counts: tuple[int, ...], sides: int, lacking: frozenset[int]) -> list[tuple[int, int]] | None:
        """Return (side, kind of patient) for each patient that a side needs, None if no division was found.

        A class with a patient of its own for every side needs no search. Sides are filled one after the other, by the
        rarest class first, and no state is visited twice.
        """
        total = sides + bool(lacking)
        plenty = frozenset[int]().union(*(self.kinds[kind] for kind in self._plentiful(counts, total)))
        contested = self.everything - plenty
        if not contested:
            return []
        useful = [kind & contested for kind in self.kinds]
        # more patients of a kind than there are sides are of no use, and so is one without contested classes
        left = tuple(min(count, total) if kind else 0 for count, kind in zip(counts, useful, strict=True))
        waiting: list[tuple[State, Taken | None]] = [((left, sides, lacking & contested), None)]
        visited: set[State] = set()
        while waiting and len(visited) < MOST_STATES:
            (left, after, missing), taken = waiting.pop()
            if not missing and not after:
                return _listed(taken)
            if not missing:
                after, missing = after - 1, contested
            state = (left, after, missing)
            if state not in visited:
                visited.add(state)
                waiting += _steps(useful, state, taken, sides - 1 - after)
        return None


def _steps(
    useful: Sequence[frozenset[int]], state: State, taken: Taken | None, side: int
) -> list[tuple[State, Taken | None]]:
    """Return the states after one more patient with the rarest missing class, the most frugal choice last."""
    left, after, missing = state
    having = dict.fromkeys(sorted(missing), 0)
    for labels, count in zip(useful, left, strict=True):
        for label in labels & missing:
            having[label] += count
    rarest = min(having, key=lambda label: having[label])
    steps: list[tuple[State, Taken | None]] = []
    for kind in sorted(range(len(left)), key=lambda kind: -len(useful[kind])):
        if left[kind] and rarest in useful[kind]:
            fewer = (*left[:kind], left[kind] - 1, *left[kind + 1 :])
            steps.append(((fewer, after, missing - useful[kind]), (taken, side, kind)))
    return steps


def _listed(taken: Taken | None) -> list[tuple[int, int]]:
    choices = []
    while taken is not None:
        taken, side, kind = taken
        choices.append((side, kind))
    return choices
