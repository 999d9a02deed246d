"""Numbers in words: their digits and their signs."""

import re

from hypothesis import given
from hypothesis import strategies as st

from medcls.evaluation.spread import spread_of
from medcls.evaluation.wording import mean_sd, number, spread_in_words

NUMBERS = st.floats(-100, 100) | st.floats(-0.002, 0.002)


@given(value=NUMBERS, digits=st.integers(0, 4), signed=st.booleans())
def test_a_number_is_rounded_and_has_a_sign_unless_it_rounds_to_zero(value: float, digits: int, signed: bool) -> None:
    text = number(value, digits, signed=signed)
    assert abs(float(text) - value) <= 0.5 * 10**-digits * (1 + 1e-9)
    assert len(text.partition(".")[2]) == digits
    if float(text) == 0:
        assert text == f"{0:.{digits}f}"
    else:
        assert text.startswith("-") == (value < 0)
        assert text.startswith("+") == (signed and value > 0)


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_no_mean_or_interval_has_a_signed_zero(values: list[float]) -> None:
    spread = spread_of(values)
    for text in (spread_in_words(spread, 3), mean_sd(spread.mean, spread.sd)):
        assert not re.search(r"[+-]0\.000(?!\d)", text)


def test_the_numbers_of_examples() -> None:
    assert [number(value, 3, signed=True) for value in (-0.0004, 0.0, 0.0004, 0.0006)] == ["0.000"] * 3 + ["+0.001"]
    assert [number(value) for value in (-0.0, -0.00049, -0.5)] == ["0.000", "0.000", "-0.500"]
