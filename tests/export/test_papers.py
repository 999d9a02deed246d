"""preprocessing.json and the model card, from what is known of a run."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps
from typed_summaries import typed

from medcls.data.levels import from_plain
from medcls.data.readers.images import decode
from medcls.evaluation.classification import with_both_classes
from medcls.evaluation.run_record import FindingRecord
from medcls.export.format_names import FILES
from medcls.export.formats import FORMATS
from medcls.export.metadata import Facts, in_pillow, preprocessing
from medcls.export.model_card import card
from medcls.export.parity import TOLERANCE, agrees, parity
from medcls.tracking.run_records import RunDescription

COPIES = FindingRecord("copies", "7 pictures are in train and test.", 7)
SCORES = {"accuracy": 0.75, "recall/a": 0.5, "recall/b": 1.0}


def facts(**changes: Any) -> Facts:
    run = {
        "key": "0123",
        "data": "bone",
        "variant": "plain",
        "seed": 0,
        "fold": None,
        "params": {"folds": 3, "learner.model": "models.resnet", "learner.epochs": 9, "learner.weights": ""},
        "parameters": {"total": 12345, "trainable": 12000},
        "epochs": 9,
        "best_epoch": 4,
        "metrics": SCORES,
        "weights_sha256": "abcd",
    }
    best = {
        "key": "0123",
        "variant": "plain",
        "folds": {"accuracy": [0.7, 0.8, 0.9]},
        "mean_sd": {"accuracy": [0.8, 0.1]},
        "test": {name: {"value": value, "ci95": [value - 0.1, value]} for name, value in SCORES.items()},
        "ensemble": {"accuracy": {"value": 0.6, "ci95": [0.55, 0.65]}},
    }
    counts = {"train": {"a": 60, "b": 40}, "validation": {"a": 31, "b": 7}, "test": {"a": 50, "b": 8}}
    data = {"name": "bone", "source": "/data/bone", "kind": "files", "fingerprint": "sha256:ff", "classes": ["a", "b"]}
    summary = {"study": "mine", "question": "Does it work?", "smoke": False}
    commit = RunDescription(git_commit="c0ffee", git_dirty=True)
    typed_summary = typed({**summary, "data_sets": [data], "runs": [run], "best": {"bone": best}})
    (typed_run,), (typed_data,) = typed_summary.runs, typed_summary.data_sets
    return replace(
        Facts(
            typed_summary,
            typed_run,
            replace(typed_data, findings=None),
            typed_summary.best["bone"],
            commit,
            counts,
            (32, 32, 3),
            "dd",
            frozenset(),
            {"medcls": "0.1"},
        ),
        **changes,
    )


def rows(text: str) -> dict[str, list[str]]:
    """Return the cells of all tables by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in lines}


def test_scores_stand_with_their_intervals_and_numbers_of_images():
    table = rows(card(facts()))
    assert table["accuracy"] == ["0.800 ± 0.100", "0.750 [0.650, 0.750]", "0.600 [0.550, 0.650]"]
    assert table["a"] == ["0.500 [0.400, 0.500]", "50"]
    assert table["all"] == ["100", "38", "58"]


def test_without_a_test_set_the_validation_set_is_shown_as_such():
    text = card(facts(best=None))
    assert rows(text)["accuracy"] == ["0.750"]
    assert rows(text)["b"] == ["1.000", "7"]
    assert "expect slightly lower scores" in text


def test_a_phantom_and_a_smoke_run_are_said_loudly():
    plain, data = card(facts()), replace(facts().data, kind="phantom")
    loud = card(facts(data=data, summary=replace(facts().summary, smoke=True)))
    assert "no real images" not in plain
    assert "smoke" not in plain
    assert loud.index("no real images") < loud.index("## Data")
    assert loud.index("--smoke") < loud.index("## Data")


