"""The top of a study's page: banners, the best network marked and linked; and what a narrow screen shows of tables."""

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from summaries import summary

from medcls.evaluation.run_record import FindingRecord
from medcls.evaluation.summary import BestRecord, FigureRecord, StoreRecord, StudySummary, TestScore
from medcls.report import html
from medcls.report.page_parts import PageExtras
from medcls.report.study_report import rewrite_report

TESTED = {"accuracy": TestScore(0.61234, (0.5, 0.7))}
BEST = BestRecord(
    key="dropout1", variant="dropout", metric="accuracy", value=0.78, mean_sd={"accuracy": (0.78, 0.012)}, test=TESTED
)


def found(**more: Any) -> StudySummary:
    """Return a summary whose best variant is "dropout", shown by a store."""
    whole = summary(kind="files")
    runs = tuple(replace(run, mlflow_run_id=f"id-{run.key}") for run in whole.runs)
    store = StoreRecord("http://127.0.0.1:5000/#/experiments/7", "mlflow ui")
    return replace(whole, runs=runs, best={"skin": BEST}, store=store, **more)


def rendered(whole: StudySummary) -> str:
    return html.render(whole, PageExtras([], "python x.py", "0.1.0", "today"))


def test_the_best_stands_at_the_top_with_its_scores_and_a_link_to_its_run() -> None:
    text = rendered(found())
    top = text[: text.index("<h2>Comparisons</h2>")]
    for part in ("The best on skin: dropout", "accuracy 0.780 ± 0.012 over 3 seeds", "0.612 on the test set"):
        assert part in top
    assert 'href="http://127.0.0.1:5000/#/experiments/7/runs/id-dropout1"' in top
    assert 'href="http://127.0.0.1:5000/#/experiments/7"' in top
    assert "<code>mlflow ui</code>" in top


def test_the_row_of_the_best_is_marked() -> None:
    text = rendered(found())
    table = text[text.index("<h2>Variants</h2>") : text.index("<h2>Learning curves")]
    assert re.findall(r"<tr class=best><td>(\w+)<", table.replace("\n", "")) == ["dropout"]


def test_nothing_is_linked_offline_or_from_a_summary_with_a_strange_address() -> None:
    assert re.findall('<a href="([^"]*)"', rendered(replace(found(), store=None))) == ["#best-1"]
    assert "/runs/id-" not in rendered(replace(found(), store=StoreRecord("javascript:alert(1)")))
    assert 'href="javascript' not in rendered(replace(found(), store=StoreRecord("javascript:alert(1)")))


@pytest.mark.parametrize(
    ("kind", "head"),
    [("exact_across_parts", "has a leak"), ("patients_across_parts", "has a leak"), ("two_classes", "contradicts")],
)
def test_leaks_and_contradictions_are_banners_above_all_answers(kind: str, head: str) -> None:
    whole = summary(kind="files")
    (data,) = whole.data_sets
    findings = (FindingRecord(kind, "a.png is b.png.", 1), FindingRecord("dark_images", "5 images are dark.", 5))
    text = rendered(replace(whole, data_sets=(replace(data, findings=findings),)))
    banners = re.findall(r'<div class="banner">(.*?)</div>', text[: text.index("<main>")], re.DOTALL)
    assert len(banners) == 1
    assert head in banners[0]
    assert "a.png is b.png." in banners[0]


def test_pictures_of_the_best_stand_with_it_and_no_others(tmp_path: Path) -> None:
    for name in ("best_roc.png", "heat_maps_1.png"):
        Image.fromarray(np.full((40, 60), 7, np.uint8)).save(tmp_path / name, dpi=(200, 200))
    figures = (FigureRecord("ROC curves", "best_roc.png", "skin"), FigureRecord("dropout: maps", "heat_maps_1.png"))
    text = rewrite_report(tmp_path, found(figures=figures)).read_text()
    best = text[text.index('<h2 id="best-1">') : text.index("<h2>Learning curves")]
    assert re.findall(r'<img class="figure" width="(\d+)" alt="([^"]*)"', best) == [
        ("29", "ROC curves of dropout on skin")  # 60 of 200 dots an inch, at 96 an inch
    ]
    looks = text[text.index("<h2>Where the networks look</h2>") :]
    assert 'alt="dropout: maps"' in looks


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("no chromium here")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield browser
    browser.quit()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "hints"), [(390, True), (1280, False)])
def test_a_phone_scrolls_tables_alone_and_is_told_so(tmp_path: Path, browser: Any, width: int, hints: bool) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(rewrite_report(tmp_path, found()).as_uri())
    page = "return [document.documentElement.scrollWidth, window.innerWidth]"
    across, window = browser.execute_script(page)
    assert across <= window == width  # the page itself does not scroll sideways
    scrolling = browser.execute_script(
        "return Array.from(document.querySelectorAll('.wide'), e => e.scrollWidth > e.clientWidth + 1)"
    )
    assert any(scrolling) == hints
    shown = browser.execute_script(
        "return Array.from(document.querySelectorAll('.more'), e => getComputedStyle(e).display != 'none')"
    )
    assert shown
    assert all(shown) == any(shown) == hints
    first = "const box = document.querySelector('.wide'); box.scrollLeft = 200;"
    left = browser.execute_script(first + "return box.querySelector('td').getBoundingClientRect().left")
    assert left >= 0  # the name of a row stays in sight


def test_a_picture_is_read_only_from_the_studys_own_directory(tmp_path: Path) -> None:
    outside = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(outside, "PNG")
    (tmp_path / "elsewhere.png").write_bytes(outside.getvalue())
    home = tmp_path / "study"
    home.mkdir()
    whole = found(figures=(FigureRecord("ROC curves", "../elsewhere.png", "skin"),))
    text = rewrite_report(home, whole).read_text()
    assert "data:image/png" not in text
    assert "Left out" in text
