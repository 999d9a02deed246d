"""Which images a run trains on, is compared on and is tested on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, Split
from medcls.data.stratify import Grouping
from medcls.utils.errors import BadInputError

HELD_OUT = 0.2  # of all images, where the data set comes without the part that is needed
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
    """Return the rows that a run trains on, is compared on and is tested on.

    Without folds the comparison is on the validation part, or else on a stratified fifth of the train part; a `seed`
    other than 0 draws train and validation part anew, the latter as large as before, so that
    the choice of images, too, is among what varies (Bouthillier et al. 2021, "Accounting for variance").
    With folds the test part, or else the validation part, or else a stratified fifth of everything is held
    out from all of them; the train part is cut into stratified folds, and fold k is compared on. The refit
    (`fold` None) trains on all folds but for a stratified 15%, which tells it when to stop. No cut divides a
    patient.

    Args:
        labels: the class of each image, of shape (n,).
        parts: TRAIN, VALIDATION, TEST or UNSPLIT for each image, of shape (n,).
        patients: the patient of each image, of shape (n,), or None where unknown.
        fold: 0 to folds - 1, or None.
        folds: how many folds, or None for no cross-validation.
        seed: of all that is random here; the test rows are the same for every fold and the refit. 0 keeps the parts
            that the data came with.
        classes: the names of the classes, for messages.

    Raises:
        BadInputError: a class has too few images, or patients, to be in every part.
    """
    if folds is not None and folds < 2:
        raise BadInputError(f"folds={folds}: give at least 2, or none to compare on the validation part.")
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
