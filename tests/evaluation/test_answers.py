"""Answers are sentences with the numbers of the runs, right for one seed, several seeds, folds and two data sets."""

from typing import Any

import numpy as np
import pytest
from typed_summaries import answered, typed

from medcls.evaluation import paired_tests
from medcls.evaluation.answers import (
    compare,
    comparisons,
    converges,
    decided,
    final,
    interim_look,
    overfitting,
    reaches,
    sooner,
    until,
)
from medcls.evaluation.epochs import smoothed
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.wording import p_value


def run(variant: str, seed: int, curve: list[float], fold: int | None = None, **more: Any) -> dict[str, Any]:
    losses = [1 - value for value in curve]
    return {
        "data": "skin",
        "variant": variant,
        "seed": seed,
        "fold": fold,
        "status": "finished",
        "best_epoch": len(curve) - 1,
        "params": {"folds": None},
        "metrics": {"accuracy": curve[-1] - 0.1, "gap": 0.1},
        "history": {"accuracy": curve, "val_accuracy": [value - 0.1 for value in curve], "val_loss": losses},
        **more,
    }


def summary(*runs: dict[str, Any], data: tuple[str, ...] = ("skin",), **more: Any) -> StudySummary:
    return typed({"data_sets": [{"name": name} for name in data], "runs": list(runs), **more})


FASTER = [0.5, 0.8, 0.9, 0.92]
SLOWER = [0.4, 0.6, 0.7, 0.8]
SEEDS = [
    each
    for seed in range(4)
    for each in (
        run("plain", seed, [value + 0.01 * seed for value in SLOWER]),
        run("normed", seed, [value + 0.01 * seed + 0.002 * (seed % 2) for value in FASTER]),
    )
]


def test_a_clear_difference_over_seeds_is_a_verdict_with_numbers() -> None:
    found = summary(*SEEDS)
    ended = answered(found, [compare("plain", "normed", "val_accuracy", "Does it help?", expected="better")])
    (told,) = ended.answers
    row = ended.comparisons[0]
    expected = paired_tests.over_seeds([0.7, 0.71, 0.72, 0.73], [0.82, 0.832, 0.84, 0.852])
    assert (row.verdict, row.n, row.data) == ("better", 4, "skin")
    assert row.difference == pytest.approx(expected.difference)
    assert row.p_adjusted == pytest.approx(expected.p)
    assert told.question == "Does it help?"
    assert "normed is better than plain: +0.121 in validation accuracy" in told.answer
    assert told.answer.endswith("As expected.")


def test_p_is_adjusted_over_all_comparisons_of_the_study() -> None:
    found = summary(*SEEDS)
    ended = answered(
        found, [compare("plain", "normed", "val_accuracy"), final("accuracy"), compare("plain", "normed", "gap")]
    )
    first, second = ended.comparisons
    assert first.p_adjusted == pytest.approx(2 * first.p)
    assert (second.difference, second.verdict) == (0, "not distinguishable")


def test_one_pair_asks_for_seeds() -> None:
    found = summary(*SEEDS[:2])
    ended = answered(found, [compare("plain", "normed", "accuracy")])
    (told,) = ended.answers
    assert ended.comparisons[0].verdict == "one run only"
    assert "repeat it with more seeds" in told.answer


def test_lower_is_better_for_losses_gaps_and_epochs() -> None:
    found = summary(*SEEDS)
    ended = answered(found, [compare("plain", "normed", "val_loss")])
    assert ended.comparisons[0].difference < 0
    assert ended.comparisons[0].verdict == "better"


def test_an_undecided_comparison_says_what_it_could_have_found() -> None:
    noisy = [run(name, seed, [0.5, value]) for seed, value in enumerate((0.7, 0.9, 0.8)) for name in ("a",)]
    noisy += [run("b", seed, [0.5, value]) for seed, value in enumerate((0.9, 0.7, 0.82))]
    found = summary(*noisy)
    ended = answered(found, [compare("a", "b", "accuracy", expected="better")])
    (told,) = ended.answers
    assert "not distinguishable from a" in told.answer
    assert f"{ended.comparisons[0].detectable:.3f} or more are detectable" in told.answer
    assert "xpected" not in told.answer


