"""Leaks: what is found, and that closing them leaves none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from medcls import BadInputError
from medcls.data.checks import cuts
from medcls.data.dataset import DatasetSpec
from medcls.data.finding import leaks
from medcls.data.quality.leaks import divided, found_in
from medcls.data.quality.repair import fixed, selected, without
from medcls.data.readers.records import Record, fingerprint

Row = tuple[str, str, str | None, str]  # part, class, patient, content


def bundle_of(rows: list[Row]) -> DatasetSpec:
    """Return a data set of such rows; its images are never asked for."""
    rows = sorted(rows, key=lambda row: (row[0], row[1], row[3]))
    classes = sorted({label for _, label, _, _ in rows})
    records = [Record(Path("x"), "x", label, part, patient) for part, label, patient, _ in rows]
    contents = tuple(content for *_, content in rows)

    def unseen(*_: int):
        raise AssertionError("an image was asked for")

    return DatasetSpec(
        name="mine",
        source="mine",
        layout="rows",
        kind="files",
        classes=tuple(classes),
        labels=np.array([classes.index(record.label) for record in records], np.int64),
        parts=np.array([record.part for record in records], np.str_),
        patients=None if rows[0][2] is None else np.array([record.patient for record in records], np.str_),
        names=tuple(f"{part}/{label}/{number}" for number, (part, label, _, _) in enumerate(rows)),
        contents=contents,
        fingerprint=fingerprint(records, contents),
        size=8,
        channels=1,
        render=unseen,
        stored=unseen,
    )


def copies_in(bundle: DatasetSpec) -> np.ndarray:
    """Return groups of copies: contents that begin with the same letter."""
    return np.unique([content[0] for content in bundle.contents], return_inverse=True)[1].astype(np.int64)


def kinds(bundle: DatasetSpec) -> dict[str, int]:
    return {finding.kind: finding.count for finding in found_in(bundle, copies_in(bundle))}


@st.composite
def data_sets(draw: st.DrawFn, parts: tuple[str, ...] = ("train", "validation", "test")) -> DatasetSpec:
    """Return a data set with copies, some with patients; each class has three more images in each part."""
    known = draw(st.booleans())
    contents = st.text("abcdefgh", min_size=1, max_size=1).flatmap(
        lambda letter: st.sampled_from([letter + "1", letter + "2", letter + "3"])
    )
    patients = st.sampled_from(["p1", "p2", "p3", "p4", "p5", "p6", "p7"]) if known else st.none()
    row = st.tuples(st.sampled_from(parts), st.sampled_from("AB"), patients, contents)
    rows: list[Row] = draw(st.lists(row, max_size=25))
    places = [(part, label) for part in parts for label in "AB"] * 3
    for number, (part, label) in enumerate(places):
        rows.append((part, label, f"own {number}" if known else None, chr(ord("A") + number)))
    return bundle_of(rows)


def mended(bundle: DatasetSpec) -> tuple[DatasetSpec, np.ndarray]:
    return fixed(bundle, copies_in(bundle))[:2]


@given(bundle=data_sets())
def test_mending_leaves_no_leak(bundle: DatasetSpec) -> None:
    after, copies = mended(bundle)
    assert leaks(found_in(after, copies)) == []
    assert np.array_equal(copies, [copies_in(bundle)[bundle.names.index(name)] for name in after.names])


@given(bundle=data_sets())
def test_mending_divides_neither_copies_nor_patients(bundle: DatasetSpec) -> None:
    after, copies = mended(bundle)
    for groups in (copies, after.patients):
        for group in np.unique(groups) if groups is not None else ():
            assert len(set(after.parts[groups == group])) == 1
    if bundle.patients is not None:
        before = {name: str(patient) for name, patient in zip(bundle.names, bundle.patients, strict=True)}
        for patient in set(before.values()):
            assert len({after.parts[row] for row, name in enumerate(after.names) if before[name] == patient}) <= 1


@given(bundle=data_sets())
def test_mending_keeps_all_but_contradictions_and_never_changes_a_class(bundle: DatasetSpec) -> None:
    after, _ = mended(bundle)
    labels = {name: bundle.classes[label] for name, label in zip(bundle.names, bundle.labels, strict=True)}
    by_content: dict[str, set[str]] = {}
    for content, label in zip(bundle.contents, bundle.labels, strict=True):
        by_content.setdefault(content, set()).add(bundle.classes[label])
    clear = {name for name, content in zip(bundle.names, bundle.contents, strict=True) if len(by_content[content]) == 1}
    assert set(after.names) == clear
    assert all(labels[name] == after.classes[label] for name, label in zip(after.names, after.labels, strict=True))


@given(bundle=data_sets())
def test_mending_twice_is_mending_once(bundle: DatasetSpec) -> None:
    once, copies = mended(bundle)
    twice, _, _ = fixed(once, copies)
    assert twice.fingerprint == once.fingerprint
    assert np.array_equal(twice.parts, once.parts)
    assert twice.names == once.names


@given(bundle=data_sets(), random=st.randoms(use_true_random=False))
def test_neither_names_nor_order_matter_to_what_mending_does(bundle: DatasetSpec, random) -> None:
    rows = list(range(len(bundle.names)))
    random.shuffle(rows)
    other = replace(selected(bundle, np.array(rows)), names=tuple(f"other {row}" for row in rows))
    assert mended(other)[0].fingerprint == mended(bundle)[0].fingerprint


@given(bundle=data_sets(parts=("",)), folds=st.sampled_from([None, 2]))
def test_no_cut_divides_what_was_mended(bundle: DatasetSpec, folds: int | None) -> None:
    after, copies = mended(bundle)
    try:
        sides = cuts(after, folds, seed=0)
    except BadInputError:  # nearly all is one group: it says that there is no cut without dividing one
        reject()
    assert divided(after, copies, [sides]) is None


def test_a_data_set_without_copies_and_patients_stays_as_it_is() -> None:
    bundle = bundle_of([("train", "A", None, "a"), ("train", "B", None, "b"), ("test", "A", None, "c")])
    assert fixed(bundle, copies_in(bundle))[0] is bundle


def test_a_group_goes_to_where_most_of_it_lies_and_to_train_if_that_is_undecided() -> None:
    plenty = [("train", label, None, f"{letter}1") for letter, label in zip("xyz", "ABA", strict=True)]
    more = [("test", label, None, f"{letter}1") for letter, label in zip("vw", "AB", strict=True)]
    rows = [("train", "A", None, "a1"), ("test", "A", None, "a2"), ("test", "A", None, "a3")]
    rows += [("train", "B", None, "b1"), ("test", "B", None, "b2")]
    bundle = bundle_of([*plenty, *more, *rows])
    assert kinds(bundle)["near_across_parts"] == 2
    after, _, (done,) = fixed(bundle, copies_in(bundle))
    parts = dict(zip(after.contents, after.parts.tolist(), strict=True))
    assert {content: parts[content] for content in ("a1", "a2", "a3")} == dict.fromkeys(("a1", "a2", "a3"), "test")
    assert {parts["b1"], parts["b2"]} == {"train"}
    assert done.count == 2
    assert "moved 2 images" in done.sentence
    assert after.fingerprint != bundle.fingerprint


def test_findings_tell_identical_files_from_copies_and_parts_from_one_another() -> None:
    rows = [
        ("train", "A", None, "a1"),
        ("train", "A", None, "a2"),
        ("test", "A", None, "a1"),
        ("test", "A", None, "a3"),
    ]
    rows += [
        ("train", "B", None, "b1"),
        ("train", "B", None, "b1"),
        ("test", "A", None, "c1"),
        ("train", "B", None, "d1"),
    ]
    assert kinds(bundle_of(rows)) == {
        "class_missing": 1,
        "exact_across_parts": 1,
        "near_across_parts": 1,
        "copies_within_part": 3,
    }


def test_findings_name_patients_on_both_sides_and_pictures_in_two_classes() -> None:
    rows = [("train", "A", "p1", "a"), ("test", "A", "p1", "b"), ("train", "B", "p2", "c"), ("test", "B", "p3", "d")]
    found = found_in(bundle_of([*rows, ("train", "A", "p2", "c")]), np.arange(5))
    assert [(each.kind, each.count, each.short) for each in found if each.short] == [
        ("two_classes", 1, "1 picture in two classes"),
        ("patients_across_parts", 1, "1 patient on both sides"),
    ]
    assert "p1" in found[-1].sentence


def test_groups_of_copies_that_folds_divide_are_counted() -> None:
    rows = [
        ("", label, None, f"{letter}{number}")
        for label, letters in (("A", "abc"), ("B", "def"))
        for letter in letters
        for number in "12"
    ]
    bundle = bundle_of(rows)
    found = divided(bundle, copies_in(bundle), [cuts(bundle, 3, seed=0)])
    sides = cuts(bundle, 3, seed=0)
    side = {row: name for name, rows in sides.items() for row in rows.tolist()}
    expected = sum(len({side[row] for row in np.flatnonzero(copies_in(bundle) == group)}) > 1 for group in range(6))
    assert found is not None
    assert found.count == expected > 0


def test_a_part_that_would_lose_a_class_is_said_in_one_sentence() -> None:
    rows = [("train", "A", None, "a1"), ("train", "A", None, "a2"), ("test", "A", None, "a3")]
    bundle = bundle_of([*rows, ("train", "B", None, "b1"), ("test", "B", None, "c1")])
    with pytest.raises(BadInputError, match=r"--fix-leaks leaves no image of A in test of mine.*\.$"):
        fixed(bundle, copies_in(bundle))


def test_without_files_a_data_set_is_the_one_that_never_had_them() -> None:
    rows: list[Row] = [
        ("train", "A", "p", "a"),
        ("train", "B", "q", "b"),
        ("test", "A", "r", "c"),
        ("test", "B", "s", "d"),
    ]
    bundle = bundle_of([*rows, ("train", "A", "t", "bad")])
    bad = np.array([bundle.contents.index("bad")])
    assert without(bundle, bad).fingerprint == bundle_of(rows).fingerprint
    with pytest.raises(BadInputError, match="no readable image of B to train on"):
        without(bundle, np.flatnonzero((bundle.labels == 1) & (bundle.parts == "train")))
