"""Whose the images are: by DICOM, a column, a folder or a pattern; and what is said where nothing tells."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from dicom_files import save as save_dicom
from PIL import Image

from medcls import BadInputError, Variant, data
from medcls.data.checks import Policy, checked, cuts, examine
from medcls.data.dataset import DatasetSpec
from medcls.tasks import MULTICLASS

Draw = Callable[..., Path]


@pytest.fixture
def describe(tmp_path: Path) -> Callable[..., DatasetSpec]:
    """Return a function from a source to its Bundle."""
    return lambda source, **keywords: data.folder(
        data.Hashes(tmp_path / "hashes"), source=str(source), size=8, **keywords
    )


@pytest.fixture
def remarks(tmp_path: Path) -> Callable[..., str]:
    """Return a function from a source to the kinds of what `medcls data check` finds in it, and to its sentences."""

    def found(source: Path, **keywords: str) -> str:
        described = examine(str(source), data.Hashes(tmp_path / "hashes"), **keywords)
        return " ".join(f"{finding.kind}: {finding.sentence}" for finding in described.findings)

    return found


def patients_of(bundle: DatasetSpec) -> dict[str, str]:
    assert bundle.patients is not None
    return dict(zip(bundle.names, bundle.patients.tolist(), strict=True))


def dicoms(folder: Path, patient: Callable[[str, int], str | None], count: int = 8) -> Path:
    """Write images of two classes, each with the PatientID that `patient` says of its class and number."""
    generator = np.random.default_rng(0)
    for label in "ab":
        for number in range(count):
            tags = {} if patient(label, number) is None else {"PatientID": patient(label, number)}
            save_dicom(folder / label / f"{number}.dcm", generator.integers(0, 256, (64, 64), np.uint8), **tags)
    return folder


def with_masks(folder: Path, *names: str) -> Path:
    """Write images and, under the same names, masks."""
    generator = np.random.default_rng(0)
    for number, name in enumerate(names):
        mask = np.zeros((64, 64), np.uint8)
        mask[number % 40 : number % 40 + 20, 10 : 30 + number] = 255
        for kind, pixels in (("images", generator.integers(0, 256, (64, 64), np.uint8)), ("masks", mask)):
            (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / kind / name)
    return folder


def test_dicoms_own_patients_are_never_divided(tmp_path: Path, describe: Callable, remarks: Callable) -> None:
    source = dicoms(tmp_path / "set", lambda label, number: f"P{label}{number // 2}")
    bundle = describe(source)
    assert patients_of(bundle) == {f"{label}/{n}.dcm": f"P{label}{n // 2}" for label in "ab" for n in range(8)}
    for seed in range(5):
        sides = [set(bundle.patients[rows]) for rows in cuts(bundle, 3, seed).values()]
        assert sum(map(len, sides)) == 8
    assert "8 patients are known by DICOM's PatientID" in remarks(source)
    assert describe(source, patients="none").patients is None


def test_a_patient_in_two_sets_and_in_files_without_suffix_is_a_leak(tmp_path: Path, remarks: Callable) -> None:
    for part in ("train", "test"):
        dicoms(tmp_path / "set" / part, lambda label, number: f"{label}{number}", count=3)
    for number, path in enumerate(sorted((tmp_path / "set" / "test").glob("*/*.dcm"))):
        path.rename(path.with_name(f"IM{number:04}"))
    assert "6 patients have images in more than one set" in remarks(tmp_path / "set")


def test_dicoms_patients_are_remembered_until_a_file_changes(tmp_path: Path, describe: Callable) -> None:
    source = dicoms(tmp_path / "set", lambda label, number: f"P{label}{number // 2}")
    before = patients_of(describe(source))
    assert patients_of(describe(source)) == before
    save_dicom(source / "a" / "0.dcm", np.zeros((64, 64), np.uint8), PatientID="another")
    assert patients_of(describe(source)) == {**before, "a/0.dcm": "another"}


@pytest.mark.parametrize(
    ("patient", "said"),
    [
        (lambda *_: "ANONYMOUS", "have none that says anything"),
        (lambda *_: "0000", "have none that says anything"),
        (lambda *_: "Hospital 7", r"the same \(Hospital 7\)"),
        (lambda _, number: "Anon" if number else "P1", "14 of 16 images"),
        (lambda _, number: f"P{number // 2}" if number else None, "2 of 16 images"),
    ],
)
def test_what_dicom_does_not_tell_apart_is_not_taken(
    tmp_path: Path, describe: Callable, remarks: Callable, patient: Callable, said: str
) -> None:
    source = dicoms(tmp_path / "set", patient)
    assert describe(source).patients is None
    assert re.search(said, remarks(source))


def test_dicoms_patients_of_several_spellings_are_one(tmp_path: Path, describe: Callable) -> None:
    def spelled(label: str, number: int) -> str:
        return f"{label}p{number // 2}" if number % 2 else f"{label.upper()}P0{number // 2}"

    source = dicoms(tmp_path / "set", spelled)
    assert len(set(patients_of(describe(source)).values())) == 8


def test_a_patient_an_image_is_as_if_patients_were_unknown(tmp_path: Path, describe: Callable) -> None:
    source = dicoms(tmp_path / "set", lambda label, number: f"P{label}{number}")
    assert describe(source).fingerprint == describe(source, patients="none").fingerprint
    assert describe(source).patients is None


NAMED = ("Mel/pat1/a.png", "Mel/pat1/b.png", "Mel/pat2/c.png", "Nev/pat3/deep/d.png", "Nev/pat2/e.png")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("folder", ["pat1", "pat1", "pat2", "deep", "pat2"]),
        (r"^[^/]+/([^/]+)/", ["pat1", "pat1", "pat2", "pat3", "pat2"]),
        (r"/pat(\d+)/", ["1", "1", "2", "3", "2"]),
        (r"^([ab]|.)\.", ["a", "b", "c", "d", "e"]),
    ],
)
def test_patients_by_a_folder_or_a_pattern(
    tmp_path: Path, draw: Draw, describe: Callable, how: str, expected: list[str]
) -> None:
    source = draw(tmp_path / "set", *NAMED)
    assert patients_of(describe(source, patients=how)) == dict(zip(NAMED, expected, strict=True))


def test_how_patients_are_known_does_not_matter_to_fingerprint_and_key(
    tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    source = draw(tmp_path / "set", *NAMED)
    lines = [f"{name},{name.split('/')[0]},{name.split('/')[1]}" for name in NAMED]
    plain = describe(source)
    (source / "labels.csv").write_text("\n".join(["path,label,patient", *lines]))
    prints = {describe(source).fingerprint, describe(source, patients=r"^[^/]+/([^/]+)/").fingerprint}
    assert prints == {describe(source, patients="").fingerprint}
    assert describe(source, patients="none").fingerprint == plain.fingerprint not in prints
    base = Variant(partial(data.folder, source=str(source)), partial(fit), MULTICLASS)
    assert base.with_("data.patients", "folder").hashed() == base.hashed()


def fit(*, epochs: int = 1) -> int:
    """Return the epochs."""
    return epochs


@pytest.mark.parametrize(
    ("how", "complaint"),
    [("pat(", "no regular expression"), (r"pat\d+", "has no group"), ("file", "has no group"), ("*", "no regular")],
)
def test_a_pattern_that_says_nothing_is_refused_when_the_variant_is_checked(how: str, complaint: str) -> None:
    for function in (data.folder, data.lungs, data.glands, data.skin):
        variant = Variant(partial(function, source="x", patients=how), partial(fit), MULTICLASS)
        with pytest.raises(BadInputError, match=rf"data.patients=.*{complaint}.*first group is the patient"):
            variant.check()


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        (r"^(pat\d+)_", r"2 of 4 images .* named otherwise: B/other.png, B/pat_3.png"),
        (r"^(x)?", "4 of 4 images"),
        ("folder", "4 of 4 images .* in no folder of a patient"),
    ],
)
def test_names_that_do_not_say_the_patient_are_named(
    tmp_path: Path, draw: Draw, describe: Callable, how: str, complaint: str
) -> None:
    source = draw(tmp_path / "set", "A/pat1_1.png", "A/pat2_1.png", "B/other.png", "B/pat_3.png")
    with pytest.raises(BadInputError, match=complaint):
        describe(source, patients=how)


def test_arrays_and_phantoms_have_no_names_to_tell_patients_by(tmp_path: Path, describe: Callable) -> None:
    np.savez(tmp_path / "x.npz", x_train=np.zeros((4, 8, 8), np.uint8), y_train=np.arange(4) % 2)
    for source in (tmp_path / "x.npz", "skin"):
        with pytest.raises(BadInputError, match=r"data\.patients=folder is for image files"):
            describe(source, patients="folder")


def test_patients_of_images_with_masks(tmp_path: Path, remarks: Callable) -> None:
    names = [f"pat{patient}_{number}.png" for patient in range(8) for number in range(3)]
    source, hashes = with_masks(tmp_path / "set", *names), data.Hashes(tmp_path / "hashes")
    plain = data.lungs(hashes, source=str(source), size=32)
    assert plain.patients is None
    assert r"suggest several images of one patient, 8 patients in all" in remarks(source)
    assert r'"data.patients=^([^_]+)_"' in remarks(source)
    assert "suggest" not in remarks(source, patients=r"^(pat\d+)_") + remarks(source, patients="none")
    bundle = data.lungs(hashes, source=str(source), size=32, patients=r"^(pat\d+)_")
    assert patients_of(bundle) == {f"images/{name}": name.split("_")[0] for name in names}
    for folds in (None, 3):
        for seed in range(3):
            sides = [set(bundle.patients[rows]) for rows in cuts(bundle, folds, seed).values()]
            assert sum(map(len, sides)) == 8
    lines = [f"images/{name},masks/{name},{name.split('_')[0]}" for name in names]
    (source / "labels.csv").write_text("\n".join(["path,mask,patient", *lines]))
    table = data.lungs(hashes, source=str(source), size=32)
    assert table.fingerprint == bundle.fingerprint
    assert table.layout == "labels.csv with masks and patients"
    np.testing.assert_array_equal(table.masks(5, 32), bundle.masks(5, 32))


def test_a_table_of_masks_says_the_sets_and_leaks_are_found_and_closed(tmp_path: Path, remarks: Callable) -> None:
    names = [f"{number}.png" for number in range(12)]
    source = with_masks(tmp_path / "set", *names)
    lines = [f"images/{n}.png;masks/{n}.png;{n % 4};{'test' if n > 8 else 'train'}" for n in range(12)]
    (source / "labels.csv").write_text("\n".join(["path;mask;patient;split", *lines]))
    assert "3 patients have images in more than one set" in remarks(source)
    bundle = data.glands(data.Hashes(tmp_path / "hashes"), source=str(source / "labels.csv"), size=32)
    assert np.bincount(bundle.parts == "test").tolist() == [9, 3]
    policy = Policy(fix_leaks=True)
    with pytest.raises(BadInputError, match="leaves no image of foreground in test"):
        checked(bundle, data.Hashes(tmp_path / "hashes"), policy, folds=None, split_seeds=(0,), tell=lambda *_: None)


FAULTY_MASKS = {
    "no mask": ("path,mask\nimages/0.png,masks/0.png\nimages/1.png,", "line 3, has no mask"),
    "missing": ("path,mask\nimages/0.png,masks/0.png\nimages/1.png,masks/9.png", "1 missing files: .*masks/9.png"),
    "twice": ("path,mask\nimages/0.png,masks/0.png\nimages/0.png,masks/1.png", "images/0.png more than once"),
    "half": ("path,mask,patient\nimages/0.png,masks/0.png,p\nimages/1.png,masks/1.png,", "no patient for images/1"),
    "another word": ("path,segmentation\nimages/0.png,masks/0.png", "no images with masks"),
    "spellings": ("path,mask,patient\nimages/0.png,masks/0.png,P1\nimages/1.png,masks/1.png,p1", "'P1' and 'p1'"),
}


@pytest.mark.parametrize("fault", FAULTY_MASKS)
def test_a_faulty_table_of_masks_is_refused(tmp_path: Path, fault: str) -> None:
    text, complaint = FAULTY_MASKS[fault]
    source = with_masks(tmp_path / "set", "0.png", "1.png")
    (source / "labels.csv").write_text(text)
    with pytest.raises(BadInputError, match=complaint):
        data.lungs(data.Hashes(tmp_path / "hashes"), source=str(source / "labels.csv"), size=8)


PEOPLE = ("smith", "jones", "miller", "brown", "davis", "wilson")
SUSPECTED = {
    "slices": [f"{'ab'[p % 2]}/pat{p}_{n}.png" for p in range(6) for n in range(4)],
    "slices in words": [f"{'ab'[p % 2]}/p{p:03}slice{n}.png" for p in range(6) for n in range(4)],
    "names of people": [f"{'ab'[p % 2]}/{who}-{n}.png" for p, who in enumerate(PEOPLE) for n in range(3)],
    "both knees": [f"{'ab'[p % 2]}/91{p:03}{side}.png" for p in range(12) for side in "LR"],
    "eyes": [f"{'ab'[p % 2]}/{p}_{side}.png" for p in range(8) for side in ("left", "right")],
    "some copies": [f"{'ab'[p % 2]}/{p}{end}.png" for p in range(9) for end in ("", "-rotated1", "-rotated2-rotated1")],
    "films of a day": [f"{'ab'[p % 2]}/000{p:05}_{n:03}.png" for p in range(9) for n in range(1 + p % 3)],
}
UNSUSPECTED = {
    "counters": [f"{label}/img_{n:03}.png" for n, label in enumerate("ab" * 12)],
    "bare counters": [f"{label}/{n}.png" for n, label in enumerate("ab" * 12)],
    "classes in names": [f"{label}/{label}_{n}.png" for n, label in enumerate(["mel", "nev"] * 12)],
    "short classes in names": [f"{label}/{label[0]}-{n}.png" for n, label in enumerate(["mel", "nev"] * 12)],
    "labels alone": [f"C{n % 9 + 1}_{n}.png" for n in range(36)],
    "hashes": [f"{'ab'[n % 2]}/{n * 7919 % 65536:04x}{n * 104729 % 65536:04x}.png" for n in range(40)],
    "an archive": [f"{'ab'[n % 2]}/ISIC_{n:07}.jpg" for n in range(24)],
    "batches": [f"{'ab'[n % 2]}/batch{n // 66}_{n:04}.png" for n in range(198)],
    "class in the end": [f"{'ab'[n % 2]}/CHNCXR_{n:04}_{n % 2}.png" for n in range(24)],
}


@pytest.mark.parametrize("kind", SUSPECTED)
def test_beginnings_of_names_that_repeat_are_a_finding(
    kind: str, tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    bundle = describe(draw(tmp_path / "set", *SUSPECTED[kind]))
    assert [remark.kind for remark in bundle.remarks] == ["patients_suspected"]
    sentence = bundle.remarks[0].sentence
    assert "suggest several images of one patient" in sentence
    pattern = sentence.partition('"data.patients=')[2].partition('"')[0]
    patients = set(patients_of(describe(tmp_path / "set", patients=pattern)).values())
    assert set(bundle.remarks[0].names) <= patients
    assert len(patients) < len(bundle.names)
    assert describe(tmp_path / "set", patients="none").remarks == ()


@pytest.mark.parametrize("kind", UNSUSPECTED)
def test_counters_and_classes_in_names_are_no_finding(
    kind: str, tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    assert describe(draw(tmp_path / "set", *UNSUSPECTED[kind])).remarks == ()


def test_folders_among_images_with_masks_may_be_patients(tmp_path: Path, remarks: Callable) -> None:
    source = with_masks(
        tmp_path / "set", *(f"p{patient}/{number}x{patient}.png" for patient in range(6) for number in range(3))
    )
    assert re.search(r"lie in 6 folders, such as images/p0: .*data.patients=folder", remarks(source))
    bundle = data.lungs(data.Hashes(tmp_path / "hashes"), source=str(source), size=16, patients="folder")
    assert set(patients_of(bundle).values()) == {f"p{patient}" for patient in range(6)}
    assert bundle.remarks == ()


def test_a_refusal_because_of_dicoms_patients_says_how_to_pass_them_over(tmp_path: Path, describe: Callable) -> None:
    bundle = describe(dicoms(tmp_path / "set", lambda label, number: f"P{label}{number // 4}"))
    with pytest.raises(BadInputError, match=r"Class a has 2 patients .*at least 4: .*data\.patients=none"):
        checked(bundle, data.Hashes(tmp_path / "h"), Policy(), folds=3, split_seeds=(0,), tell=lambda *_: None)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (NAMED, r"lie in 3 folders, such as Mel/pat1, 1 of them in several classes \(pat2\)"),
        ([f"{c}/p{p}/{n}.png" for c in "ab" for p in range(3) for n in range(2)], "3 of them in several classes"),
        ([f"{who}/{c}/{n}.png" for who in PEOPLE for c in ("no", "yes") for n in range(2)], r"6 classes .*\(no, yes\)"),
        ([f"train/{c}/{c}{p}/{n}.png" for c in "ab" for p in range(3) for n in range(2)], "lie in 6 folders"),
    ],
)
def test_folders_within_classes_may_be_patients(
    tmp_path: Path, draw: Draw, describe: Callable, names: list[str], said: str
) -> None:
    (remark,) = describe(draw(tmp_path / "set", *names)).remarks
    assert re.search(f"{said}.*data.patients=folder", remark.sentence)


TURNED_ROUND = {
    "patients above": ([f"pat{p}/{c}/{n}.png" for p in range(4) for c in ("ben", "mal") for n in range(2)], "patients"),
    "numbers above": ([f"{p:03}/{c}/0.png" for p in range(9) for c in ("0_no", "yes")[: 1 + p % 2]], "patients"),
    "two patients": ([f"Case {p}/{c}/0.png" for p in (1, 2) for c in ("A", "B")], r"A/Case 1.*data.patients=folder"),
    "in parts": ([f"{s}/p-{p}/{c}/0.png" for s in ("train", "test") for p in range(3) for c in "AB"], "labels.csv"),
    "sets in classes": (
        [f"{c}/{s}/0.png" for c in ("Mel", "Nev") for s in ("train", "test")],
        "test/Mel and train/Mel",
    ),
    "val in classes": ([f"{c}/{s}/{c}.png" for c in "AB" for s in ("Training", "Val")], "Training/A and Val/A"),
}


@pytest.mark.parametrize("kind", TURNED_ROUND)
def test_folders_in_the_wrong_order_are_refused(kind: str, tmp_path: Path, draw: Draw, describe: Callable) -> None:
    names, complaint = TURNED_ROUND[kind]
    with pytest.raises(BadInputError, match=complaint):
        describe(draw(tmp_path / "set", *names))


@pytest.mark.parametrize(
    "names",
    [
        [f"C{c}/{side}/{n}.png" for c in range(9) for side in ("left", "right") for n in range(2)],
        [f"{c}/site{s}/{n}.png" for c in ("Mel", "Nev", "Ker") for s in (1, 2) for n in range(2)],
    ],
)
def test_views_and_places_within_classes_are_read_as_before(
    tmp_path: Path, draw: Draw, describe: Callable, names: list[str]
) -> None:
    assert describe(draw(tmp_path / "set", *names)).classes == tuple(sorted({name.split("/")[0] for name in names}))


@pytest.mark.parametrize(
    "names",
    [
        [f"pat{p}/pat{p}_{n}.png" for p in range(3) for n in range(4)],
        [f"Patient {p}/{n}.png" for p in range(3) for n in range(4)],
        [f"{p:03}/{n}.png" for p in range(25) for n in range(2)],
        [f"case{p}_{n}.png" for p in range(3) for n in range(4)],
    ],
)
def test_patients_become_classes_never_in_silence(
    tmp_path: Path, draw: Draw, describe: Callable, names: list[str]
) -> None:
    bundle = describe(draw(tmp_path / "set", *names))
    assert [remark.kind for remark in bundle.remarks] == ["classes_like_patients"]


def test_a_column_that_seems_to_say_the_patient_is_named(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    source = draw(tmp_path / "set", "a.png", "b.png")
    for column, meant in {
        "Patient ID": "patient",
        "subject": "patient",
        "pateint": "patient",
        "subset": "split",
    }.items():
        (source / "labels.csv").write_text(f"path,label,{column}\na.png,A,1\nb.png,B,2\n")
        sentences = [remark.sentence for remark in describe(source).remarks]
        assert sentences == [
            f"labels.csv has a column {column}, which is passed over: if it says the {meant}, call it {meant}."
        ]


def test_data_check_tries_patients(tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "set", *SUSPECTED["slices"])

    def check(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "medcls", "data", "check", str(source), "--work-dir", str(tmp_path / "work")]
        return subprocess.run([*command, *flags], capture_output=True, text=True)

    plain, tried, wrong = check(), check("--patients", "^([^_]+)_", "--folds", "2"), check("--patients", "pat")
    assert "warning      Names such as pat" in plain.stdout
    assert "24 of 6 patients" in tried.stdout
    assert (plain.returncode, tried.returncode, wrong.returncode) == (0, 0, 2)
    assert "Names such as" not in tried.stdout
    assert "has no group" in wrong.stderr


def test_digits_of_known_patients_are_not_cut_by_image(tmp_path: Path, draw: Draw) -> None:
    names = [f"train/{digit}/p{p}_{n}.png" for digit in range(2) for p in range(40) for n in range(30)]
    source, hashes = draw(tmp_path / "set", *names[::10]), data.Hashes(tmp_path / "hashes")
    bundle = data.mnist(hashes, source=str(source), patients=r"^(p\d+)_")
    assert set(bundle.parts) == {"train"}
    sides = [set(bundle.patients[rows]) for rows in cuts(bundle, None, 0).values()]
    assert sum(map(len, sides)) == 40
    assert set(data.mnist(hashes, source=str(source), patients="none").parts) == {"train", "validation"}
