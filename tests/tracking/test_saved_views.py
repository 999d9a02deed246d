"""The saved views of MLflow's user interface, read in a browser: their tables, their charts, their colours."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browsing import CHARTS, columns, drawn, images_shown, links, show, table, text, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="no chromium here"),
]


@pytest.fixture(scope="module")
def client(repository: Path) -> Any:
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")


@pytest.fixture(scope="module")
def pages(address: str, client: Any) -> dict[tuple[str, str], str]:
    """Return (study, view) -> the page of the view, as the experiments' descriptions link to them."""
    pages = {}
    for experiment in client.search_experiments():
        for name, page in re.findall(r"\[(.*?)\]\((.*?)\)", experiment.tags.get("mlflow.note.content", "")):
            pages[experiment.name, name] = f"{address}/{page}"
    return pages


@pytest.fixture(scope="module")
def best(client: Any) -> dict[str, str]:
    """Return study -> the name of its best variant or trial."""
    names = {}
    for experiment in client.search_experiments(filter_string="name LIKE 'tracked%'"):
        query = "tags.`medcls.best` = 'True' and tags.`medcls.level` != 'run'"
        (run,) = client.search_runs([experiment.experiment_id], query)
        names[experiment.name] = str(run.info.run_name)
    return names


def test_variants_are_grouped_with_spread_and_verdict(browser: Any, pages: Any, best: dict[str, str]) -> None:
    seeds = [f"{name} · seed {seed}" for name in ("small", "smooth") for seed in (0, 1)]
    table(browser, pages["tracked_seeds", "Variants"], best["tracked_seeds"], *seeds)
    page = text(browser)
    assert best["tracked_seeds"] in ("small · best", "smooth · best")
    assert "Group: small" in page
    assert "Group: smooth" in page
    assert columns(browser)[:4] == ["mean/balanced_accuracy", "medcls.verdict", "n", "sd/balanced_accuracy"]
    assert "reference" in page
    assert re.search("(better than|worse than|not distinguishable from) small", page)
    assert "learner.schedule" in columns(browser)


def test_a_laptop_shows_verdict_and_number_of_runs_without_scrolling(browser: Any, pages: Any) -> None:
    size = browser.get_window_size()
    browser.set_window_size(1440, 900)
    try:
        for study, view in (("tracked_seeds", "Variants"), ("tracked_search", "Trials, best first")):
            show(browser, pages[study, view], "matching runs", "medcls.verdict")
            for button in browser.find_elements("xpath", "//button[@aria-label='Close']"):  # MLflow's assistant
                browser.execute_script("arguments[0].click()", button)
            until(lambda: right_of(browser, "tags.`medcls.verdict`") < right_of(browser, "metrics.`n`") < 1440)
    finally:
        browser.set_window_size(size["width"], size["height"])


def test_the_charts_of_variants_have_their_colours(browser: Any, pages: Any, client: Any) -> None:
    show(browser, pages["tracked_seeds", "Variants"] + CHARTS, "Learning curves", "Scores", "mean/balanced_accuracy")
    colours = set()
    for run in client.search_runs(["2"], "tags.`medcls.level` = 'variant'"):
        colours.add(run.data.tags["mlflow.runColor"])
    assert len(colours) == 2
    until(lambda: drawn(browser, ".scatterlayer .trace path.js-line") >= colours)
    until(lambda: drawn(browser, ".barlayer .point path") >= colours)


def test_trials_come_best_first_with_what_was_tried(browser: Any, pages: Any, client: Any) -> None:
    trials = client.search_runs(["1"], "tags.`medcls.level` = 'trial'")
    ranks = {str(trial.info.run_name): trial.data.metrics["rank/score"] for trial in trials}
    table(browser, pages["tracked_search", "Trials, best first"], *ranks)
    until(lambda: "2 matching runs" in text(browser))
    names = browser.find_elements("xpath", "//*[@role='gridcell']//a[starts-with(normalize-space(), 'trial ')]")
    rows = sorted((int(row(name)), name.text) for name in names)
    assert [ranks[name] for _, name in rows] == sorted(ranks.values(), reverse=True)
    assert {"learner.model.filters", "learner.model.dropout", "learner.optimizer.learning_rate"} <= set(
        columns(browser)
    )
    assert "the best" in text(browser)


