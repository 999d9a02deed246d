"""Adjusted p-values, McNemar's test and the smallest detectable difference, against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from medcls.evaluation import paired_tests


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm(p: list[float]) -> None:
    adjusted = multipletests(p, method="holm")[1]
    assert paired_tests.holm(p) == pytest.approx(adjusted.tolist())


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200))
def test_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    right_a, right_b = np.array(pairs).T
    table = np.array(
        [
            [np.sum(right_a & right_b), np.sum(right_a & ~right_b)],
            [np.sum(~right_a & right_b), np.sum(~right_a & ~right_b)],
        ]
    )
    assert paired_tests.mcnemar(right_a, right_b) == pytest.approx(mcnemar(table, exact=True).pvalue)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(3, 30), st.sampled_from([0.05, 0.025, 0.0125]))
def test_smallest_detectable_difference(seed: int, n: int, level: float) -> None:
    """Only the tail on the side of the difference counts as found, as in a one-sided test at half the level."""
    a, b = np.random.default_rng(seed).uniform(0.6, 0.9, (2, n))
    effect = TTestPower().solve_power(nobs=n, alpha=level / 2, power=0.8, alternative="larger")
    detectable = paired_tests.over_seeds(a.tolist(), b.tolist(), level).detectable
    assert detectable == pytest.approx(effect * np.std(b - a, ddof=1), rel=1e-4)