def test_folds_are_paired_by_fold_and_corrected() -> None:
    folds = [
        run(name, 0, [0.5, base + step], fold=fold, params={"folds": 3})
        for name, base in (("a", 0.7), ("b", 0.75))
        for fold, step in enumerate((0.0, 0.03, 0.05 if name == "a" else 0.06))
    ]
    refit = run("b", 0, [0.0, 0.0], fold=None, params={"folds": 3})
    found = summary(*folds, refit)
    ended = answered(found, [compare("a", "b", "val_accuracy")])
    expected = paired_tests.over_folds([0.6, 0.63, 0.65], [0.65, 0.68, 0.71], 3)
    assert ended.comparisons[0].n == 3
    assert ended.comparisons[0].p == pytest.approx(expected.p)


def test_failed_and_missing_runs_are_left_out_of_the_pairs() -> None:
    broken = {**SEEDS[0], "status": "failed", "metrics": {}, "history": {}, "best_epoch": None}
    found = summary(broken, *SEEDS[1:4])
    ended = answered(
        found, [compare("plain", "normed", "accuracy"), compare("plain", "gone", "accuracy"), final("gap")]
    )
    told = ended.answers
    assert [row.n for row in ended.comparisons] == [1, 0]
    assert "no finished pair" in told[1].answer


def test_final_gives_mean_deviation_and_interval_of_every_variant() -> None:
    ended = answered(summary(*SEEDS), [final("accuracy", "val_accuracy")])
    (told,) = ended.answers
    value = told.values["skin"]["normed"]["val_accuracy"]
    assert value["mean"] == pytest.approx(0.836)
    assert value["sd"] == pytest.approx(np.std([0.82, 0.832, 0.84, 0.852], ddof=1))
    assert value["ci95"][0] < 0.836 < value["ci95"][1]
    assert "normed: accuracy 0.936" in told.answer  # of training, as in the history


def test_intervals_end_where_the_score_does() -> None:
    curves = ([0.5, 1.0], [0.5, 0.12], [0.5, 0.99])
    found = summary(*(run("fragile", seed, curve) for seed, curve in enumerate(curves)))
    ended = answered(found, [final("accuracy", "val_loss", "gap")])
    (answer,) = ended.answers
    shown = answer.values["skin"]["fragile"]
    assert shown["accuracy"]["ci95"] == [0.0, 1.0]
    assert shown["val_loss"]["ci95"][0] < 0  # a loss, such as a negative logarithm of a density, may be below 0
    assert "[0.000, 1.000]" in answer.answer


def test_reaching_is_seed_by_seed_smoothed_and_not() -> None:
    ended = answered(summary(*SEEDS), [reaches("normed", of="plain")])
    (told,) = ended.answers
    assert [row["epoch"] for row in told.values["skin"]] == [2, 2, 2, 2]
    assert told.values["skin"][0]["goal"] == 0.8
    assert [row["smoothed"] for row in told.values["skin"]] == [2, 2, 2, 2]  # means .65 against .625
    assert "reaches 0.815 at epoch 2.0 ± 0.0" in told.answer


def test_what_is_never_reached_is_said() -> None:
    ended = answered(summary(*SEEDS), [reaches("plain", of="normed")])
    (told,) = ended.answers
    assert "reaches 0.936 in no run; smoothed over five epochs, in no run." in told.answer


def test_overfitting_starts_at_the_least_validation_loss() -> None:
    curve = [0.5, 0.8, 0.7, 0.6]
    ended = answered(summary(run("a", 0, curve)), [overfitting()])
    (told,) = ended.answers
    assert told.values["skin"]["a"]["epoch_of_least_val_loss"]["mean"] == 2


def test_the_faster_one_needs_fewer_epochs_to_its_own_best() -> None:
    found = summary(*SEEDS)
    ended = answered(found, [converges("plain", "normed", "accuracy")])
    (told,) = ended.answers
    assert ended.comparisons[0].difference == -1  # epoch 3 against 4
    assert told.question == "Which of them converges faster?"
    assert "-1.0 in epochs" in told.answer


