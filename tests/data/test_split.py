"""Splits: laws that hold for every data set, and what is refused."""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcls import BadInputError
from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, Split
from medcls.data.split import split

SEEDS = st.integers(0, 2**32 - 1)


def cut(
    counts: Sequence[int], folds: int | None, fold: int | None = None, seed: int = 0, part: str = UNSPLIT
) -> tuple[np.ndarray, Split]:
    """Return the labels and the split of images without patients, all of one part."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return labels, split(labels, np.full(len(labels), part), None, fold=fold, folds=folds, seed=seed)


def parts_of(rows: Split) -> tuple[np.ndarray, ...]:
    return rows.train, rows.validation, rows.test


@st.composite
def with_patients(draw: st.DrawFn, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and patients, each class with patients enough; some have images of two classes."""
    generator = np.random.default_rng(draw(SEEDS))
    classes = draw(st.integers(2, 4))
    mixed = draw(st.booleans())
    labels: list[int] = []
    patients: list[str] = []
    for label in range(classes):
        for number in range(draw(st.integers(2 * folds + 4, 20))):
            size = int(generator.integers(1, 6))
            labels += [label] * size
            patients += [f"{label}-{number}"] * size
            if mixed and number == 0:
                labels.append((label + 1) % classes)
                patients.append(f"{label}-{number}")
    order = generator.permutation(len(labels))
    return np.array(labels)[order], np.array(patients)[order]


@settings(max_examples=40)
@given(st.data(), st.sampled_from([None, 2, 3, 5]), SEEDS)
def test_patients_and_images_are_in_one_part_and_all_are_used(
    data: st.DataObject, folds: int | None, seed: int
) -> None:
    labels, patients = data.draw(with_patients(folds or 2))
    unsplit = np.full(len(labels), UNSPLIT)
    choices = [None] if folds is None else [None, *range(folds)]
    cuts = [split(labels, unsplit, patients, fold=fold, folds=folds, seed=seed) for fold in choices]
    for rows in cuts:
        assert sorted(np.concatenate(parts_of(rows))) == list(range(len(labels)))
        held = [set(patients[part]) for part in parts_of(rows)]
        assert sum(map(len, held)) == len(set(patients))
        np.testing.assert_array_equal(rows.test, cuts[0].test)
        for part in (rows.train, rows.validation, *([rows.test] if folds else [])):
            assert set(labels[part]) == set(labels)
    if folds:
        validations = np.concatenate([rows.validation for rows in cuts[1:]])
        assert len(validations) == len(set(validations))
        assert set(validations) == set(range(len(labels))) - set(cuts[0].test)


@given(st.lists(st.integers(12, 60), min_size=2, max_size=9), st.sampled_from([2, 3, 5, 8]), SEEDS)
def test_every_class_keeps_its_share_to_the_image(counts: list[int], folds: int, seed: int) -> None:
    labels, refit = cut(counts, folds, None, seed)
    number = np.array(counts)
    test = np.bincount(labels[refit.test])
    assert (abs(test - 0.2 * number) <= 0.5).all()
    pool = number - test
    assert (abs(np.bincount(labels[refit.validation]) - 0.15 * pool) <= 0.5).all()
    for fold in range(folds):
        validation = np.bincount(labels[cut(counts, folds, fold, seed)[1].validation])
        assert (abs(validation - pool / folds) < 1).all()
    single = cut(counts, None, None, seed)[1]
    assert (abs(np.bincount(labels[single.validation]) - 0.2 * number) <= 0.5).all()
    assert len(single.test) == 0


@given(st.data(), SEEDS)
def test_with_patients_the_share_is_met_to_half_the_largest_patient(data: st.DataObject, seed: int) -> None:
    sizes = [data.draw(st.lists(st.integers(1, 6), min_size=12, max_size=40)) for _ in range(3)]
    labels = np.concatenate([np.full(sum(each), label) for label, each in enumerate(sizes)])
    patients = np.concatenate(
        [np.repeat([f"{label}-{n}" for n in range(len(each))], each) for label, each in enumerate(sizes)]
    )
    rows = split(labels, np.full(len(labels), UNSPLIT), patients, fold=None, folds=None, seed=seed)
    for label, each in enumerate(sizes):
        held = (labels[rows.validation] == label).sum()
        assert abs(held - 0.2 * sum(each)) <= max(each) / 2


@settings(max_examples=10)
@given(st.data(), SEEDS)
def test_folds_by_patients_are_stratified(data: st.DataObject, seed: int) -> None:
    labels, patients = data.draw(with_patients(5))
    parts = np.full(len(labels), TRAIN)
    parts[:1] = TEST
    total = np.bincount(labels[1:])
    for fold in range(5):
        rows = split(labels, parts, patients, fold=fold, folds=5, seed=seed)
        assert (abs(np.bincount(labels[rows.validation]) - total / 5) <= 7).all()  # a patient has 6 images at most


