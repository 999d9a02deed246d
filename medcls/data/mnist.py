"""Handwritten digits: MNIST (LeCun et al. 1998), or scikit-learn's smaller set where MNIST is not to be had."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medcls.data.classification_sets import opened
from medcls.data.content_hashes import Hashes
from medcls.data.dataset import TEST, TRAIN, VALIDATION, DatasetSpec
from medcls.data.from_arrays import toolkit
from medcls.data.patients import patients_known
from medcls.data.quality.repair import fingerprint_of
from medcls.data.request import Request
from medcls.data.resolve import builtin, located
from medcls.spec.constraints import constrained
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import sklearn

NAME = "mnist"
PUBLISHED = 60_000  # images of the published training set
TESTED = 1 / 7  # of all images are MNIST's test set
DIGITS = "scikit-learn's 1,797 real digits of 8x8 pixels, for want of MNIST (medcls data fetch mnist)"


@constrained(patients_known)
def mnist(
    hashes: Hashes,
    *,
    source: str = NAME,
    size: int = 28,
    channels: int = 1,
    validation: int = 5000,
    patients: str = "",
) -> DatasetSpec:
    """Return MNIST, some of its training images as validation set; without MNIST, scikit-learn's digits.

    Args:
        hashes: the remembered hashes of files.
        source: a folder or file with MNIST, or a built-in name, "mnist" by default.
        size: height and width of the images in pixels, 28 by default.
        channels: 1 (grey) or 3 (RGB), 1 by default.
        validation: how many of 60,000 training images form the validation set, an equal share of each class, 5,000 by
            default; of a smaller training set as many in proportion, none where the data set has a validation set.
        patients: whose the images are, where they are files; by default what the files say (`patients.with_patients`).

    Raises:
        BadInputError: a source that cannot be used, or a number that makes no sense.
    """
    if not 0 < validation < PUBLISHED:
        raise BadInputError(f"data.validation={validation}: hold some of the {PUBLISHED:,} training images.")
    if builtin(source) == NAME and located(NAME) is None:
        Request(NAME, source, size, channels, patients).refuse_patients("these digits are scikit-learn's")
        return _digits(size, channels, validation)
    bundle = opened(hashes, Request(NAME, source, size, channels, patients))
    if bundle.patients is not None:
        return bundle  # a study holds some for validation itself and divides no patient
    parts = _with_validation(bundle.labels, bundle.parts, validation)
    held = replace(bundle, parts=parts)
    return held if bundle.kind != "files" else replace(held, fingerprint=fingerprint_of(held))


def _digits(size: int, channels: int, validation: int) -> DatasetSpec:
    Request(NAME, NAME, size, channels).check_shape()
    digits = sklearn.datasets.load_digits()
    labels, pixels = digits.target.astype(np.int64), np.rint(digits.images * (255 / 16)).astype(np.uint8)
    parts = np.full(len(labels), TRAIN, "U10")
    parts[_stratified(labels, np.arange(len(labels)), round(TESTED * len(labels)))] = TEST
    parts = _with_validation(labels, parts, validation)
    return toolkit(NAME, DIGITS, tuple("0123456789"), labels, parts, pixels, size=size, channels=channels)


def _with_validation(labels: NDArray[np.int64], parts: NDArray[np.str_], validation: int) -> NDArray[np.str_]:
    """Return the sets with some of the training set as validation set, unless there is one or too few images."""
    rows = np.flatnonzero(parts == TRAIN)
    counts = np.unique(labels[rows], return_counts=True)[1]
    held = round(len(rows) * validation / PUBLISHED)
    if (parts == VALIDATION).any() or held < len(counts) or counts.min() < 2:
        return parts
    changed = parts.astype("U10")
    changed[_stratified(labels, rows, held)] = VALIDATION
    return changed


def _stratified(labels: NDArray[np.int64], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return `count` of the rows, an equal share of each class."""
    _, chosen = sklearn.model_selection.train_test_split(rows, test_size=count, stratify=labels[rows], random_state=0)
    return np.sort(chosen)
