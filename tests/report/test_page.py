"""A study's report: one page that holds everything and asks for nothing."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from summaries import summary

from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.report import html
from medcls.report.figures import svg_curves
from medcls.report.figures.inline_svg import INK
from medcls.report.figures.montage import montage
from medcls.report.figures.svg_curves import Quantity
from medcls.report.page_parts import PageExtras
from medcls.report.study_report import paragraphs
from medcls.utils.statuses import RunStatus


def rendered(found: StudySummary, **more: Any) -> str:
    return html.render(found, PageExtras(["Why: it thins."], "python x.py", "0.1.0", "today", **more))


def test_the_page_holds_question_answers_verdicts_data_parameters_and_command() -> None:
    text = rendered(summary())
    for part in (
        "What does dropout change?",
        "skin is a phantom",
        "Does &lt;dropout&gt; help?",
        "is not distinguishable from plain",
        '<td class="text better">better</td>',
        "learner.model.dropout",
        "12 copies lie across sets.",
        "1000: Mel 500, Nev 500",
        "Why: it thins.",
        "python x.py",
        "abcdef012345",
        "not for clinical use",
    ):
        assert part in text
    assert text.count("<svg") == 3  # accuracy, loss, gap


def test_the_page_asks_for_nothing_from_outside_and_runs_nothing() -> None:
    text = rendered(summary(), montages={"skin": b"\x89PNG"})
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)""", text)
    assert [each for each in addresses if not each.startswith("data:")] == []
    assert "<script" not in text
    assert "@import" not in text
    assert "url(http" not in text


def test_real_images_bear_no_banner_and_smoke_runs_do() -> None:
    assert "is a phantom" not in rendered(summary(kind="files"))
    assert "A smoke run" in rendered(summary(smoke=True))


def test_the_table_of_variants_has_means_and_deviations() -> None:
    found = summary()
    values = [run.history["val_accuracy"][-1] for run in found.runs if run.variant == "plain"]
    assert f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" in rendered(found)


def test_a_searchs_trials_are_shown_the_best_first_and_whose_they_were() -> None:
    base, rate = "learner.model.base", "learner.rate"
    trials = [
        {"number": 0, "state": "complete", "value": 0.71234, "params": {base: 8, rate: 0.0212345}},
        {"number": 1, "state": "pruned", "value": None, "params": {base: 16}},
        {"number": 2, "state": "complete", "value": 0.84, "params": {base: 32, rate: "<b>(x,0.5)"}},
    ]
    found = summary(trials=trials)
    names = {"plain": "trial 0", "dropout": "trial 1"}
    runs = tuple(replace(run, variant=names[run.variant]) for run in found.runs)
    best = BestRecord(key="plain0", variant="trial 0", metric="accuracy", value=0.71234)
    text = rendered(replace(found, runs=runs, best={"skin": best}))
    assert "<h2>Variants</h2>" not in text  # one table tells all
    table = text[text.index("<h2>Trials</h2>") : text.index("<h2>The search</h2>")]
    plain = table.replace("<wbr>", "")
    assert re.findall(r"<tr class=best><td>([^<]*)<", plain.replace("\n", "")) == ["0"]
    plain = plain.replace('<span class="badge">best</span>', "")
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.split("<tr[^>]*>", plain)[1:]]
    assert rows == [
        ["trial", "state", "folds", "mean accuracy", "gap", "model.base", "rate"],
        ["2", "complete", "", "0.840", "", "32", "&lt;b&gt;(x,0.5)"],
        ["0", "complete", "3", f"0.712 ± {sd(runs, 0):.3f}", mean_sd(runs, 0, "gap"), "8", "0.0212"],
        ["1", "pruned", "3", mean_sd(runs, 1, "accuracy"), mean_sd(runs, 1, "gap"), "16", ""],
    ]
    assert "Carried out by other commands that share this search: 2." in table
    assert "<h2>Trials</h2>" not in rendered(summary())


def values(runs: Sequence[RunRecord], number: int, score: str) -> list[float]:
    return [run.metrics[score] for run in runs if run.variant == f"trial {number}"]


def sd(runs: Sequence[RunRecord], number: int, score: str = "accuracy") -> float:
    return float(np.std(values(runs, number, score), ddof=1))


def mean_sd(runs: Sequence[RunRecord], number: int, score: str) -> str:
    return f"{np.mean(values(runs, number, score)):.3f} ± {sd(runs, number, score):.3f}"


def test_one_seed_has_no_deviation_and_no_band() -> None:
    text = rendered(summary(seeds=1))
    assert "one run only" in text
    assert "<p>One run each, at the epoch that each run keeps.</p>" in text
    assert "standard deviation" not in text
    assert "<p>Mean ± standard deviation over the seeds, at the epoch" in rendered(summary())
    assert "±" not in " ".join(re.findall(r"<td[^>]*>([^<]*)", text))


def test_a_failed_run_is_said_and_left_out() -> None:
    found = summary()
    failed = replace(found.runs[0], status=RunStatus.FAILED, metrics={}, history={}, best_epoch=None)
    assert "1 of 6 runs failed" in rendered(replace(found, runs=(failed, *found.runs[1:])))


def test_bands_leave_out_repeats_that_stopped() -> None:
    mean, low, high = svg_curves.mean_and_band([[1.0, 2.0, 3.0], [3.0, 4.0]])
    assert mean == pytest.approx([2, 3, 3])
    assert low == pytest.approx([2 - 2**0.5, 3 - 2**0.5, 3])
    assert high == pytest.approx([2 + 2**0.5, 3 + 2**0.5, 3])


def test_charts_take_the_pages_colour_and_width() -> None:
    svg = svg_curves.chart(Quantity("loss", "loss", {"a": [[1.0, 0.5]]}, {"a": [[1.1, 0.7]]}), {"a": "#5790fc"})
    assert "currentColor" in svg
    assert INK not in svg
    assert not re.search(r'<svg[^>]*\b(width|height)="', svg)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_montage_has_a_row_a_class_of_whole_images(channels: int) -> None:
    images = np.repeat(np.arange(20, dtype=np.uint8), 32 * 32 * channels).reshape(20, 32, 32, channels)
    sheet = np.asarray(Image.open(io.BytesIO(montage(images, np.arange(20) % 2, ("a", "b")))))
    assert sheet.shape[:2] == (2 * 64 + 4, 8 * 64 + 7 * 4)
    first = {int(value) for value in np.unique(sheet[:64, :64])}
    assert first == {0}
    assert set(np.unique(sheet[68:, :])) <= {0, *range(1, 20, 2)}


def test_the_docstrings_paragraphs_without_question_and_commands() -> None:
    told = paragraphs("Question?\n\n    python x.py\n\nOne\nparagraph.\n\nTwo.")
    assert told == ["One paragraph.", "Two."]
    assert paragraphs("Question?") == []