def test_who_has_barely_begun_is_not_the_faster_one() -> None:
    climbing = [0.5 + 0.01 * epoch for epoch in range(40)]  # its mean of five epochs ends at 0.87
    crawling = [0.5 + 0.0025 * epoch for epoch in range(40)]  # at 0.5925, which the other passes at epoch 13
    runs = [run(name, seed, curve) for seed in (0, 1) for name, curve in (("fast", climbing), ("slow", crawling))]
    found = summary(*runs)
    faster, first = converges("fast", "slow", "accuracy"), sooner("fast", "slow", "accuracy", expected="worse")
    ended = answered(found, [faster, first])
    own, common = ended.answers
    own_row, common_row = ended.comparisons
    assert own_row.difference < 0  # as if the slow one were the faster
    assert "still rising in 2 of 2 runs of fast and 2 of 2 runs of slow" in own.answer
    goal = 0.95 * 0.5925  # = 0.562875: 0.5 + 0.01 (n - 3) from n = 10 on, 0.5 + 0.0025 (n - 3) from n = 29 on
    assert 0.5 + 0.01 * 6.28 < goal < 0.5 + 0.01 * 7
    assert common_row.difference == 29 - 10
    assert common.question == "Which of them comes first to the accuracy that both reach?"
    assert "+19.0 in epochs" in common.answer
    assert "still rising" not in common.answer


def test_curves_that_have_come_to_rest_are_not_called_rising() -> None:
    ended = [0.5, 0.8, *[0.9] * 20]
    runs = [run(name, seed, ended) for seed in (0, 1) for name in ("a", "b")]
    ended = answered(summary(*runs), [converges("a", "b", "accuracy")])
    (told,) = ended.answers
    assert "still rising" not in told.answer


def test_a_curve_that_one_of_them_has_not_is_no_pair_to_compare() -> None:
    runs = [run("a", 0, [0.5]), {**run("b", 0, [0.5]), "history": {}}]
    ended = answered(summary(*runs), [sooner("a", "b", "accuracy")])
    (told,) = ended.answers
    assert "no finished pair" in told.answer


def test_no_answer_is_blank_where_no_data_set_has_a_run_of_either_variant() -> None:
    found = summary(*SEEDS, *({**each, "data": "bone"} for each in SEEDS), data=("skin", "bone"))
    asked = [compare("plain", "normed", "val_accuracy"), compare("gone", "too", "gap")]  # as by --only
    ended = answered(found, asked)
    told = ended.answers
    assert [(row.data, row.n) for row in ended.comparisons] == [("skin", 4), ("bone", 4)]
    assert told[1].answer == "too and gone have no finished pair of runs to compare by gap."


def test_an_interval_of_epochs_begins_with_the_first() -> None:
    runs = [run("a", seed, [*[0.5] * seed, 0.9, *[0.5] * (20 - seed)]) for seed in (1, 19)]
    ended = answered(summary(*runs), [overfitting()])
    (told,) = ended.answers
    (found,) = (each for name, each in told.values["skin"]["a"].items() if name.startswith("epoch"))
    assert (found["values"], found["ci95"][0]) == ([2.0, 20.0], 1.0)


def test_two_data_sets_are_told_apart() -> None:
    bone = [{**each, "data": "bone"} for each in SEEDS]
    found = summary(*SEEDS, *bone, data=("skin", "bone"))
    ended = answered(found, [compare("plain", "normed", "val_accuracy")])
    (told,) = ended.answers
    assert [row.data for row in ended.comparisons] == ["skin", "bone"]
    assert told.answer.startswith("On skin: normed is better")
    assert "On bone: " in told.answer


def test_smoothing_keeps_constants_and_averages_what_there_is() -> None:
    assert smoothed([2.0] * 7) == [2.0] * 7
    assert smoothed([0.0, 1.0, 2.0], window=2) == [0.0, 0.5, 1.5]


