"""Scores of masks against scikit-learn and scikit-image, by hand, and by their laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from skimage.metrics import hausdorff_distance
from skimage.segmentation import find_boundaries
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score
from sklearn.neighbors import KDTree

from medcls import TrainingError
from medcls.evaluation import run_scores, segmentation

Masks = NDArray[np.bool_]
PAIRS = arrays.arrays(np.bool_, (2, 9, 7))
NAMES = ("dice", "iou", "precision", "recall", "hausdorff95", "surface_distance")
WHAT = ("lungs",)


def sure(predicted: Masks) -> NDArray[np.float32]:
    return predicted[..., None].astype(np.float32)


def one(mask: Masks, predicted: Masks) -> dict[str, float]:
    found = segmentation.per_image(mask[None], sure(predicted[None]))
    return {name: float(values[0]) for name, values in found.items()}


def blobs(seed: int, count: int = 1, size: int = 24) -> Masks:
    """Return smooth random masks, some in several parts, none empty."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    masks = np.zeros((count, size, size), bool)
    for mask in masks:
        for _ in range(int(rng.integers(1, 4))):
            row, column, radius = *rng.uniform(0, size, 2), rng.uniform(2, 8)
            mask[np.hypot(rows - row, columns - column) < radius] = True
    return masks


def border(mask: Masks) -> Masks:
    """Return a mask's border as scikit-image finds it; beyond the image there is nothing."""
    return find_boundaries(np.pad(mask, 1), connectivity=1, mode="inner")[1:-1, 1:-1]


@given(PAIRS)
@settings(max_examples=50)
def test_overlaps_are_those_of_scikit_learn(pair: Masks):
    found = one(*pair)
    flat = [each.ravel() for each in pair]
    assert found["dice"] == pytest.approx(f1_score(*flat, zero_division=1.0))
    assert found["iou"] == pytest.approx(jaccard_score(*flat, zero_division=1.0) if pair.any() else 1.0)
    for name, judge, whole in (("precision", precision_score, flat[1]), ("recall", recall_score, flat[0])):
        if whole.any():
            assert found[name] == pytest.approx(judge(*flat))
        else:
            assert math.isnan(found[name])


@pytest.mark.parametrize("seed", range(25))
def test_distances_are_those_between_the_borders_of_scikit_image(seed: int):
    mask, predicted = blobs(seed)[0], blobs(seed + 1000)[0]
    ends = [border(each) for each in (mask, predicted)]
    points = [np.argwhere(end) for end in ends]
    there, back = (KDTree(points[1 - which]).query(points[which])[0].ravel() for which in (0, 1))
    found = one(mask, predicted)
    assert found["surface_distance"] == pytest.approx((there.sum() + back.sum()) / (len(there) + len(back)))
    assert found["hausdorff95"] == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    farthest = max(float(each.max()) for each in segmentation.border_distances(mask, predicted))
    assert farthest == pytest.approx(hausdorff_distance(*ends))
    assert found["surface_distance"] <= found["hausdorff95"] <= farthest


@given(PAIRS, st.sampled_from([(0,), (1,), (0, 1)]))
@settings(max_examples=50)
def test_a_flip_of_both_leaves_every_score_as_it_was(pair: Masks, axes: tuple[int, ...]):
    assert one(*(np.flip(each, axes) for each in pair)) == pytest.approx(one(*pair), nan_ok=True)


@given(PAIRS)
@settings(max_examples=50)
def test_bounds_and_symmetry(pair: Masks):
    there, back = one(*pair), one(*pair[::-1])
    assert 0 <= there["iou"] <= there["dice"] <= 1
    assert there["surface_distance"] >= 0
    assert 0 <= there["hausdorff95"] <= math.hypot(9, 7)
    assert there["dice"] == pytest.approx(2 * there["iou"] / (1 + there["iou"]))
    for name in ("dice", "iou", "hausdorff95", "surface_distance"):
        assert there[name] == pytest.approx(back[name])
    assert there["precision"] == pytest.approx(back["recall"], nan_ok=True)
    same = one(pair[0], pair[0])
    assert (same["dice"], same["iou"], same["hausdorff95"], same["surface_distance"]) == (1, 1, 0, 0)


def test_two_squares_by_hand():
    mask, predicted = np.zeros((2, 12, 16), bool)
    mask[2:8, 2:8] = True  # 36 pixels, 20 of them border
    predicted[2:8, 5:11] = True  # the same, 3 to the right: 18 in common
    found = one(mask, predicted)
    assert found["dice"] == pytest.approx(18 * 2 / 72)
    assert found["iou"] == pytest.approx(18 / 54)
    assert found["precision"] == found["recall"] == pytest.approx(0.5)
    # Of one border's pixels: 3 + 3 lie on the other's rows, the left side 3 away, the right side's inner 4 pixels
    # 1, 2, 2, 1 rows from the other's top or bottom row, the rest of top and bottom 1 or 2 columns away.
    one_way = [0] * 6 + [1] * 2 + [2] * 2 + [3] * 6 + [1, 2, 2, 1]
    assert found["surface_distance"] == pytest.approx(np.mean(one_way))
    assert found["hausdorff95"] == 3


def test_empty_masks_are_told_apart():
    nothing, something = np.zeros((3, 4), bool), np.eye(3, 4, dtype=bool)
    both, missed, invented = one(nothing, nothing), one(something, nothing), one(nothing, something)
    assert (both["dice"], both["iou"], both["hausdorff95"], both["surface_distance"]) == (1, 1, 0, 0)
    for worst in (missed, invented):
        assert (worst["dice"], worst["iou"], worst["hausdorff95"], worst["surface_distance"]) == (0, 0, 5, 5)
    assert (missed["recall"], invented["precision"]) == (0, 0)
    assert math.isnan(missed["precision"])
    assert math.isnan(invented["recall"])