def test_trials_are_drawn_in_parallel_coordinates(browser: Any, pages: Any) -> None:
    page = pages["tracked_search", "Trials, best first"] + CHARTS
    show(browser, page, "What was tried", "Parallel Coordinates", "rank/score")
    until(lambda: browser.find_elements("css selector", ".parcoords"))
    until(lambda: browser.find_elements("css selector", ".barlayer .point path"))


def test_the_best_run_stands_with_its_folds_and_refit(browser: Any, pages: Any, best: dict[str, str]) -> None:
    number = best["tracked_search"].split(" · ")[0]
    names = [f"{number} · refit", f"{number} · fold 1/2", f"{number} · fold 2/2", best["tracked_search"]]
    table(browser, pages["tracked_search", "Best run"], *names)
    assert "4 matching runs" in text(browser)
    assert columns(browser)[0] == "test/balanced_accuracy"
    show(browser, pages["tracked_search", "Best run"] + CHARTS, "The most certain errors", "Learning curves")
    heading = browser.find_element("xpath", "//*[normalize-space(text())='Learning curves']")
    browser.execute_script("arguments[0].scrollIntoView()", heading)  # charts are drawn when they come into sight
    until(lambda: "loss vs val_loss" in text(browser))
    until(lambda: browser.find_elements("css selector", ".scatterlayer .trace path.js-line"))


def test_the_best_run_shows_what_it_got_wrong(browser: Any, pages: Any) -> None:
    show(browser, pages["tracked_seeds", "Best run"] + CHARTS, "The most certain errors", "certain errors")
    until(lambda: images_shown(browser))
    assert min(images_shown(browser)) >= 100  # pixels: drawn, no mere icon


@pytest.mark.parametrize(("study", "level"), [("tracked_search", "trial"), ("tracked_seeds", "variant")])
def test_the_same_case_of_each_variant_or_trial_stands_side_by_side(
    browser: Any, pages: Any, client: Any, study: str, level: str
) -> None:
    (experiment,) = [each for each in client.search_experiments() if each.name == study]
    runs = client.search_runs([experiment.experiment_id], f"tags.`medcls.level` = '{level}'")
    names = [run.info.run_name for run in runs if run.data.tags["medcls.smoke"] == "False"]
    assert len(names) > 1
    show(browser, pages[study, "Cases side by side"] + CHARTS, "The same cases, image by image", "prediction")
    until(lambda: len(images_shown(browser)) == len(names))
    assert min(images_shown(browser)) >= 100  # pixels: drawn, no mere icon


def test_the_description_links_to_the_views(browser: Any, address: str) -> None:
    browser.get(address)
    browser.execute_script("localStorage.clear()")  # it remembers the view that was seen last
    table(browser, f"{address}/#/experiments/1/runs?workflowType=machine_learning", "tracked_search on pictures0")
    link = browser.find_element("xpath", "//a[normalize-space()='Trials, best first']")
    show(browser, str(link.get_attribute("href")), "2 matching runs", "rank/score")
    assert not links(browser, "tracked_search on pictures0")


def right_of(browser: Any, column: str) -> int:
    """Return where a column of the run table ends, in pixels from the window's left edge."""
    (header,) = browser.find_elements("xpath", f"//*[@role='columnheader' and @col-id='{column}']")
    return int(header.rect["x"] + header.rect["width"])


def row(link: Any) -> str:
    """Return the number of the row that a link stands in."""
    return str(link.find_element("xpath", "./ancestor::*[@role='row']").get_attribute("row-index"))