def test_adding_seeds_until_decided_finds_false_effects_in_at_most_six_percent() -> None:
    """Three like variants, two comparisons, looks after 3, 6 and 12 seeds: what stops, and what is said at the end."""
    rng = np.random.default_rng(5)
    counts = paired_tests.looks(3, 12)
    spent = paired_tests.levels(counts)
    answers = [compare("plain", other, "val_accuracy") for other in ("one", "other")]
    claims = 0
    for _ in range(1000):
        scores = rng.binomial(200, np.clip(rng.normal(0.8, 0.015, (12, 3)) + rng.normal(0, 0.01, (12, 1)), 0, 1)) / 200
        for number, (count, level) in enumerate(zip(counts, spent, strict=True), 1):
            runs = [
                run(variant, seed, [value + 0.1])
                for seed in range(count)
                for variant, value in zip(("plain", "one", "other"), scores[seed], strict=True)
            ]
            found = summary(*runs, look={"number": number, "seeds": counts, "level": level})
            if decided(found, answers):
                break
        claims += any(row.verdict in ("better", "worse") for row in comparisons(found, answers))
    assert claims <= 60


def test_a_clear_effect_decides_a_study_at_its_first_look() -> None:
    found = summary(*SEEDS, look={"number": 1, "seeds": [4, 8], "level": 0.025})
    clear, same = compare("plain", "normed", "val_accuracy"), compare("plain", "plain", "val_accuracy")
    assert decided(found, [clear, same])
    assert not decided(found, [same, clear])
    assert "look 1 of 2 (after 4, 8 seeds)" in interim_look(found)
    assert interim_look(summary(*SEEDS)) == ""


def test_a_single_pair_is_told_by_its_predictions() -> None:
    """By hand: six images that only one network is right about, none the other way: p = 2 / 2^6."""
    found = summary(run("plain", 0, [0.7], right="0000001111"), run("normed", 0, [0.9], right="1111111111"))
    ended = answered(found, [compare("plain", "normed", "val_accuracy")])
    (told,) = ended.answers
    row = ended.comparisons[0]
    assert (row.verdict, row.p_adjusted) == ("one run only", None)
    assert row.mcnemar == pytest.approx(2 / 64)
    assert "McNemar's p = 0.031" in told.answer
    ended = answered(found, [compare("plain", "normed", "gap")])
    assert ended.comparisons[0].mcnemar is None


def test_a_small_p_is_not_said_to_be_nothing() -> None:
    """By hand: twelve images that only one network is right about: p = 2 / 2^12 = 0.00049."""
    found = summary(run("plain", 0, [0.0], right="0" * 12), run("normed", 0, [1.0], right="1" * 12))
    ended = answered(found, [compare("plain", "normed", "val_accuracy")])
    (told,) = ended.answers
    assert "(McNemar's p < 0.001 is about" in told.answer
    assert [p_value(p) for p in (None, 0.0, 0.000499, 0.0005, 0.0123, 1.0)] == [
        *("", "< 0.001", "< 0.001", "0.001", "0.012", "1.000")
    ]


def test_the_epoch_at_which_each_variant_reaches_a_value_or_that_it_never_does():
    curves = {"slow": [[0.2, 0.5, 0.69], [0.1, 0.2, 0.3]], "fast": [[0.1, 0.7, 0.6], [0.2, 0.3, 0.8]], "one": [[0.9]]}
    runs = [
        {
            "data": "glands",
            "variant": name,
            "seed": seed,
            "fold": None,
            "status": "finished",
            "params": {},
            "history": {"val_dice": curve},
        }
        for name, each in curves.items()
        for seed, curve in enumerate(each)
    ]
    told = until("val_dice", 0.7)(typed({"data_sets": [{"name": "glands"}], "runs": runs}))
    assert told.values["glands"] == {"slow": [None, None], "fast": [2, 3], "one": [1]}
    assert told.answer.startswith("slow: in no run; fast: at epoch 2.5 ± 0.7")
    assert told.answer.endswith("one: at epoch 1.")
