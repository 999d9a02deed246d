"""The table of metrics says which way a score gets better, whatever its class is called, and knows what exists."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed_summaries import answered, typed

from medcls import BadInputError
from medcls.evaluation import classification, metrics, run_scores, segmentation
from medcls.evaluation.answers import compare, comparisons, converges, final, reaches, sooner, until
from medcls.evaluation.convergence import CompareCurves
from medcls.evaluation.summary import StudySummary
from medcls.tasks import BINARY, MULTICLASS, SEGMENTATION, SPARSE

TASKS = [BINARY, MULTICLASS, SPARSE, SEGMENTATION]
MISLEADING = [
    "glossitis",
    "bone loss",
    "recession",
    "colossal gap",
    "distance",
    "epoch",
    "ece",
    "_sd",
    "val_loss",
    "a/b",
]


def summary(name: str, a: float, b: float, seeds: int = 6) -> StudySummary:
    """Return two variants of which one has `b` where the other has `a`, and neither the same twice."""
    runs = [
        {
            "data": "mouth",
            "variant": variant,
            "seed": seed,
            "fold": None,
            "status": "finished",
            "best_epoch": 0,
            "params": {"folds": None},
            "metrics": {name: value + 0.001 * seed * (1 + (variant == "long"))},
            "history": {"val_accuracy": [0.5]},
        }
        for variant, value in (("short", a), ("long", b))
        for seed in range(seeds)
    ]
    return typed({"data_sets": [{"name": "mouth"}], "runs": runs})


@pytest.mark.parametrize("called", [*MISLEADING, "tongue"])
@pytest.mark.parametrize("metric", ["recall", "precision", "f1"])
def test_a_classs_name_turns_no_comparison_round(metric: str, called: str) -> None:
    name = f"{metric}/{called}"
    found = summary(name, 0.4, 0.8)
    asked = compare("short", "long", name)
    ended = answered(found, [asked])
    assert ended.comparisons[0].verdict == "better"
    told = ended.answers[0].answer
    assert told.startswith("long is better than short: +0.4")
    assert f"in {name} (" in told  # the class as it is called, three digits
    assert (run_scores.score(name).ends, run_scores.digits(name)) == ((0.0, 1.0), 3)


@given(st.text(min_size=1))
def test_no_class_whatever_turns_a_recall_round(called: str) -> None:
    assert run_scores.score(f"recall/{called}").higher_is_better is True
    assert run_scores.words(f"recall/{called}") == f"recall/{called}"


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        *[(name, False) for name in ("loss", "val_loss", "log_loss", "gap", "brier", "ece", "hausdorff95", "dice_sd")],
        *[(name, False) for name in ("surface_distance_sd", "best/val_loss", "test/brier", "test_loss")],
        *[
            (name, True)
            for name in ("accuracy", "val_accuracy", "best/val_accuracy", "test_accuracy", "auc", "val_iou")
        ],
        *[(name, None) for name in ("specificity", "val_specificity", "glossy", "accuracy/a", "learning_rate", "")],
    ],
)
def test_direction_is_read_off_the_table_or_not_known(name: str, higher: bool | None) -> None:
    assert run_scores.score(name).higher_is_better is higher


def test_every_score_that_a_run_ends_with_is_in_the_table() -> None:
    rng = np.random.default_rng(0)
    classes = ("normal", "bone loss")
    of_classes = classification.scores(rng.integers(2, size=40), rng.dirichlet((1, 1), 40), classes)
    of_masks = segmentation.scores(rng.random((4, 8, 8)) > 0.5, rng.random((4, 8, 8, 1)), ("polyp",))
    for kind, names, found in ((metrics.CLASSES, classes, of_classes), (metrics.MASKS, ("polyp",), of_masks)):
        assert set(found) <= set(metrics.recorded(kind, names))
        assert all(metrics.metric(name) is not None for name in found)
        assert set(metrics.to_maximise(kind, names)) == {
            name for name in found if run_scores.score(name).higher_is_better is True
        }


@pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])
def test_every_curve_of_a_task_is_in_the_table(task: Any) -> None:
    kind = metrics.MASKS if task.pixels else metrics.CLASSES
    known = metrics.recorded(kind, ("a", "b"))
    for metric in task.metrics(2):
        assert {metric.name, f"val_{metric.name}"} <= set(known)
    assert {"max": True, "min": False}[task.mode] is run_scores.score(task.monitor).higher_is_better
    assert task.measure in known


@pytest.mark.parametrize(
    ("asked", "meant"), [("val_recall/tongue", "recall/tongue"), ("val_acuracy", "val_accuracy"), ("aucc", "auc")]
)
def test_an_unknown_score_is_refused_by_name_with_the_nearest(asked: str, meant: str) -> None:
    known = metrics.recorded(metrics.CLASSES, ("normal", "tongue"))
    with pytest.raises(BadInputError, match=f"no score '{asked}' .did you mean.*{meant}"):
        compare("short", "long", asked).check(known)


def test_what_no_run_has_is_said_so_afterwards_too() -> None:
    found = summary("recall/tongue", 0.4, 0.8)
    asked = compare("short", "long", "val_recall/tongue")
    told = answered(found, [asked]).answers[0].answer
    assert "there is no score 'val_recall/tongue' (did you mean recall/tongue" in told
    assert "no finished pair" not in told
    assert "no score 'recall/lip'" in final("recall/lip")(found).answer


def test_a_score_of_ones_own_says_which_way_it_gets_better() -> None:
    found = summary("val_false_alarms", 0.4, 0.8)
    for higher, verdict in ((True, "better"), (False, "worse")):
        asked = compare("short", "long", "val_false_alarms", higher_is_better=higher)
        asked.check(None)
        assert comparisons(found, [asked])[0].verdict == verdict
    with pytest.raises(BadInputError, match=r"val_false_alarms.*higher_is_better=True"):
        compare("short", "long", "val_false_alarms").check(None)


@pytest.mark.parametrize("kind", [converges, sooner])
def test_epochs_to_a_share_of_a_loss_are_refused(kind: Any) -> None:
    known = metrics.recorded(metrics.CLASSES, ())
    asked = kind("short", "long", "val_loss")
    assert isinstance(asked, CompareCurves)
    with pytest.raises(BadInputError, match="val_loss gets better as it falls"):
        asked.check(known)
    with pytest.raises(BadInputError, match=r"no score 'val_acc' .did you mean"):
        kind("short", "long", "val_acc").check(known)
    kind("short", "long").check(known)


def test_what_choosing_on_a_loss_adds_is_how_much_lower_it_was() -> None:
    run = replace(summary("gap", 0.1, 0.2).runs[0], history={"test_loss": (0.9, 0.4, 0.7)}, best_epoch=2)
    assert run_scores.worth_of_choosing_on("test_loss").of(run) == pytest.approx(0.3)


def test_a_loss_reaches_a_value_from_above() -> None:
    curves = {"fast": [0.9, 0.3, 0.2], "slow": [0.9, 0.8, 0.7]}
    runs = []
    for run in summary("gap", 0.1, 0.2, seeds=1).runs:
        curve = curves["slow" if run.variant == "short" else "fast"]
        runs.append(replace(run, metrics={}, history={"val_loss": tuple(curve)}))
    found = replace(summary("gap", 0.1, 0.2), runs=tuple(runs))
    told = until("val_loss", 0.35)(found)
    assert told.values["mouth"] == {"short": [None], "long": [2]}
    assert "at most 0.35" in told.question
    assert reaches("long", of="short", metric="val_loss")(found).values["mouth"][0]["epoch"] == 2


def test_a_score_that_some_data_alone_have_may_be_compared_and_decides_nothing() -> None:
    known = metrics.recorded(metrics.MASKS, ("polyp",))
    compare("short", "long", "dice_own_size").check(known)
    assert "dice_own_size" not in metrics.to_maximise(metrics.MASKS, ("polyp",))