@pytest.mark.parametrize(
    ("findings", "leaks", "words"),
    [
        (None, frozenset(), ["not checked"]),
        ((), frozenset(), ["no leak found"]),
        ((COPIES,), {"copies"}, ["- **Leak.** 7 pictures are in train and test.", "too good"]),
        ((COPIES,), frozenset(), ["no leak found", "- 7 pictures are in"]),
    ],
)
def test_findings_of_the_checks(findings: Any, leaks: frozenset[str], words: list[str]):
    data = replace(facts().data, findings=findings)
    text = card(facts(data=data, leaks=leaks))
    assert [word for word in words if word not in text] == []
    assert ("too good" in text) == bool(leaks)


def test_few_images_of_a_class_are_a_limit():
    assert re.search(r"Fewer than 30 images .*: b\.\n", card(facts()))


def test_parameters_code_and_versions_are_said_and_empty_ones_are_not():
    text = card(facts())
    assert rows(text)["`learner.epochs`"] == ["`9`"]
    assert "learner.weights" not in text
    assert "commit c0ffee with uncommitted changes" in text
    assert "medcls 0.1" in text


def test_a_class_may_be_called_anything():
    names = {"a|b": 1, "c": 2}
    data = replace(facts().data, classes=tuple(names))
    text = card(facts(data=data, counts=dict.fromkeys(("train", "validation", "test"), names)))
    assert "| a\\|b | 1 | 1 | 1 |" in text


def test_texts_from_outside_add_no_line():
    plain, forged = facts(), "x\n# Approved for clinical use"
    data = replace(plain.data, source=forged, name=forged, findings=(replace(COPIES, sentence=forged),))
    summary = replace(plain.summary, question=forged, study=forged)
    text = card(facts(data=data, summary=summary))
    assert text.count(r"x\n# Approved") == 6  # the title has the study, too
    assert "\n# Approved" not in text


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ({"black": 0.0, "white": 4095.0}, "stretch gray values of more than 8 bits from 0 (black) to 4095 (white)"),
        ({"percentiles": [0.5, 99.5]}, "from the image's percentile 0.5 to its percentile 99.5"),
    ],
)
def test_what_is_white_in_deep_images_is_recorded(levels: dict[str, Any], words: str):
    papers = json.loads(json.dumps(preprocessing(facts(levels=from_plain(levels)))))
    assert papers["levels"] == levels
    assert words in papers["resizing"]
    assert "divide" not in papers["resizing"]
    assert "levels" not in preprocessing(facts())


def test_preprocessing_is_plain_json():
    papers = json.loads(json.dumps(preprocessing(facts())))
    assert (papers["size"], papers["channels"], papers["classes"]) == ([32, 32], 3, ["a", "b"])
    assert papers["parameters"]["learner.model"] == "models.resnet"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_lines_for_pillow_read_what_training_reads(tmp_path, monkeypatch, channels: int, mode: str):
    pixels = np.random.default_rng(0).integers(0, 256, (50, 37, {"L": 1, "RGB": 3}[mode]), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    Image.fromarray(pixels.squeeze()).save(tmp_path / "image.png", exif=exif)
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {"Image": Image, "ImageOps": ImageOps, "np": np, "io": io}
    exec("\n".join(in_pillow((20, 20, channels))), known)
    assert np.array_equal(known["images"][0], decode(tmp_path / "image.png", 20, channels))


def test_every_format_has_a_file():
    assert list(FORMATS) == list(FILES)


def test_parity_is_the_largest_difference_and_ties_are_no_change():
    images, order = np.arange(6, dtype=np.uint8).reshape(6, 1), np.array([4, 0, 2])
    answers = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], np.float32)
    known = {4: answers[0], 0: answers[1] + [-1e-6, 1e-6], 2: answers[2]}
    found = parity(lambda batch: np.array([known[int(row)] for row in batch[:, 0]], np.float32), images, order, answers)
    assert found["largest_difference"] == pytest.approx(1e-6, rel=0.1)
    assert found["classes_changed"] == 0
    assert agrees(found)
    swapped = parity(lambda batch: answers[:, ::-1], images, order, answers)
    assert swapped == {"largest_difference": pytest.approx(0.8), "classes_changed": 2}
    assert not agrees(swapped)
    assert not agrees({"largest_difference": 2 * TOLERANCE, "classes_changed": 0})


