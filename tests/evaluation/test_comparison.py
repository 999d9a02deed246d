"""Verdicts: numbers against scipy and hand-worked cases, and how often they claim an effect that is not there."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medcls.evaluation import paired_tests
from medcls.evaluation.verdict import Verdict

scores = st.lists(st.floats(0, 1), min_size=2, max_size=8)
STUDIES = 1000


def test_over_seeds_is_scipys_paired_t_test() -> None:
    a, b = [0.81, 0.79, 0.84, 0.80], [0.86, 0.80, 0.85, 0.85]
    found = paired_tests.over_seeds(a, b)
    told = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(told.pvalue)
    assert found.ci95 == pytest.approx(tuple(told.confidence_interval()))
    assert (found.difference, found.n) == (pytest.approx(0.03), 4)


def test_over_folds_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, variance 1; error sqrt(1/3 + 1/2) = 0.9129; t = 2.1909 on 2 degrees, p = 0.1598."""
    found = paired_tests.over_folds([0, 0, 0], [1, 2, 3], folds=3)
    assert found.p == pytest.approx(0.15982, abs=1e-4)
    assert found.ci95 == pytest.approx((2 - 4.30265 * 0.912871, 2 + 4.30265 * 0.912871), abs=1e-4)


def test_folds_claim_less_than_seeds() -> None:
    a, b = [0.5, 0.6, 0.7], [0.6, 0.68, 0.81]
    folds, seeds = paired_tests.over_folds(a, b, 3), paired_tests.over_seeds(a, b)
    assert folds.p is not None
    assert seeds.p is not None
    assert folds.p > seeds.p
    assert folds.ci95[0] < seeds.ci95[0]


def test_one_pair_is_no_test() -> None:
    found = paired_tests.over_seeds([0.7], [0.8])
    assert (found.p, found.detectable) == (None, None)
    assert found.ci95 == pytest.approx((0.1, 0.1))


def test_equal_differences_fall_back_to_the_signs() -> None:
    assert paired_tests.over_seeds([0.5, 0.5, 0.5], [0.75, 0.75, 0.75]).p == 0.25
    assert paired_tests.over_seeds([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]).p == 1.0


@given(scores, st.randoms())
def test_swapping_the_variants_swaps_the_sign_alone(a: list[float], random: object) -> None:
    b = sorted(a, key=lambda _: random.random())  # type: ignore[attr-defined]
    one, other = paired_tests.over_seeds(a, b), paired_tests.over_seeds(b, a)
    assert one.difference == pytest.approx(-other.difference)
    assert one.p == pytest.approx(other.p)
    assert one.ci95 == pytest.approx((-other.ci95[1], -other.ci95[0]))


def test_the_smallest_detectable_difference_is_found_in_80_of_100_studies() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 5, 10):
        effect = paired_tests.noncentrality(n - 1) / np.sqrt(n)  # in standard deviations of the differences
        found = stats.ttest_1samp(rng.normal(effect, 1, (4000, n)), 0, axis=1)
        assert np.mean((found.pvalue < 0.05) & (found.statistic > 0)) == pytest.approx(0.8, abs=0.02)


def test_mcnemar_by_hand() -> None:
    """Six images that only the first has right, none that only the second has: p = 2 / 2^6."""
    right_a = np.array([True] * 10 + [False] * 3)
    right_b = np.array([True] * 4 + [False] * 9)
    assert paired_tests.mcnemar(right_a, right_b) == pytest.approx(2 / 64)
    assert paired_tests.mcnemar(right_a, right_a) == 1.0


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8))
def test_sign_flip_counts_all_signs_exactly_ties_too(tenths: list[int]) -> None:
    """Whole numbers have many ties and no rounding; their tenths have both, and the same p."""
    sums = [abs(np.dot(signs, tenths)) for signs in itertools.product((1, -1), repeat=len(tenths))]
    p = paired_tests.sign_flip([tenth / 10 for tenth in tenths])
    assert p == np.mean(np.array(sums) >= abs(sum(tenths)))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_sign_flip_has_a_least_p(differences: list[float]) -> None:
    p = paired_tests.sign_flip(differences)
    assert 2 / 2 ** len(differences) <= p <= 1


def test_holm_by_hand() -> None:
    assert paired_tests.holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert paired_tests.holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p: list[float]) -> None:
    adjusted = paired_tests.holm(p)
    order = np.argsort(p, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)
    assert all(value <= each <= min(1, len(p) * value) + 1e-12 for value, each in zip(p, adjusted, strict=True))