@pytest.mark.parametrize(
    ("present", "folds", "pool", "validation", "test"),
    [
        ((TRAIN, VALIDATION, TEST), None, TRAIN, VALIDATION, TEST),
        ((TRAIN, VALIDATION), None, TRAIN, VALIDATION, None),
        ((TRAIN, TEST), None, TRAIN, TRAIN, TEST),
        ((TRAIN,), None, TRAIN, TRAIN, None),
        ((UNSPLIT, TEST), None, UNSPLIT, UNSPLIT, TEST),
        ((TRAIN, VALIDATION, TEST), 5, TRAIN, TRAIN, TEST),
        ((TRAIN, VALIDATION), 5, TRAIN, TRAIN, VALIDATION),
        ((TRAIN, TEST), 5, TRAIN, TRAIN, TEST),
        ((TRAIN,), 5, TRAIN, TRAIN, TRAIN),
        ((UNSPLIT, TEST), 5, UNSPLIT, UNSPLIT, TEST),
    ],
)
def test_given_parts_are_respected(
    present: tuple[str, ...], folds: int | None, pool: str, validation: str, test: str | None
) -> None:
    parts = np.repeat(present, 40)
    labels = np.tile([0, 1], len(parts) // 2)
    for fold in (None,) if folds is None else (None, 0, 4):
        rows = split(labels, parts, None, fold=fold, folds=folds, seed=0)
        assert set(parts[rows.train]) == {pool}
        assert set(parts[rows.validation]) == {validation}
        assert set(parts[rows.test]) == ({test} if test is not None else set())
        whole = {pool, validation} | ({test} if test is not None else set())
        assert sorted(np.concatenate(parts_of(rows))) == np.flatnonzero(np.isin(parts, list(whole))).tolist()


@given(SEEDS, st.sampled_from([(None, None), (None, 5), (2, 5)]))
def test_a_seed_decides_everything(seed: int, choice: tuple[int | None, int | None]) -> None:
    fold, folds = choice
    first, again = cut([40, 30], folds, fold, seed)[1], cut([40, 30], folds, fold, seed)[1]
    for one, other in zip(parts_of(first), parts_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("choice", [(None, None), (None, 5), (2, 5)])
@pytest.mark.parametrize("known", [False, True])
def test_another_seed_splits_otherwise(choice: tuple[int | None, int | None], known: bool) -> None:
    fold, folds = choice
    labels, patients = np.tile([0, 1], 60), np.repeat(np.arange(30).astype(str), 4)
    validations = [
        split(labels, np.full(120, TRAIN), patients if known else None, fold=fold, folds=folds, seed=seed).validation
        for seed in range(5)
    ]
    assert all(set(one) != set(other) for one, other in pairwise(validations))


@pytest.mark.parametrize(
    ("counts", "folds", "message"),
    [
        ((20, 1), None, "Class Nev has 1 image .*at least 2"),
        ((20, 5), 5, "Class Nev has 5 images .*5 folds and a held-out test set need at least 6"),
        ((20, 20), 1, "folds=1"),
    ],
)
def test_too_few_images_of_a_class_are_refused(counts: tuple[int, int], folds: int | None, message: str) -> None:
    labels = np.repeat([0, 1], counts)
    with pytest.raises(BadInputError, match=message):
        split(labels, np.full(len(labels), UNSPLIT), None, fold=None, folds=folds, seed=0, classes=("Mel", "Nev"))


@pytest.mark.parametrize("folds", [None, 3])
def test_too_few_patients_of_a_class_are_refused(folds: int | None) -> None:
    labels = np.repeat([0, 1], 30)
    patients = np.array([f"a{number}" for number in range(30)] + ["b"] * 30)
    with pytest.raises(BadInputError, match="Class 1 has 1 patient to"):
        split(labels, np.full(60, TRAIN), patients, fold=None, folds=folds, seed=0)


def test_patients_that_cannot_be_shared_out_are_refused() -> None:
    labels = np.array([0, 1, 0, 1, 2, 2])  # classes 0 and 1 have both their patients in common with class 2
    patients = np.array(["p", "p", "q", "q", "p", "q"])
    rows = split(labels, np.full(6, TRAIN), patients, fold=None, folds=None, seed=0)
    assert set(labels[rows.train]) == set(labels[rows.validation]) == {0, 1, 2}
    labels = np.array([0, 0, 1, 1, 2, 2])
    patients = np.array(["p", "q", "q", "r", "r", "p"])
    with pytest.raises(BadInputError, match="cannot be shared out"):
        split(labels, np.full(6, TRAIN), patients, fold=None, folds=None, seed=0)


@given(st.integers(1, 2**32 - 1), st.booleans())
def test_a_seed_draws_train_and_validation_anew_and_leaves_the_test_part(seed: int, known: bool) -> None:
    parts = np.repeat([TRAIN, VALIDATION, TEST], [60, 20, 12])
    labels, patients = np.tile([0, 1], 46), np.arange(92) // 2 % 40
    rows = split(labels, parts, patients.astype(str) if known else None, fold=None, folds=None, seed=seed)
    assert set(parts[rows.test]) == {TEST}
    assert sorted([*rows.train, *rows.validation]) == list(range(80))
    assert abs(len(rows.validation) - 20) <= (2 if known else 0)
    assert abs(np.bincount(labels[rows.validation])[0] - 10) <= (1 if known else 0)
    assert not known or not set(patients[rows.train]) & set(patients[rows.validation])
    assert set(rows.validation) != set(range(60, 80))


@st.composite
def few_patients(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and patients of a small set in which cuts are rare: up to 7 patients, some of several classes."""
    classes = draw(st.integers(2, 3))
    held = draw(st.lists(st.lists(st.integers(0, 3), min_size=classes, max_size=classes), min_size=2, max_size=7))
    rows = [
        (label, number) for number, counts in enumerate(held) for label in range(classes) for _ in range(counts[label])
    ]
    rows += [(label, len(held) + label) for label in range(classes)]  # each class occurs
    labels, patients = zip(*rows, strict=True)
    return np.array(labels), np.array([f"p{number}" for number in patients])


def is_cuttable(labels: np.ndarray, patients: np.ndarray, sides: int) -> bool:
    """Tell whether some way of all ways to share patients out gives every side every class."""
    names, classes = np.unique(patients), len(np.unique(labels))
    pairs = {(patient, label) for patient, label in zip(patients.tolist(), labels.tolist(), strict=True)}
    holds = np.array([[(name, label) in pairs for label in range(classes)] for name in names.tolist()])
    for shared in product(range(sides), repeat=len(names)):
        if all(holds[np.array(shared) == side].any(axis=0).all() for side in range(sides)):
            return True
    return False


@settings(max_examples=150)
@given(few_patients(), st.sampled_from([(None, UNSPLIT), (2, UNSPLIT), (3, UNSPLIT), (2, TEST), (3, TEST)]), SEEDS)
def test_a_cut_is_refused_only_where_none_exists(
    rows: tuple[np.ndarray, np.ndarray], choice: tuple[int | None, str], seed: int
) -> None:
    (labels, patients), (folds, last) = rows, choice
    classes = len(np.unique(labels))
    parts = np.full(len(labels), UNSPLIT, "U10")
    if last == TEST:  # the test set is given, so folds alone are to be cut
        labels, patients = np.append(labels, np.arange(classes)), np.append(patients, ["t"] * classes)
        parts = np.append(parts, [TEST] * classes)
    sides = 2 if folds is None else folds + (last != TEST)
    exists = is_cuttable(labels[parts != TEST], patients[parts != TEST], sides)
    choices = [None] if folds is None else [None, *range(folds)]
    if not exists:
        with pytest.raises(BadInputError, match="need"):
            split(labels, parts, patients, fold=None, folds=folds, seed=seed)
        return
    cuts = [split(labels, parts, patients, fold=fold, folds=folds, seed=seed) for fold in choices]
    for rows_of in cuts:
        held = [set(patients[part].tolist()) for part in parts_of(rows_of)]
        assert sum(map(len, held)) == len(set(patients.tolist()))
        for part in (rows_of.train, rows_of.validation, *([rows_of.test] if folds else [])):
            assert len(np.unique(labels[part])) == classes
        np.testing.assert_array_equal(rows_of.test, cuts[0].test)


@pytest.mark.parametrize("sizes", [(1, 1, 6, 6), (1, 2, 3, 9), (4, 4, 4, 4)])
def test_no_more_patients_of_a_rare_class_are_held_out_than_leave_one_for_each_fold(sizes: tuple[int, ...]) -> None:
    labels = np.repeat([0, 1], [36, sum(sizes)])
    patients = np.array([f"a{number // 3}" for number in range(36)] + [f"b{n}" for n in np.repeat(range(4), sizes)])
    refit = split(labels, np.full(len(labels), UNSPLIT), patients, fold=None, folds=3, seed=0)
    assert len(set(patients[refit.test][labels[refit.test] == 1])) == 1
    assert abs(int((labels[refit.test] == 0).sum()) - 0.2 * 36) <= 1.5
    for fold in range(3):
        validation = split(labels, np.full(len(labels), UNSPLIT), patients, fold=fold, folds=3, seed=0).validation
        assert len(set(patients[validation][labels[validation] == 1])) == 1
        assert 6 <= (labels[validation] == 0).sum() <= 15


def test_what_a_class_of_too_few_patients_would_need_is_said() -> None:
    labels, patients = (
        np.repeat([0, 1], [12, 6]),
        np.array([f"a{n}" for n in range(12)] + ["x", "x", "y", "y", "z", "z"]),
    )
    with pytest.raises(
        BadInputError,
        match=r"Class Nev has 3 patients .*3 folds and a held-out test set need at least 4: .*of your own",
    ):
        split(labels, np.full(18, UNSPLIT), patients, fold=0, folds=3, seed=0, classes=("Mel", "Nev"))


def test_patients_of_many_classes_each_are_shared_out_in_time() -> None:
    generator = np.random.default_rng(0)
    holds = generator.random((60, 12)) < 0.25
    patients, labels = np.nonzero(holds)
    for fold in (None, 0, 4):
        rows = split(labels, np.full(len(labels), UNSPLIT), patients.astype(str), fold=fold, folds=5, seed=0)
        assert all(len(np.unique(labels[part])) == 12 for part in parts_of(rows))
