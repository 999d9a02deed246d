"""Scores of masks at the images' own sizes, beside those at the study's size."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.transform import resize
from sklearn.metrics import f1_score, jaccard_score

from medcls import data
from medcls.data.dataset import Dataset
from medcls.data.loading import decoded_cache
from medcls.evaluation import segmentation
from medcls.tasks import MULTICLASS, SEGMENTATION, scoring

SIZES = ((120, 90), (60, 200), (33, 47), (150, 150))
Mask = NDArray[np.bool_]


def disc(size: tuple[int, int], radius: float) -> Mask:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.asarray(np.hypot(rows - size[0] / 2, columns - size[1] / 3) < radius)


def decoded(folder: Path, drawn: list[Mask], size: int = 32) -> Dataset:
    """Return images with masks as workers open them, in an order of their own."""
    for number, mask in enumerate(drawn):
        for name, pixels in (("images", np.where(mask, 200, 50 + number)), ("masks", 255 * mask)):
            (folder / "set" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"set/{name}/{number}.png")
    bundle = data.lungs(data.Hashes(folder / "cache/hashes.sqlite"), source=str(folder / "set"), size=size)
    return decoded_cache.open_decoded(decoded_cache.prepare(bundle, folder / "cache"))


def number_of(found: Dataset, row: int) -> int:
    return int(Path(found.names[row]).stem)


def test_the_cache_holds_every_mask_in_its_own_size(tmp_path: Path):
    drawn = [disc(size, 9) for size in SIZES]
    found = decoded(tmp_path, drawn)
    assert found.whole is not None
    for row in (3, 0, 2, 1):
        assert np.array_equal(found.whole[row], drawn[number_of(found, row)])


def test_scores_are_of_the_enlarged_probabilities_and_the_files_own_masks(tmp_path: Path):
    drawn = [disc(size, 11) for size in SIZES]
    found, rows = decoded(tmp_path, drawn), np.arange(4)
    answers = np.random.default_rng(0).random((4, 8, 8, 1)).astype(np.float32).repeat(4, 1).repeat(4, 2)
    scores = scoring.scores(SEGMENTATION, found, rows, answers)
    dice, iou = [], []
    for row in rows:
        mask = drawn[number_of(found, row)]
        judged = resize(answers[row, ..., 0], mask.shape, order=1, mode="edge", anti_aliasing=False) > 0.5
        dice.append(f1_score(mask.ravel(), judged.ravel()))
        iou.append(jaccard_score(mask.ravel(), judged.ravel()))
    assert scores["dice_own_size"] == pytest.approx(np.mean(dice), abs=0.01)
    assert scores["iou_own_size"] == pytest.approx(np.mean(iou), abs=0.01)
    at_size = segmentation.scores(SEGMENTATION.truth(found, rows), answers, found.classes)
    assert {name: scores[name] for name in at_size} == at_size
    tested = scoring.tested(SEGMENTATION, found, rows, answers)
    assert tested["dice_own_size"].value == pytest.approx(scores["dice_own_size"])
    low, high = tested["dice_own_size"].ci95
    assert low <= scores["dice_own_size"] <= high


def test_a_target_that_resizing_loses_counts_at_its_own_size(tmp_path: Path):
    small = np.zeros((200, 200), bool)
    small[90:93, 70:73] = True
    found = decoded(tmp_path, [small, disc((200, 200), 40), disc((200, 180), 40)])
    rows = np.arange(3)
    assert found.masks is not None
    answers = (found.masks[rows] > 0).astype(np.float32)
    scores = scoring.scores(SEGMENTATION, found, rows, answers)
    assert scores["dice"] == 1
    assert scores["empty_masks"] == 1
    assert 0.6 < scores["dice_own_size"] < 2 / 3


def test_what_has_no_mask_files_has_no_further_scores():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    labels = np.array([0, 1])
    images = np.zeros((2, 4, 4, 1), np.uint8)
    of_classes = Dataset(images, labels, np.full(2, ""), None, ("a", "b"), ("a", "b"))
    assert not [name for name in scoring.scores(MULTICLASS, of_classes, labels, probabilities) if "own" in name]
    drawn = np.ones((2, 4, 4, 1), np.uint8)
    phantom = Dataset(images, 0 * labels, np.full(2, ""), None, ("a", "b"), ("foreground",), masks=drawn)
    scores = scoring.scores(SEGMENTATION, phantom, labels, drawn.astype(np.float32))
    assert scores["dice"] == 1
    assert not [name for name in scores if "own" in name]