def test_verdicts() -> None:
    assert paired_tests.verdict(0.1, 0.04, higher_is_better=True) == Verdict.BETTER
    assert paired_tests.verdict(0.1, 0.04, higher_is_better=False) == Verdict.WORSE
    assert paired_tests.verdict(-0.1, 0.04, higher_is_better=True) == Verdict.WORSE
    assert paired_tests.verdict(-0.1, 0.06, higher_is_better=True) == Verdict.UNDECIDED
    assert paired_tests.verdict(0.1, None, higher_is_better=True) == Verdict.ONE_RUN


def accuracies(rng: np.random.Generator, n: int, images: int = 200) -> np.ndarray:
    """Draw one accuracy a seed for both variants: about 0.8 of the same images, seeds good or bad for both."""
    together = rng.normal(0.8, 0.01, (n, 1))
    return rng.binomial(images, np.clip(together + rng.normal(0, 0.015, (n, 2)), 0, 1)) / images


@pytest.mark.parametrize("n", [3, 5, 10])
def test_where_there_is_no_effect_at_most_six_studies_in_a_hundred_claim_one(n: int) -> None:
    """Three variants like one another, all compared with the first, p adjusted."""
    rng = np.random.default_rng(n)
    claims = 0
    for _ in range(STUDIES):
        first, second = accuracies(rng, n), accuracies(rng, n)
        a, others = first[:, 0], (first[:, 1], second[:, 0])
        found = [paired_tests.over_seeds(a, b) for b in others]
        adjusted = paired_tests.holm([each.p for each in found])
        said = [
            paired_tests.verdict(each.difference, p, higher_is_better=True)
            for each, p in zip(found, adjusted, strict=True)
        ]
        claims += any(each != Verdict.UNDECIDED for each in said)
    assert claims <= 0.06 * STUDIES


@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_single_comparison_keeps_its_level(n: int) -> None:
    rng = np.random.default_rng(10 + n)
    found = [paired_tests.over_seeds(*accuracies(rng, n).T) for _ in range(STUDIES)]
    assert sum(each.p < 0.05 for each in found if each.p is not None) <= 0.06 * STUDIES


def test_folds_with_overlapping_training_parts_keep_their_level_too() -> None:
    """Ten folds whose scores share what their common training images make of them: correlation 1/10."""
    rng = np.random.default_rng(1)
    shared, own = rng.normal(0, np.sqrt(0.1), (STUDIES, 1)), rng.normal(0, np.sqrt(0.9), (STUDIES, 10))
    p = [paired_tests.over_folds(np.zeros(10), each, 10).p for each in shared + own]
    assert sum(each < 0.05 for each in p if each is not None) <= 0.06 * STUDIES


def test_adding_seeds_until_it_is_decided_keeps_the_five_percent() -> None:
    rng = np.random.default_rng(2)
    looks = [3, 5, 7, 9, 11]
    spent = paired_tests.levels(looks)
    assert sum(spent) == pytest.approx(0.05)
    claims = 0
    for _ in range(STUDIES):
        all_seeds = accuracies(rng, looks[-1])
        found = [paired_tests.over_seeds(*all_seeds[:count].T).p for count in looks]
        claims += any(p is not None and p <= level for p, level in zip(found, spent, strict=True))
    assert claims <= 0.06 * STUDIES


def test_looks_double_up_to_the_most() -> None:
    assert paired_tests.looks(3, 12) == [3, 6, 12]
    assert paired_tests.looks(3, 10) == [3, 6, 10]
    assert paired_tests.looks(3, 3) == [3]


def test_p_and_interval_of_a_look_agree() -> None:
    """At the level of a look, p says 5% just where the interval reaches 0."""
    a, b, level = [0.81, 0.79, 0.84, 0.80], [0.86, 0.80, 0.85, 0.85], 0.0125
    found = paired_tests.over_seeds(a, b, level)
    told = stats.ttest_rel(b, a)
    assert found.ci95 == pytest.approx(tuple(told.confidence_interval(1 - level)))
    assert paired_tests.at_look(found.p, level) == pytest.approx(4 * told.pvalue)
    assert paired_tests.at_look(0.5, level) == 1.0
    edge = paired_tests.over_seeds([0.0] * 4, np.subtract(b, a) - found.ci95[0], level)
    assert edge.ci95[0] == pytest.approx(0)
    assert paired_tests.at_look(edge.p, level) == pytest.approx(0.05)


@pytest.mark.parametrize("n", [2, 10, 11, 30])
def test_differences_that_are_all_the_same_have_the_sign_flip_tests_p(n: int) -> None:
    assert paired_tests.over_seeds([0.5] * n, [0.75] * n).p == pytest.approx(2.0 ** (1 - n))
    assert paired_tests.over_seeds([0.5] * n, [0.5] * n).p == 1.0
