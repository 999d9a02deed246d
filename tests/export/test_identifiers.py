"""What leaves the run folders names no patient: the store, summary and report, and an exported model."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_commands import Trained, medcls
from PIL import Image

from medcls.data.dataset import Dataset
from medcls.data.finding import NEAR, PATIENTS, Finding
from medcls.data.patients import NOT_TAKEN
from medcls.data.pseudonyms import Pseudonyms
from medcls.data.readers.suspicions import FOLDERS, SUSPECTED

IDENTIFIERS = ("HANNA4711", "Josef.(Sepp)", "08154711")


def known(patients: list[str], names: list[str], fingerprint: str = "sha256:00") -> Pseudonyms:
    count = len(names)
    images, labels = np.zeros((count, 2, 2, 1), np.uint8), np.zeros(count, np.int64)
    return Pseudonyms(
        Dataset(images, labels, np.full(count, ""), np.array(patients), tuple(names), ("a",), fingerprint)
    )


def test_pseudonyms_are_stable_and_differ_between_patients_and_data_sets() -> None:
    here, elsewhere = known(["1", "2"], ["a", "b"]), known(["1", "2"], ["a", "b"], "sha256:11")
    assert here.of("1") == known(["1"], ["a"]).of("1")
    assert len({here.of("1"), here.of("2"), elsewhere.of("1"), elsewhere.of("2")}) == 4


def test_a_number_that_is_a_patient_does_not_change_the_counts() -> None:
    pseudonyms = known(["2", "12", "3"], ["train/2/12.png", "test/12/2.png", "3/3.png"])
    chain = "train/2/12.png = test/12/2.png and 3 more"
    copies = pseudonyms.finding(Finding(NEAR, f"3 images are each a copy of one, e.g. {chain}.", 3, (chain,)))
    assert copies.sentence.startswith("3 images are each a copy of one, e.g. train/patient ")
    assert copies.sentence.endswith(" and 3 more.")
    found = Finding(PATIENTS, "2 patients have images in more than one set, e.g. 12.", 2, ("12", "2"))
    told = pseudonyms.finding(found)
    assert told.sentence == f"2 patients have images in more than one set, e.g. {pseudonyms.of('12')}."
    assert told.names == (pseudonyms.of("12"), pseudonyms.of("2"))
    assert pseudonyms.files([0]) == [f"train/{pseudonyms.of('2')}/12.png"]


@pytest.mark.parametrize("patient", ["P7", "Josef.(Sepp)", "Anna Maria", r"a\1b", "Ärztin_ß", "0815"])
def test_file_names_lose_the_identifier_of_their_patient(patient: str) -> None:
    names = [f"{patient}/left.png", f"scans/{patient}_2.png", "x1.png"]
    pseudonyms = known([patient, patient, "another"], names)
    chain = f"{names[0]} = {names[1]} and 3 more"
    told = pseudonyms.finding(
        Finding(NEAR, f"1 image is a copy of one, e.g. {chain}.", 1, (chain, f"{names[1]} moved"))
    )
    hidden = pseudonyms.of(patient)
    assert told.names == (f"{hidden}/left.png = scans/{hidden}_2.png and 3 more", f"scans/{hidden}_2.png moved")
    assert told.sentence.endswith(f"e.g. {told.names[0]}.")


def test_parts_of_longer_words_and_data_sets_without_patients_are_left_alone() -> None:
    assert known(["P7"], ["P77/a.png"]).files([0]) == ["P77/a.png"]
    images = Dataset(np.zeros((1, 2, 2, 1)), np.zeros(1, np.int64), np.array([""]), None, ("P7.png",), ("a",))
    assert Pseudonyms(images).files([0]) == ["P7.png"]


@pytest.mark.parametrize(
    ("kind", "sentence", "names", "gone"),
    [
        (SUSPECTED, "Names such as Hanna_1.png and hanna_2.png suggest 9 patients.", ("hanna",), ("anna",)),
        (FOLDERS, "Images lie in 2 folders, such as train/a/P77: if ...", ("P77", "P78"), ("P77",)),
        (NOT_TAKEN, "PatientID is not taken, for all images have the same (MUSTER^EVA).", ("MUSTER^EVA",), ("EVA",)),
    ],
)
def test_what_is_only_supposed_to_be_a_patient_is_not_told_either(
    kind: str, sentence: str, names: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    images = Dataset(np.zeros((1, 2, 2, 1)), np.zeros(1, np.int64), np.array([""]), None, ("a.png",), ("a",))
    told = Pseudonyms(images).finding(Finding(kind, sentence, len(names), names))
    assert not any(part in told.sentence + "".join(told.names) for part in gone)
    assert len(told.names) == len(names)


def draw(folder: Path) -> None:
    """Draw images of three patients in two parts, with their identifiers in a table and in some files' names."""
    generator, rows = np.random.default_rng(0), []
    for number in range(48):
        patient = IDENTIFIERS[number % 3] if number < 12 else f"other{number}"
        label, part = ("bright", "dark")[number % 2], "test" if number % 4 == 3 else "train"
        file = f"{patient}_{number}.png"
        pixels = generator.normal((190, 60)[number % 2], 70, (16, 14)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / file)
        rows.append((file, label, patient, part))
    twin = f"{IDENTIFIERS[0]}_twin.png"
    shutil.copy(folder / rows[3][0], folder / twin)
    rows.append((twin, rows[3][1], IDENTIFIERS[0], "train"))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient", "split"), *rows])


@pytest.mark.slow
def test_nothing_that_leaves_the_run_folders_names_a_patient(tmp_path: Path, capsys: Any) -> None:
    place = Trained(tmp_path)
    place.images.mkdir()
    draw(place.images)
    ended = place.run()
    assert ended.returncode == 0, ended.stderr
    assert any(name in ended.stdout for name in IDENTIFIERS)  # on the user's own screen
    assert medcls("data", "check", place.images, "--all", "--work-dir", place.work) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in IDENTIFIERS)
    formats = ("--format", "keras,onnx")
    assert medcls("export", "small_study", "--out", place.exported, "--work-dir", place.work, *formats) == 0
    outside = [place.folder / "summary.json", place.folder / "mlflow.db"]
    for folder in (place.exported, place.folder / "mlruns", *place.work.glob("studies/*")):
        outside += [path for path in folder.rglob("*") if path.is_file()]
    assert {"MODEL_CARD.md", "preprocessing.json", "report.html", "findings.json"} <= {path.name for path in outside}
    for path in outside:
        content = path.read_bytes()
        assert not any(name.encode() in content for name in IDENTIFIERS), path
    (data,) = json.loads((place.folder / "summary.json").read_text())["data_sets"]
    sentences = {finding["kind"]: finding["sentence"] for finding in data["findings"]}
    assert sentences[PATIENTS].startswith("3 patients have images in more than one set, e.g. patient ")
    assert "patient " in (place.exported / "MODEL_CARD.md").read_text()
