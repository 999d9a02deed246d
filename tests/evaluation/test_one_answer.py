"""A network that predicts one class, or is no more right than the commonest class, is remarked; others are not."""

from typing import Any

import numpy as np
import pytest
from typed_summaries import typed

from medcls.evaluation.one_answer import of_classes, of_masks, remarks

CLASSES = ("Mel", "Nev", "bone loss")


def sure(predicted: Any, classes: int = 3) -> Any:
    return np.eye(classes)[np.asarray(predicted)]


def test_one_class_for_every_image_is_said_with_its_share() -> None:
    told = of_classes(np.array([1] * 5 + [0] * 4), sure([1] * 9), CLASSES)
    assert told == "predicts Nev for every image: its accuracy 0.556 is the share of that class."
    rarer = of_classes(np.array([1] * 5 + [0] * 4), sure([0] * 9), CLASSES)
    assert "predicts Mel for every image" in rarer
    assert "0.444" in rarer


def test_a_class_that_no_image_has_is_said_too() -> None:
    assert "predicts bone loss for every image: its accuracy 0.000" in of_classes(
        np.array([0, 1, 0, 1]), sure([2] * 4), CLASSES
    )


@pytest.mark.parametrize(
    ("right_of_common", "right_of_rare", "remarked"),
    [
        (70, 0, True),  # 20 wrong alarms and no rare image found: worse than the commonest class
        (85, 5, True),  # five found for five false alarms: the very same accuracy
        (88, 5, True),  # five found for two: p = 0.45
        (90, 8, False),  # eight found for nothing: p = 2 / 2^8
        (90, 5, True),  # five for nothing: p = 2 / 2^5 = 0.0625
    ],
)
def test_accuracy_is_compared_with_the_commonest_class(
    right_of_common: int, right_of_rare: int, remarked: bool
) -> None:
    labels = np.array([0] * 90 + [1] * 10)
    predicted = [0] * right_of_common + [1] * (90 - right_of_common) + [1] * right_of_rare + [0] * (10 - right_of_rare)
    told = of_classes(labels, sure(predicted), CLASSES)
    assert bool(told) == remarked
    if remarked:
        balanced = (right_of_common / 90 + right_of_rare / 10) / 2
        assert "the 0.900 of always answering Mel" in told
        assert f"{(right_of_common + right_of_rare) / 100:.3f}" in told
        assert f"balanced accuracy is {balanced:.3f}" in told


def test_where_all_images_are_of_one_class_nothing_is_remarked() -> None:
    assert of_classes(np.array([1] * 6), sure([1] * 6), CLASSES) == ""


def test_a_good_classifier_is_left_alone() -> None:
    labels = np.arange(60) % 3
    assert of_classes(labels, sure(np.where(np.arange(60) < 5, 0, labels)), CLASSES) == ""


def test_masks_that_are_alike_whatever_is_shown() -> None:
    masks = np.zeros((4, 8, 8), bool)
    masks[:3, 2:5, 2:5] = [[[True]], [[False]], [[True]]]
    masks[1, 0, 0] = True
    nothing, everything, middle = np.zeros((4, 8, 8, 1)), np.ones((4, 8, 8, 1)), np.zeros((4, 8, 8, 1))
    middle[:, 3:5, 3:5] = 0.9
    assert of_masks(masks, nothing) == "marks nothing in any of 4 images, though 3 have a target."
    assert of_masks(masks, everything).startswith("marks every pixel of all 4 images")
    assert "the same pixels in all 4 images" in of_masks(masks, middle)
    assert of_masks(masks, masks[..., None] * 0.9) == ""
    assert of_masks(np.zeros((4, 8, 8), bool), nothing) == ""  # there is nothing to be found


def run(variant: str, seed: int, remark: str, fold: int | None = None) -> dict[str, Any]:
    return {"data": "skin", "variant": variant, "seed": seed, "fold": fold, "status": "finished", "remark": remark}


def test_a_variants_runs_are_remarked_in_one_line() -> None:
    one = "predicts Nev for every image: its accuracy 0.556 is the share of that class."
    runs = [
        run("plain", 0, one),
        run("plain", 1, ""),
        run("plain", 2, one),
        run("dropout", 0, ""),
        run("wide", 0, one, 1),
    ]
    found = remarks(typed({"data_sets": [{"name": "skin"}], "runs": runs}))
    assert [row.variant for row in found] == ["plain", "wide"]
    assert found[0].sentence.startswith(f"plain seed 0 {one}")
    assert "2 of the 3 runs of plain" in found[0].sentence
    assert found[1].sentence == f"wide seed 0 fold 2 {one}"


def test_a_refit_is_not_counted_among_the_folds() -> None:
    folds = [run("plain", 0, "predicts a.", fold) for fold in range(2)]
    refit = run("plain", 0, "predicts b.")
    runs = [{**record, "params": {"folds": 2}} for record in [*folds, refit]]
    found = remarks(typed({"data_sets": [{"name": "skin"}], "runs": runs}))
    assert "2 of the 2 runs of plain" in found[0].sentence
    assert found[1].sentence == "The refit of plain predicts b."


def test_of_a_search_the_best_trial_alone_is_remarked() -> None:
    runs = [run("trial 0", 0, "predicts a."), run("trial 1", 0, "predicts b.")]
    best = {"skin": {"variant": "trial 1"}}
    found = typed({"data_sets": [{"name": "skin"}], "runs": runs, "trials": [], "best": best})
    assert [row.variant for row in remarks(found)] == ["trial 1"]
