"""Ratios of two variants and scores on the test part beside published ones are sentences with the right numbers."""

from typing import Any

import numpy as np
import pytest
from typed_summaries import typed

from medcls.evaluation import run_scores
from medcls.evaluation.answers import final
from medcls.evaluation.references import beside_published, ratio
from medcls.evaluation.summary import StudySummary


def run(variant: str, seed: int, seconds: float, parameters: int, curve: list[float], best: int) -> dict[str, Any]:
    return {
        "data": "mnist",
        "variant": variant,
        "seed": seed,
        "fold": None,
        "status": "finished",
        "best_epoch": best,
        "seconds_per_epoch": seconds,
        "params": {"folds": None},
        "parameters": {"total": parameters, "trainable": parameters},
        "metrics": {},
        "history": {"test_accuracy": curve},
    }


RUNS = [run("plain", seed, 2.0 + seed, 1000, [0.9, 0.93, 0.92], 2) for seed in range(3)] + [
    run("small", seed, (2.0 + seed) * factor, 250, [0.9, 0.91], 1) for seed, factor in enumerate((0.5, 0.4, 0.6))
]
TEST = {"accuracy": {"value": 0.99, "ci95": [0.985, 0.993]}}
BEST = {"variant": "plain", "test": TEST, "tested": {"accuracy": [0.99, 0.98, 0.985]}}


def summary(best: dict[str, Any] = BEST) -> StudySummary:
    return typed({"data_sets": [{"name": "mnist"}], "runs": RUNS, "best": {"mnist": best}})


def test_a_ratio_is_the_geometric_mean_over_the_seeds_and_turns_over() -> None:
    there = ratio("plain", "small", run_scores.seconds_per_epoch(), "How long?")(summary())
    back = ratio("small", "plain", run_scores.seconds_per_epoch(), "How long?")(summary())
    found, turned = there.values["mnist"], back.values["mnist"]
    assert found["ratio"] == pytest.approx(np.cbrt(0.5 * 0.4 * 0.6))
    assert found["ratio"] * turned["ratio"] == pytest.approx(1)
    assert np.multiply(found["ci95"], turned["ci95"][::-1]) == pytest.approx([1, 1])
    assert "small has 0.49 times the seconds per epoch of plain (1.53 vs 3; 95% interval" in there.answer


def test_numbers_of_parameters_need_no_interval() -> None:
    told = ratio("plain", "small", run_scores.parameters(), "How many?")(summary()).answer
    assert told == "small has 0.25 times the parameters of plain (250 vs 1,000; n = 3)."


def test_without_a_pair_there_is_no_ratio() -> None:
    told = ratio("plain", "large", run_scores.parameters(), "How many?")(summary())
    assert (told.values, "no finished pair" in told.answer) == ({}, True)


def test_a_score_stands_beside_a_published_one_with_its_interval_and_seeds() -> None:
    told = beside_published("accuracy", 0.9941, "the report")(summary())
    assert told.values["mnist"]["seeds"] == (0.99, 0.98, 0.985)
    for words in ("0.9900 (95% interval 0.9850 to 0.9930", "3 seeds 0.9850 ± 0.0050", "0.9941, the report"):
        assert words in told.answer


def test_without_a_test_set_nothing_is_claimed() -> None:
    told = beside_published("accuracy", 0.9941, "the report")(summary({**BEST, "test": None}))
    assert (told.answer, told.values) == ("mnist has no test set.", {})


def test_what_a_choice_on_the_test_set_would_have_gained() -> None:
    found = final(run_scores.worth_of_choosing_on("test_accuracy"))(summary()).values["mnist"]
    assert found["plain"]["gain_in_test_accuracy"]["mean"] == pytest.approx(0.01)
    assert found["small"]["gain_in_test_accuracy"]["mean"] == 0
