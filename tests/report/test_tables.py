"""The tables on the screen: every column can be read, whatever the names and the width."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcls.report import tables
from medcls.utils.console import Screen, column_widths

WORDS = st.text("ab ü日", max_size=30)
COLUMNS = st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=9)
NAMES = ("variants", "score", "difference", "95% interval", "adjusted p", "pairs", "detectable", "verdict")
LONG = "batch norm, no dropout against plain, no dropout"
ROW = (LONG, "epochs to 95% of best accuracy", "-21.0", "-27.6 to -14.4", "0.0157", "3", "8.64", "not distinguishable")


@given(cells=COLUMNS, room=st.integers(10, 200))
def test_widths_fit_and_none_is_wider_than_its_cells(cells: list[list[str]], room: int):
    widths = column_widths(cells, room)
    assert sum(widths) <= max(room, len(cells))
    assert all(width >= 1 for width in widths)
    assert all(
        width <= max(1, *(2 * len(cell) for cell in column)) for width, column in zip(widths, cells, strict=True)
    )


def test_what_fits_is_whole_and_numbers_come_before_names():
    cells = [[name, value] for name, value in zip(NAMES, ROW, strict=True)]
    longest = [max(map(len, column)) for column in cells]
    assert column_widths(cells, sum(longest)) == longest
    narrow = column_widths(cells, 95)
    assert narrow[2:7] == longest[2:7]
    assert narrow[0] >= len("dropout")
    assert narrow[7] >= len("distinguishable")
    assert sum(column_widths(cells, 20)) == 20


@pytest.mark.parametrize("width", [200, 120, 80])
def test_every_word_of_a_wide_table_is_printed(width: int, monkeypatch: pytest.MonkeyPatch):
    screen = Screen()
    shown = io.StringIO()
    monkeypatch.setattr(screen._console, "file", shown)
    monkeypatch.setattr(screen._console, "width", width)
    screen.table("Comparisons", NAMES, [ROW, ROW])
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    cells = [[part.strip() for part in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    read = [" ".join(filter(None, column)) for column in zip(*cells, strict=True)]
    assert [column.replace(" ", "") for column in read] == [(2 * value).replace(" ", "") for value in ROW]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("training.cosine", "cosine"),
        ("my_study.small", "my_study.small"),
        ("xray.npz", "xray.npz"),
        (0.5, "0.5"),
        (None, ""),
    ],
)
def test_functions_are_spelt_as_a_search_spells_them(value: object, shown: str) -> None:
    assert tables.plain(value) == shown
