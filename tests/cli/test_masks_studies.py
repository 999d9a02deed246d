"""The studies of lungs and glands as a user runs them: tiny, on own folders, and on bad ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

STUDIES = Path(__file__).parents[2] / "studies"
LUNGS, GLANDS = STUDIES / "lab4_unet_lungs.py", STUDIES / "warwick_glands.py"


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def chests(tmp_path: Path) -> Path:
    """Return a folder of twelve images with masks, of which four are for validation."""
    generator = np.random.default_rng(0)
    for number in range(12):
        part = "validation" if number > 7 else "train"
        mask = np.zeros((40, 40), np.uint8)
        mask[number : number + 20, 5:30] = 255
        noise = generator.integers(0, 60, mask.shape)
        write(tmp_path / f"chests/{part}/images/{number:02d}.png", (mask // 2 + noise).astype(np.uint8))
        write(tmp_path / f"chests/{part}/masks/{number:02d}.png", mask)
    return tmp_path / "chests"


def nothing(folder: Path) -> None:
    (folder / "train/masks/03.png").unlink()


def other_size(folder: Path) -> None:
    write(folder / "train/masks/03.png", np.zeros((20, 40), np.uint8))


def greys(folder: Path) -> None:
    write(folder / "train/masks/03.png", np.arange(1600, dtype=np.uint8).reshape(40, 40))


def labels(folder: Path) -> None:
    write(folder / "train/masks/03.png", (np.arange(1600) // 400).astype(np.uint8).reshape(40, 40))


def rubbish(folder: Path) -> None:
    (folder / "train/masks/03.png").write_text("no image")


def blanks(folder: Path) -> None:
    for path in folder.rglob("masks/*.png"):
        write(path, np.zeros((40, 40), np.uint8))


BAD = {
    nothing: ("train/images/03.png", "no counterpart of the same stem"),
    other_size: ("train/images/03.png", "mask 03.png is of 40x20 pixels, the image of 40x40"),
    greys: ("train/images/03.png", "data.mask_values=grey"),
    labels: ("train/images/03.png", "several labels (0, 1, 2, 3)", "data.mask_values=labels"),
    rubbish: ("train/images/03.png", "mask 03.png", "not a PNG"),
    blanks: ("no mask marks anything",),
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_a_folder_with_bad_masks_is_refused(place: Any, chests: Path, spoil: Callable[[Path], None]):
    spoil(chests)
    ended = place.run(LUNGS, "--only", "plain, BCE", "--data", f"lungs={chests}")
    ended.check_complaint(2, chests, *BAD[spoil])
    place.check_untouched()


def test_what_masks_mean_can_be_said(place: Any, chests: Path):
    labels(chests)
    flags = ["--data", f"lungs={chests}", "--plan", "--set", "data.mask_values=labels"]
    assert place.run(LUNGS, "--only", "plain, BCE", *flags).code == 0


@pytest.mark.parametrize(
    ("study", "source", "words"),
    [
        (LUNGS, "skin", "holds images of classes and no masks"),
        (STUDIES / "bonus_resnet.py", "lungs", "holds images with masks and no classes"),
    ],
)
def test_masks_and_classes_are_not_taken_for_each_other(place: Any, study: Path, source: str, words: str):
    place.run(study, "--data", source, "--plan").check_complaint(2, words)


@pytest.mark.slow
def test_own_chests_from_files_to_outlines(place: Any, chests: Path):
    small = ["--set", "data.size=32", "--set", "learner.epochs=2", "--seeds", "0,1"]
    only = ["--only", "plain, BCE", "--only", "augmented, Dice"]
    ended = place.run(LUNGS, *only, "--data", f"lungs={chests}", *small)
    assert (ended.code, ended.err) == (0, "")
    summary = place.summary()
    assert summary["data_sets"][0]["n"] == {"train": 8, "validation": 4}
    for run in summary["runs"]:
        assert 0 <= run["metrics"]["dice"] <= 1
        assert {"iou", "hausdorff95", "surface_distance", "dice_sd", "dice_worst", "gap"} <= set(run["metrics"])
        assert run["metrics"]["dice"] == pytest.approx(run["history"]["val_dice"][run["best_epoch"]], abs=1e-5)
        assert {"outlines.png", "spread.png", "learning_curves.png"} <= {
            path.name for path in (place.work / run["key"]).glob("*.png")
        }
    assert summary["best"]["lungs"]["metric"] == "dice"
    again = place.run(LUNGS, *only, "--data", f"lungs={chests}", *small)
    assert again.code == 0
    assert all(run["reused"] for run in place.summary()["runs"])
    report = next(place.work.glob("studies/*/report.html")).read_text()
    assert "validation dice" in report


@pytest.mark.slow
def test_the_glands_are_compared_on_the_test_part(place: Any):
    ended = place.run(GLANDS, "--smoke")
    assert (ended.code, ended.err) == (0, "")
    summary = place.summary()
    assert set(summary["data_sets"][0]["n"]) == {"train", "validation"}
    assert [run["parameters"]["total"] for run in summary["runs"]] == [8_625] * 4
    assert "homework" in summary["answers"][0]["question"]


@pytest.mark.slow
def test_the_lungs_and_nodules_run_with_the_networks_of_the_laboratory(place: Any):
    some = ("base 32, Dice", "augmented, BCE", "nodules, BCE", "nodules, Dice")  # all twelve take minutes
    ended = place.run(LUNGS, "--smoke", "--offline", *(each for name in some for each in ("--only", name)))
    assert (ended.code, ended.err) == (0, "")
    totals = {run["variant"]: run["parameters"]["total"] for run in place.summary()["runs"]}
    assert totals == dict(zip(some, (8_629_921, 2_164_305, 540_073, 540_073), strict=True))
    rows = place.summary()["comparisons"]
    assert [(row["data"], row["a"]) for row in rows if row["n"]] == [("nodules", "nodules, BCE")]
    assert {row["data"] for row in rows if "base 32" in row["b"]} == {"lungs"}