def test_scores_are_means_over_images_with_their_spread_and_the_worst():
    masks, predicted = blobs(0, 6), blobs(1, 6)
    predicted[0] = masks[0]
    predicted[1] = False
    each = segmentation.per_image(masks, sure(predicted))
    found = segmentation.scores(masks, sure(predicted), WHAT)
    assert tuple(each) == NAMES
    for name, values in each.items():
        defined = values[~np.isnan(values)]
        assert found[name] == pytest.approx(defined.mean())
        assert found[f"{name}_sd"] == pytest.approx(defined.std(ddof=1))
    assert len(each["precision"][~np.isnan(each["precision"])]) == 5
    assert found["dice_worst"] == 0.0
    assert found["pixel_accuracy"] == pytest.approx(np.mean(masks == predicted))
    assert set(segmentation.score_names(WHAT)) <= set(found)


def test_what_is_nowhere_defined_is_left_out():
    masks, nothing = blobs(0, 2), np.zeros((2, 24, 24), bool)
    found = segmentation.scores(masks, sure(nothing), WHAT)
    assert "precision" not in found
    assert "precision" not in segmentation.test_scores(masks, sure(nothing), WHAT, resamples=50)
    assert found["recall"] == found["dice"] == 0


def test_a_pixel_is_predicted_above_a_half():
    mask = np.array([[[True, True, False]]])
    answers = np.array([0.5, 0.51, 0.49], np.float32).reshape(1, 1, 3, 1)
    assert segmentation.scores(mask, answers, WHAT)["recall"] == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_refused(bad: float):
    answers = sure(blobs(0, 2))
    answers[1, 3, 3] = bad
    for judge in (segmentation.scores, segmentation.test_scores):
        with pytest.raises(TrainingError, match="not numbers: try a lower learning rate"):
            judge(blobs(0, 2), answers, WHAT)


def test_intervals_hold_the_mean_and_are_wider_over_patients():
    masks = np.repeat(blobs(3, 12), 4, axis=0)
    predicted = np.repeat(blobs(3, 12) & ~blobs(4, 12), 4, axis=0)
    patients = np.repeat([f"patient{number}" for number in range(12)], 4)
    whole = segmentation.scores(masks, sure(predicted), WHAT)
    alone = segmentation.test_scores(masks, sure(predicted), WHAT, resamples=400)
    together = segmentation.test_scores(masks, sure(predicted), WHAT, patients, resamples=400)
    assert set(alone) == {*NAMES, "pixel_accuracy"}
    for name, score in alone.items():
        low, high = score.ci95
        assert score.value == pytest.approx(whole[name])
        assert low <= score.value <= high
    widths = [np.ptp(each["dice"].ci95) for each in (alone, together)]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.25)  # four images of one patient are one trial
    assert segmentation.test_scores(masks, sure(predicted), WHAT, resamples=400) == alone


@pytest.mark.parametrize("name", ["hausdorff95", "val_surface_distance", "dice_sd", "dice", "iou", "dice_worst"])
def test_distances_and_spreads_are_the_better_the_lower(name: str):
    assert run_scores.score(name).higher_is_better == (name in ("dice", "iou", "dice_worst"))


def with_empty_masks() -> tuple[Masks, Masks]:
    """Return masks of which two mark nothing, and answers that find something in one of these."""
    masks, predicted = blobs(0, 6), blobs(1, 6)
    masks[[1, 4]] = False
    predicted[[0, 4]] = False  # missed, and rightly nothing
    return masks, predicted


def test_images_without_a_target_count_in_false_alarm_rate_alone():
    masks, predicted = with_empty_masks()
    marked = [0, 2, 3, 5]
    found = segmentation.scores(masks, sure(predicted), WHAT)
    others = segmentation.scores(masks[marked], sure(predicted[marked]), WHAT)
    assert (found.pop("false_alarm_rate"), found.pop("empty_masks"), found.pop("empty_in_both")) == (0.5, 2, 1)
    assert found.pop("pixel_accuracy") == pytest.approx(np.mean(masks == predicted))
    others.pop("pixel_accuracy")
    assert found == pytest.approx(others)
    assert found["dice"] == pytest.approx(np.mean([f1_score(masks[i].ravel(), predicted[i].ravel()) for i in marked]))


def test_a_network_that_finds_nothing_is_no_success_where_masks_are_empty():
    masks = np.zeros((10, 24, 24), bool)
    masks[0] = blobs(0)[0]
    found = segmentation.scores(masks, sure(np.zeros_like(masks)), WHAT)
    assert (found["dice"], found["iou"], found["dice_worst"]) == (0, 0, 0)
    assert (found["false_alarm_rate"], found["empty_masks"], found["empty_in_both"]) == (0, 9, 9)
    tested = segmentation.test_scores(masks, sure(np.zeros_like(masks)), WHAT, resamples=50)
    assert tested["dice"].value == 0
    assert tested["false_alarm_rate"].value == 0


def test_without_empty_masks_there_is_no_false_alarm_rate_to_speak_of():
    masks, predicted = blobs(0, 4), blobs(1, 4)
    assert not {"false_alarm_rate", "empty_masks", "empty_in_both"} & set(
        segmentation.scores(masks, sure(predicted), WHAT)
    )
    assert "false_alarm_rate" not in segmentation.test_scores(masks, sure(predicted), WHAT, resamples=50)


def test_a_set_that_marks_nothing_has_no_dice():
    nothing = np.zeros((3, 24, 24), bool)
    for score in (segmentation.scores, segmentation.test_scores):
        with pytest.raises(TrainingError, match=r"None of the 3 masks .* marks anything"):
            score(nothing, sure(nothing), WHAT)
