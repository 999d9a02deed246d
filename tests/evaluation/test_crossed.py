"""Differences crossed with patients: against a hand-worked table, statsmodels' ANOVA, and laws that must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from medcls.evaluation import judged, run_scores
from medcls.evaluation.comparisons import compare, comparisons
from medcls.evaluation.crossed import by_unit, crossed, mean_squares
from medcls.evaluation.run_record import DataSetRecord, JudgedImages, RunRecord
from medcls.evaluation.summary import StudySummary
from medcls.utils.statuses import RunStatus

tables = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).normal(0.2, 1, (4, 7)))


def test_by_hand() -> None:
    """Rows 1 3 5 and 2 6 4: means 3 and 4, of columns 1.5 4.5 4.5; squares 1.5, 6 and 2; variance 6 / 6."""
    values = np.array([[1.0, 3, 5], [2, 6, 4]])
    assert mean_squares(values) == pytest.approx((1.5, 6.0, 2.0))
    found = crossed(values)
    assert found is not None
    df = (1.5 + 6 - 2) ** 2 / (1.5**2 / 1 + 6**2 / 2 + 2**2 / 2)
    assert found.df == pytest.approx(df)
    assert found.p == pytest.approx(2 * stats.t.sf(3.5, df))
    assert found.share_of_units == pytest.approx(4 / 6)


@given(tables)
def test_mean_squares_are_those_of_statsmodels(values: np.ndarray) -> None:
    seeds, units = np.indices(values.shape)
    table = pd.DataFrame({"value": values.ravel(), "seed": seeds.ravel(), "unit": units.ravel()})
    told = anova_lm(ols("value ~ C(seed) + C(unit)", table).fit())["mean_sq"]
    assert mean_squares(values) == pytest.approx(tuple(told))


@given(tables)
def test_the_order_means_nothing_and_a_swap_flips_the_sign(values: np.ndarray) -> None:
    found, shuffled, swapped = crossed(values), crossed(values[::-1, ::-1]), crossed(-values)
    assert found is not None
    assert shuffled is not None
    assert swapped is not None
    assert shuffled.ci95 == pytest.approx(found.ci95)
    assert swapped.ci95 == pytest.approx((-found.ci95[1], -found.ci95[0]))
    assert (shuffled.p, swapped.p) == (pytest.approx(found.p), pytest.approx(found.p))


@given(tables)
def test_never_more_certain_than_the_seeds_means(values: np.ndarray) -> None:
    found = crossed(values)
    assert found is not None
    half = (found.ci95[1] - found.ci95[0]) / 2
    assert half / stats.t.ppf(0.975, found.df) >= stats.sem(values.mean(axis=1)) * (1 - 1e-9)
    assert 3 <= found.df <= 18


def test_unequal_patients_keep_every_score() -> None:
    generator = np.random.default_rng(1)
    differences = generator.integers(-1, 2, (3, 12)).astype(float)
    labels, patients = np.repeat([0, 1], [4, 8]), np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 4])
    accuracy = by_unit(differences, np.zeros(12, np.int64), patients)
    assert accuracy.mean(axis=1) == pytest.approx(differences.mean(axis=1))
    balanced = by_unit(differences, labels, patients)
    recalls = (differences[:, :4].mean(axis=1) + differences[:, 4:].mean(axis=1)) / 2
    assert balanced.mean(axis=1) == pytest.approx(recalls)


def test_patients_of_equal_size_are_means_of_their_images() -> None:
    differences = np.arange(12.0).reshape(2, 6)
    found = by_unit(differences, np.zeros(6, np.int64), np.repeat([0, 1, 2], 2))
    assert found == pytest.approx(differences.reshape(2, 3, 2).mean(axis=2))


def _study(*, images: JudgedImages | None, told: float = 0.0) -> StudySummary:
    """Return five seeds of two variants on 40 images; `told` is added to the scores that the runs say they have."""
    generator = np.random.default_rng(3)
    runs = []
    better_on_half = np.repeat([0.95, 0.4], 20)
    for variant, often in (("plain", np.full(40, 0.5)), ("new", better_on_half)):
        for seed in range(5):
            right = generator.random(40) < often
            score = float(right.mean()) + told
            runs.append(
                RunRecord(
                    key=f"{variant}{seed}",
                    data="skin",
                    variant=variant,
                    seed=seed,
                    status=RunStatus.FINISHED,
                    metrics={"val_accuracy": score},
                    right="".join("1" if hit else "0" for hit in right),
                )
            )
    data = DataSetRecord(name="skin", kind="files", judged=images)
    return StudySummary(study="s", question="?", smoke=False, data_sets=(data,), runs=tuple(runs), answers=(), best={})


def test_a_verdict_says_whose_images_it_rests_on() -> None:
    patients = JudgedImages(0, (0, 1) * 20, tuple(np.repeat(range(8), 5).tolist()))
    asked = compare("plain", "new", "val_accuracy")
    summary = _study(images=patients)
    row = comparisons(summary, [asked])[0]
    assert row.judged_on is not None
    assert (row.judged_on.images, row.judged_on.patients) == (40, 8)
    sentence = asked.sentence(summary, row)
    assert "8 patients, who have 40 images" in sentence
    assert row.judged_on.share > 0.3
    assert f"{row.judged_on.share:.0%} of the variance" in sentence


@pytest.mark.parametrize(
    ("images", "told"),
    [(None, 0.0), (JudgedImages(0, (0,) * 40, None), 0.01), (JudgedImages(3, (0,) * 40, None), 0.0)],
    ids=["unknown images", "a score of other images", "another split"],
)
def test_without_the_images_the_test_is_over_seeds(images: JudgedImages | None, told: float) -> None:
    summary = _study(images=images, told=told)
    found = judged.tested(summary, "skin", "plain", "new", run_scores.score("val_accuracy"))
    assert found.judged_on is None
    pairs = run_scores.paired(summary, "skin", "plain", "new", run_scores.score("val_accuracy"))
    assert found.result.p == pytest.approx(stats.ttest_rel(*np.transpose(pairs)[::-1]).pvalue)
