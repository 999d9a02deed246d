"""The split of a data set into the training, validation and test set of a run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, Split
from medcls.data.stratify import Grouping
from medcls.utils.errors import BadInputError

HELD_OUT = 0.2  # of all images, where the data set comes without the set that is needed
STOPPING = 0.15  # of the images that the refit may see, for stopping early


def split(
    labels: NDArray[np.int64],
    parts: NDArray[np.str_],
    patients: NDArray[np.str_] | None,
    *,
    fold: int | None,
    folds: int | None,
    seed: int,
    classes: Sequence[str] = (),
) -> Split:
    """Return the rows of a run's training, validation and test set.

    Without folds the validation set is the data set's own, or else a stratified fifth of the training set; a `seed`
    other than 0 draws training and validation set anew, the latter as large as before, so that the choice of images is
    among what varies (Bouthillier et al. 2021, "Accounting for variance").
    With folds the test set is the data set's own, or else its validation set, or else a stratified fifth of everything;
    the training set is cut into stratified folds, and fold k is the validation set. The refit (`fold` None) trains on
    all folds but for a stratified 15%, its validation set, by which it stops early. No cut divides a patient.

    Args:
        labels: the class of each image, of shape (n,).
        parts: the set of each image, TRAIN, VALIDATION, TEST or UNSPLIT, of shape (n,).
        patients: the patient of each image, of shape (n,), or None where unknown.
        fold: 0 to folds - 1, or None.
        folds: how many folds, or None for no cross-validation.
        seed: of all random choices; every fold and the refit have one test set. 0 keeps the sets that the data came
            with.
        classes: the names of the classes, for messages; () by default.

    Raises:
        BadInputError: fewer than 2 folds, or a class with too few images, or patients, to be in every set.
    """
    if folds is not None and folds < 2:
        raise BadInputError(f"folds={folds}: give at least 2, or none to compare on the validation set.")
    grouping = Grouping.of(labels, patients, classes)
    pool = np.flatnonzero((parts == TRAIN) | (parts == UNSPLIT))
    validation, test = np.flatnonzero(parts == VALIDATION), np.flatnonzero(parts == TEST)
    if folds is None:
        if not len(validation):
            pool, validation = grouping.hold_out(pool, HELD_OUT, (seed, 0))
        elif seed:
            both = np.union1d(pool, validation)
            pool, validation = grouping.hold_out(both, len(validation) / len(both), (seed, 0))
        return Split(pool, validation, test)
    test = test if len(test) else validation
    if not len(test):
        pool, test = grouping.hold_out(pool, HELD_OUT, (seed, 0), folds=folds)
    cut = grouping.folds(pool, folds, seed)
    train, validation = grouping.hold_out(pool, STOPPING, (seed, 1)) if fold is None else cut[fold]
    return Split(train, validation, test)
