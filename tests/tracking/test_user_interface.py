"""Plain `mlflow ui` in the repository's root, looked at with a browser after a study on the default store."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from browsing import expand, largest_image, links, metric, scrolled, show, table, text, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="no chromium here"),
]
STUDY = "tracked_search on pictures0"


@pytest.fixture(scope="module")
def names(repository: Path) -> list[str]:
    """Return the names of the trials."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    trials = client.search_runs(["1"], "tags.`medcls.level` = 'trial'", order_by=["attributes.start_time"])
    return [str(trial.info.run_name) for trial in trials]


@pytest.fixture
def page(browser: Any, address: str) -> str:
    """Return the page of the run table, which remembers no view that was seen before."""
    browser.get(address)
    browser.execute_script("localStorage.clear()")
    return f"{address}/#/experiments/1/runs?workflowType=machine_learning"


def test_the_run_table_nests_study_trials_and_folds(browser: Any, page: str, names: list[str]) -> None:
    table(browser, page, STUDY)
    assert "Does the store show what the run folders hold?" in text(browser)
    for row in (STUDY, *names):
        expand(browser, row)
    folds = [f"trial {trial} · fold {fold}/2" for trial in (0, 1) for fold in (1, 2)]
    until(lambda: all(links(browser, name) for name in (*names, *folds)))
    assert sum(name.endswith(" · best") for name in names) == 1


def test_a_fold_shows_its_curves_figures_and_load(browser: Any, page: str, names: list[str]) -> None:
    run = fold(browser, page, names)
    show(browser, f"{run}/model-metrics", "best\n", "Model metrics\n")
    until(lambda: scrolled(browser) and "(val_balanced_accuracy)" in text(browser))
    show(browser, f"{run}/system-metrics", "cpu_utilization_percentage", "process_memory_usage")
    for figure in ("learning_curves.png", "confusion_matrix.png", "roc.png"):
        show(browser, f"{run}/artifacts/{figure}", figure)
        until(lambda: largest_image(browser) > 200)  # pixels; icons are smaller


def test_the_study_tells_its_answer_and_the_model_is_champion(browser: Any, page: str, address: str) -> None:
    table(browser, page, STUDY)
    study = links(browser, STUDY)[0].get_attribute("href")
    show(browser, study, "Best on pictures", "test/balanced_accuracy", "best/val_balanced_accuracy", "Training")
    show(browser, f"{address}/#/models/medcls-tracked_search", "Version 1", "champion")


def test_three_runs_are_compared_with_their_curves_overlaid(browser: Any, page: str, names: list[str]) -> None:
    table(browser, page, STUDY)
    for row, below in ((STUDY, names[0]), (names[0], "trial 0 · fold 1/2"), (names[1], "trial 1 · fold 1/2")):
        if not links(browser, below):
            expand(browser, row)
    chosen = ["trial 0 · fold 1/2", "trial 0 · fold 2/2", "trial 1 · fold 1/2"]
    for name in chosen:
        until(lambda name=name: links(browser, name))
        row = browser.find_element("xpath", f"//a[normalize-space()='{name}']/ancestor::*[@role='row']")
        box = f"//*[@role='row' and @row-index='{row.get_attribute('row-index')}']//input[@type='checkbox']"
        browser.execute_script("arguments[0].click()", browser.find_element("xpath", box))
    compare = "//button[@data-testid='runs-compare-button' or normalize-space()='Compare']"
    until(lambda: browser.find_elements("xpath", compare))
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", compare))
    until(lambda: "Comparing 3 Runs" in text(browser) and all(name in text(browser) for name in chosen))
    until(lambda: metric(browser, "accuracy"))
    curves = metric(browser, "accuracy").replace("%5B%22accuracy%22%5D", "%5B%22val_loss%22%5D")
    show(browser, curves, *chosen)
    until(lambda: len(browser.find_elements("css selector", ".js-plotly-plot .scatterlayer .trace")) >= len(chosen))


def fold(browser: Any, page: str, names: list[str]) -> str:
    """Return the page of the first trial's first fold."""
    table(browser, page, STUDY)
    for row, below in ((STUDY, names[0]), (names[0], "trial 0 · fold 1/2")):
        if not links(browser, below):
            expand(browser, row)
    until(lambda: links(browser, "trial 0 · fold 1/2"))
    return str(links(browser, "trial 0 · fold 1/2")[0].get_attribute("href"))
