"""Texts from outside, on the screen and in tables: what a terminal or a spreadsheet would obey is told, not done."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medcls.utils.console import Screen
from medcls.utils.texts import cell, printable, storable

ODD = ("a\nb", "a\x1b[31mb", "a\rb", "a\u202eb", "a\x9bb", "a\udcffb", "a\u2028b", "a\x00b")


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_can_be_seen_and_stays_when_it_is_shown_again(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert storable(text).encode().decode() == storable(text)


def test_words_of_all_languages_stay_as_they_are() -> None:
    for text in ("naïve größe", "小細胞", "שלום", "a|b <5mm µ ± → 😀", r"C:\new"):
        assert printable(text) == text
    assert printable("a\n\tb", keep="\n") == "a\n\\tb"


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("count", [1, 600])
def test_the_screen_shows_such_names_in_one_line(name: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.say(f"before {name} behind")
    screen.table(name, [name, "n"], [[name, "1"]] * count)
    said = capsys.readouterr().out
    assert "before a" in said.splitlines()[0]
    assert said.splitlines()[0].endswith("b behind")
    assert all(line.isprintable() for line in said.split("\n"))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("x")', "-a.png"],  # noqa: RUF001
)
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    table = io.StringIO()
    csv.writer(table).writerow([cell(text), cell(-0.5), cell(1), cell("benign"), cell("1=1")])
    table.seek(0)
    assert list(csv.reader(table)) == [[f"'{text}", "-0.5", "1", "benign", "1=1"]]


@pytest.mark.parametrize("odd", ["x\ny", "\x1b[31mred", "a\udcffb"])
def test_a_command_names_a_file_in_one_visible_line(odd: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (9, 9), 40 * number).save(tmp_path / "own" / name / f"{number}.png")
    (tmp_path / "own" / "a" / f"{odd}.png").write_bytes(b"no image")
    for command in (["data", "check", "own"], ["predict", "none.keras", f"own/a/{odd}"]):
        ended = subprocess.run(
            [sys.executable, "-m", "medcls", *command, "--work-dir", "work"],
            cwd=tmp_path,
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        said = ended.stdout.decode() + ended.stderr.decode()
        assert ended.returncode == 2
        assert repr(odd)[1:-1] in said
        assert all(line.isprintable() for line in said.split("\n"))
        assert ended.stderr.count(b"\n") == 1