def test_a_single_answer_is_the_second_class():
    assert with_both_classes(np.array([[0.25]], np.float32)).tolist() == [[0.75, 0.25]]
    stored, images, order = np.array([[0.75, 0.25], [0.1, 0.9]], np.float32), np.zeros((2, 1), np.uint8), np.arange(2)
    single = stored[:, 1:]
    assert parity(lambda batch: single, images, order, stored)["largest_difference"] < 1e-7
    assert parity(lambda batch: 1 - single, images, order, stored)["classes_changed"] == 2
    assert "Output for each image: one probability for each class" in card(facts())


def test_parity_of_masks_counts_pixels_on_the_other_side_of_a_half():
    stored = np.random.default_rng(0).random((5, 4, 3, 1), np.float32)
    images, order = np.zeros((9, 4, 3, 1), np.uint8), np.array([8, 1, 0, 2, 5])
    stored[0, 0, 0], stored[1, 1, 1] = 0.5, 0.5 + 1e-6
    assert parity(lambda batch: stored, images, order, stored) == {"largest_difference": 0.0, "classes_changed": 0}
    found = parity(lambda batch: stored - np.float32(3e-6), images, order, stored)
    assert (agrees(found), found["classes_changed"]) == (True, 0)
    swapped = parity(lambda batch: 1 - stored, images, order, stored)
    assert swapped["classes_changed"] == stored.size - 2


def test_a_card_of_masks_speaks_of_pixels_and_not_of_classes():
    plain = facts()
    scores = {"dice": 0.912, "dice_sd": 0.05, "dice_worst": 0.4, "hausdorff95": 7.25, "gap": 0.01}
    counts = {"train": {"foreground": 60}, "validation": {"foreground": 20}, "test": {"foreground": 0}}
    data = replace(plain.data, classes=("foreground",))
    run = replace(plain.run, metrics=scores, params={**plain.run.params, "folds": None})
    known = facts(data=data, run=run, best=None, counts=counts, pixels=True)
    text = card(known)
    table = rows(text)
    assert table["Dice"] == ["0.912"]
    assert table["Dice of the worst image"] == ["0.400"]
    assert table["Hausdorff distance, 95th percentile, in pixels"] == ["7.250"]
    assert table["all"] == ["60", "20"]
    assert "marks the foreground of an image, pixel by pixel" in text
    assert "scored on 20 images only" in text
    for word in ("one of", "Scores by class", "recall on the", "calibration"):
        assert word not in text
    assert "medcls predict . image.png folder_of_images --mask new_folder" in text
    papers = preprocessing(known)
    assert "above 0.5" in papers["mask"]
    assert "every pixel" in papers["answer"]
    assert "mask" not in preprocessing(plain)


def test_the_code_in_a_card_of_masks_writes_a_mask_of_the_images_size(tmp_path, monkeypatch):
    shape = (16, 16, 1)
    head = keras.layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="ones", bias_initializer="zeros")
    keras.Sequential([keras.Input(shape), keras.layers.Rescaling(1 / 255, offset=-0.5), head]).save(
        tmp_path / "model.keras"
    )
    pixels = np.zeros((30, 50), np.uint8)
    pixels[:, 20:] = 255
    Image.fromarray(pixels).save(tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    told = card(facts(shape=shape, pixels=True))
    (code,) = re.findall(r"```python\n(.*?)```", told, re.S)
    exec(code, {})
    mask = np.asarray(Image.open("mask.png"))
    assert mask.shape == (30, 50)
    assert np.mean(mask == pixels) > 0.95
