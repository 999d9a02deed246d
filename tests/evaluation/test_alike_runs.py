"""Repeats that repeat nothing: runs alike to the bit count once, and without any spread nothing is claimed."""

from typing import Any

import numpy as np
import pytest
from typed_summaries import answered, typed

from medcls.evaluation import paired_tests, run_scores
from medcls.evaluation.answers import compare, comparisons, decided, final, interim_look
from medcls.evaluation.references import ratio
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.wording import counted

ASKED = compare("one", "eleven", "val_accuracy", "Are eleven neighbours better?")


def run(variant: str, seed: int, accuracy: float, predictions: str, **more: Any) -> dict[str, Any]:
    return {
        "data": "breast",
        "variant": variant,
        "seed": seed,
        "fold": None,
        "status": "finished",
        "best_epoch": 0,
        "params": {"folds": None},
        "metrics": {"accuracy": accuracy},
        "history": {"val_accuracy": [accuracy]},
        "predictions_sha256": predictions,
        **more,
    }


def summary(*runs: dict[str, Any], **more: Any) -> StudySummary:
    return typed({"data_sets": [{"name": "breast"}], "runs": list(runs), **more})


def alike(seeds: int = 6) -> list[dict[str, Any]]:
    """Return runs on 24 images of two learners on which the seed has no effect: 4 images differ, all one way."""
    one = [run("one", seed, 20 / 24, "1" * 64, right="1" * 20 + "0" * 4) for seed in range(seeds)]
    return one + [run("eleven", seed, 1.0, "2" * 64, right="1" * 24) for seed in range(seeds)]


def test_six_equal_runs_are_one_and_mcnemar_speaks() -> None:
    found = summary(*alike())
    ended = answered(found, [ASKED])
    told = ended.answers[0].answer
    (row,) = ended.comparisons
    assert (row.verdict, row.n, row.runs, row.p_adjusted) == ("one run only", 1, 6, None)
    assert row.detectable is None
    assert row.mcnemar == pytest.approx(2 / 2**4)
    assert "+0.167" in told
    assert "the same one 6 times" in told
    assert "n = 1" in told
    assert "McNemar's p = 0.125" in told
    assert "interval" not in told
    assert "repeat it" not in told


def test_the_mean_of_equal_runs_has_neither_spread_nor_interval() -> None:
    told = final("val_accuracy")(summary(*alike()))
    assert told.values["breast"]["eleven"]["val_accuracy"] == {
        "mean": 1.0,
        "sd": 0.0,
        "ci95": None,
        "values": [1.0],
    }
    assert "±" not in told.answer
    assert counted(summary(*alike(3)[:3]).runs) == "3, 1 different"
    assert counted(summary(*alike(1)).runs) == "2"


def test_only_pairs_alike_in_both_variants_are_merged() -> None:
    """A learner without chance beside one with: the pairs differ, and their differences are a sample."""
    other = [0.81, 0.84, 0.79, 0.86]
    runs = [run("one", seed, 0.75, "1" * 64) for seed in range(4)]
    runs += [run("eleven", seed, value, f"{seed}" * 64) for seed, value in enumerate(other)]
    found = summary(*runs)
    ended = answered(found, [ASKED])
    (row,) = ended.comparisons
    expected = paired_tests.over_seeds([0.75] * 4, other)
    assert (row.n, row.runs, row.verdict) == (4, 4, "better")
    assert row.p == pytest.approx(expected.p)
    assert row.ci95 == pytest.approx(expected.ci95)


def test_a_seed_that_was_given_twice_counts_once() -> None:
    runs = []
    for seed, (a, b, told) in enumerate([(0.7, 0.8, "a"), (0.7, 0.8, "a"), (0.75, 0.82, "b"), (0.72, 0.83, "c")]):
        runs += [run("one", seed, a, told * 64), run("eleven", seed, b, told.upper() * 64)]
    found = summary(*runs)
    ended = answered(found, [ASKED])
    told = ended.answers[0].answer
    expected = paired_tests.over_seeds([0.7, 0.75, 0.72], [0.8, 0.82, 0.83])
    assert ended.comparisons[0].p == pytest.approx(expected.p)
    assert "n = 3; 1 more repeat" in told


@pytest.mark.parametrize(("a", "b"), [(0.5, 1.0), (0.9, 0.9), (1.0, 1.0)])
def test_runs_that_differ_with_saturated_scores_have_no_interval_and_no_verdict(a: float, b: float) -> None:
    runs = [run("one", seed, a, f"{seed}a" * 32) for seed in range(6)]
    runs += [run("eleven", seed, b, f"{seed}b" * 32) for seed in range(6)]
    found = summary(*runs)
    ended = answered(found, [ASKED])
    told = ended.answers[0].answer
    (row,) = ended.comparisons
    assert (row.verdict, row.n, row.detectable) == ("not distinguishable", 6, None)
    assert "95% interval" not in told
    assert "no interval" in told
    assert final("val_accuracy")(found).values["breast"]["one"]["val_accuracy"]["ci95"] is None


def test_differences_of_rounding_alone_are_no_spread() -> None:
    """Where --set leaves nothing to chance, batches in another order still round otherwise."""
    rng = np.random.default_rng(0)
    runs = [run("one", seed, 0.4 + 1e-8 * rng.normal(), f"{seed}a") for seed in range(6)]
    runs += [run("eleven", seed, 0.6 + 1e-8 * rng.normal(), f"{seed}b") for seed in range(6)]
    found = summary(*runs)
    ended = answered(found, [ASKED])
    told = ended.answers[0].answer
    assert (ended.comparisons[0].verdict, ended.comparisons[0].p_adjusted) == ("not distinguishable", None)
    assert "no interval" in told
    small = 1e-9 * rng.random(12)
    tiny = [{**one, "history": {"val_accuracy": [value]}} for one, value in zip(runs, small, strict=True)]
    assert comparisons(summary(*tiny), [ASKED])[0].p is not None  # small numbers that do vary


def test_folds_are_of_other_images_and_never_merged() -> None:
    runs = [
        run(variant, 0, accuracy, told * 64, fold=fold, params={"folds": 4})
        for variant, accuracy, told in (("one", 0.8, "a"), ("eleven", 0.9, "b"))
        for fold in range(4)
    ]
    found = summary(*runs)
    ended = answered(found, [ASKED])
    assert (ended.comparisons[0].n, ended.comparisons[0].verdict) == (4, "not distinguishable")
    assert run_scores.distinct(found.runs) == 8


def test_times_of_equal_runs_are_still_measured_again_and_again() -> None:
    runs = [{**each, "seconds_per_epoch": 1.0 + 0.1 * each["seed"]} for each in alike(3)]
    told = ratio("one", "eleven", run_scores.seconds_per_epoch(), "How long?")(summary(*runs))
    assert told.answer.endswith("n = 3).")


def test_no_seeds_are_added_where_seeds_change_nothing() -> None:
    look = {"number": 1, "seeds": [6, 12, 24], "level": 0.0125}
    found = summary(*alike(), look=look)
    assert decided(found, [ASKED])
    ended = answered(found, [ASKED])
    assert "No more seeds were added, as they change nothing" in interim_look(ended)
    noisy = [run(name, seed, 0.5 + 0.1 * (seed % 2), f"{name} {seed}") for seed in (0, 1) for name in ("one", "eleven")]
    assert not decided(summary(*noisy, look=look), [ASKED])
