"""A study without answers is still answered: each variant against the first, and a search by its best trial."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from typed_summaries import answered, typed

from medcls.evaluation.best_answers import best_trial, compare_each, deciding_score
from medcls.evaluation.paired_tests import over_folds
from medcls.evaluation.summary import StudySummary

FOLDS = 3


def run(variant: str, value: float, *, seed: int = 0, fold: int | None = None) -> dict[str, Any]:
    return {
        "data": "xray",
        "variant": variant,
        "seed": seed,
        "fold": fold,
        "best_epoch": 1,
        "params": {"folds": None if fold is None else FOLDS},
        "metrics": {"balanced_accuracy": value},
        # a curve of this name is of the training set: nothing here may be read from it
        "history": {"balanced_accuracy": [0.1, 0.99]},
    }


def seeds(**values: list[float]) -> StudySummary:
    runs = []
    for variant, scores in values.items():
        runs += [run(variant, score, seed=seed) for seed, score in enumerate(scores)]
    return typed({"data_sets": [{"name": "xray"}], "runs": runs})


def test_each_variant_is_judged_against_the_first_by_the_score_that_decides() -> None:
    first, better = [0.60, 0.61, 0.62, 0.63], [0.80, 0.815, 0.82, 0.83]
    summary = seeds(plain=first, wide=better)
    done = answered(summary, (compare_each("plain", ["wide"], deciding_score("balanced_accuracy")),))
    (row,) = done.comparisons
    assert (row.a, row.b, row.metric, row.verdict) == ("plain", "wide", "val_balanced_accuracy", "better")
    assert row.difference == pytest.approx(np.mean(better) - np.mean(first))
    assert row.p == pytest.approx(stats.ttest_rel(better, first).pvalue)
    (answer,) = done.answers
    assert answer.question == "Is wide better than plain by validation balanced accuracy?"
    assert answer.answer.startswith("wide is better than plain: +0.20")


def test_the_verdicts_of_many_variants_are_said_together() -> None:
    rng = np.random.default_rng(0)
    others = {f"variant {number}": list(0.6 + rng.normal(0, 0.05, 4)) for number in range(6)}
    summary = seeds(plain=[0.60, 0.61, 0.62, 0.63], good=[0.9, 0.92, 0.93, 0.94], bad=[0.1, 0.12, 0.13, 0.14], **others)
    names = ["good", "bad", *others]
    done = answered(summary, (compare_each("plain", names, deciding_score("balanced_accuracy")),))
    assert [row.b for row in done.comparisons] == names
    text = done.answers[0].answer
    assert text.startswith("Of 8 variants against plain, by validation balanced accuracy: 1 better: good (+0.30")
    assert "1 worse: bad (-0.49" in text
    assert "6 not distinguishable" in text
    assert set(done.answers[0].values["xray"]) == set(names)


FOUND = {"trial 0": [0.50, 0.52, 0.54], "trial 1": [0.60, 0.66, 0.63], "trial 2": [0.4]}


def search(importances: dict[str, float] | None = None, best: str = "trial 1", trials: int = 3) -> StudySummary:
    runs = []
    for variant, scores in FOUND.items():
        runs += [run(variant, score, fold=fold) for fold, score in enumerate(scores)]
    states = ["complete", "complete", "pruned"] + ["complete"] * (trials - 3)
    records = []
    for number, state in enumerate(states):
        value = None if state == "pruned" else float(np.mean(FOUND.get(f"trial {number}", [0.45])))
        params = {"learner.model.depth": 8 + number, "learner.augment.strength": 0.123456}
        records.append({"number": number, "state": state, "value": value, "params": params})
    record = {
        "key": "a",
        "variant": best,
        "metric": "balanced_accuracy",
        "value": float(np.mean(FOUND[best])),
        "mean_sd": {"balanced_accuracy": [float(np.mean(FOUND[best])), float(np.std(FOUND[best], ddof=1))]},
        "test": {"balanced_accuracy": {"value": 0.61, "ci95": [0.55, 0.67]}},
    }
    more = {} if importances is None else {"importances": importances}
    data = {"name": "xray", "n": {"train": 100, "test": 40}}
    summary = typed({"data_sets": [data], "runs": runs, "trials": records, "best": {"xray": record}, **more})
    return answered(summary, (best_trial("balanced_accuracy", "Which network is best?"),))


def test_a_search_names_its_best_trial_its_scores_and_what_it_was_better_than() -> None:
    done = search()
    (answer,) = done.answers
    assert answer.question == "Which network is best?"
    assert "trial 1, with depth 9, augment strength 0.123" in answer.answer
    low, high = stats.t.interval(0.95, FOLDS - 1, np.mean(FOUND["trial 1"]), stats.sem(FOUND["trial 1"]))
    assert f"0.630 ± 0.030 [{low:.3f}, {high:.3f}] over 3 folds" in answer.answer
    assert "0.610 on the test set" in answer.answer
    assert "0.550 to 0.670 over 40 images" in answer.answer
    assert "3 trials (1 pruned)" in answer.answer
    (row,) = done.comparisons
    assert (row.a, row.b) == ("trial 0", "trial 1")
    assert row.p == over_folds(FOUND["trial 0"], FOUND["trial 1"], FOLDS).p
    assert row.p_adjusted == row.p  # chosen out of one trial beside the starting point
    assert f"Against the starting point (trial 0): trial 1 is {row.verdict}" in answer.answer


def test_a_trial_that_was_chosen_by_its_score_has_to_be_the_better_the_more_it_was_chosen_from() -> None:
    (row,) = search(trials=10).comparisons
    assert row.p is not None
    assert row.p_adjusted == pytest.approx(min(1.0, 8 * row.p))  # 9 complete trials, one of them the starting point
    assert "p is multiplied by 8" in search(trials=10).answers[0].answer


def test_the_starting_point_may_be_the_best() -> None:
    done = search(best="trial 0")
    assert done.comparisons == ()
    assert "It is the starting point (trial 0): no proposal scored higher." in done.answers[0].answer


def test_what_mattered_is_said_from_enough_trials_only() -> None:
    assert "cannot be told from 2 completed trials (it takes 20)" in search().answers[0].answer
    shares = {"learner.augment.strength": 0.2, "learner.model.depth": 0.8}
    assert "depth 0.80, augment strength 0.20" in search(shares, trials=24).answers[0].answer
    assert "no parameter mattered" in search(trials=24).answers[0].answer


def test_a_search_without_a_completed_trial_says_so() -> None:
    summary = typed({"data_sets": [{"name": "xray"}], "runs": [], "trials": []})
    (answer,) = answered(summary, (best_trial("balanced_accuracy", "?"),)).answers
    assert answer.answer == "No trial was completed."
