"""An answer about many variants is a table wherever it is shown; about a few it stays a sentence."""

import io
from dataclasses import replace

import pytest
from summaries import summary
from typed_summaries import answered

from medcls.evaluation.answers import final
from medcls.evaluation.summary import StudySummary, read_summary
from medcls.report.html import render
from medcls.report.note import note
from medcls.report.page_parts import PageExtras
from medcls.report.terminal import print_summary
from medcls.utils.console import Screen
from medcls.utils.files import as_json

QUESTION = "How do the variants end?"


def many(names: tuple[str, ...]) -> StudySummary:
    """Return the summary of variants that all learn as "plain" does."""
    found = summary()
    plain = [run for run in found.runs if run.variant == "plain"]
    runs = []
    for name in names:
        runs += [replace(run, variant=name, key=f"{name}{run.seed}") for run in plain]
    bare = replace(found, runs=tuple(runs), comparisons=(), answers=())
    return answered(bare, [final("val_accuracy", "gap", question=QUESTION)])


def test_many_variants_are_rows_on_the_screen_in_the_note_and_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    found = many(("one", "two", "three", "four"))
    (answer,) = found.answers
    assert answer.table is not None
    assert answer.table.columns == ("variant", "validation accuracy", "gap")
    assert [row[0] for row in answer.table.rows] == ["one", "two", "three", "four"]
    for row in answer.table.rows:
        assert f"{row[0]}: validation accuracy {row[1]}, gap {row[2]}" in answer.answer

    screen, shown = Screen(), io.StringIO()
    monkeypatch.setattr(screen._console, "file", shown)
    monkeypatch.setattr(screen._console, "width", 200)
    print_summary(screen, found)
    assert QUESTION in shown.getvalue()
    assert answer.answer not in shown.getvalue()

    text = note(found, "python study.py")
    assert f"{QUESTION}\n\n| variant |" in text
    page = render(found, PageExtras([], "python study.py", "0.1.0", "today"))
    asked = page.index(QUESTION)
    assert "<table" in page[asked : asked + 500]
    assert "; two: validation" not in page


def test_three_variants_are_a_sentence() -> None:
    (answer,) = many(("one", "two", "three")).answers
    assert answer.table is None
    assert answer.answer.startswith("one: validation accuracy")


def test_a_table_is_written_into_the_summary_and_read_again() -> None:
    found = many(("one", "two", "three", "four"))
    assert read_summary(as_json(found.as_plain())).answers == found.answers
