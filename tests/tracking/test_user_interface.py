"""Plain `mlflow ui` in the repository's root, looked at with a browser after a study on the default store."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from medcls.utils.paths import root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="no chromium here"),
]
LIMIT = 300.0  # seconds, after which a page counts as never shown
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1700,1200"),
)


@pytest.fixture(scope="module")
def repository(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository in which a study has run on the default store."""
    copy = tmp_path_factory.mktemp("copy") / "medcls"
    shutil.copytree(root() / "medcls", copy / "medcls", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root() / "pyproject.toml", copy)
    for name in ("tracked_search.py", "tiny_search.py"):
        shutil.copy(Path(__file__).parents[1] / "tiny" / name, copy)
    line = [sys.executable, "tracked_search.py", "--data", str(pictures), "--threads", "1"]
    done = subprocess.run(line, cwd=copy, env=_environment(copy), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Compare the runs: mlflow ui, then open http://127.0.0.1:5000/#/experiments/1/runs" in done.stdout
    return copy


@pytest.fixture(scope="module")
def address(repository: Path) -> Iterator[str]:
    """Return the address of `mlflow ui`, started in the copy with no flag but a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "mlflow", "ui", "--port", str(port)]
    with (repository / "ui.log").open("w") as log:
        process = subprocess.Popen(
            line, cwd=repository, env=_environment(repository), stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    until(lambda: _answers(address))
    yield address
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a browser without a past."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield browser
    browser.quit()


def test_the_run_table_nests_study_trials_and_folds(browser: Any, address: str) -> None:
    _table(browser, address)
    assert "Does the store show what the run folders hold?" in _text(browser)
    for row in ("tracked_search", "trial 0", "trial 1"):
        _expand(browser, row)

    names = ["tracked_search", "trial 0", "trial 1"]
    names += [f"trial {trial} seed 0 fold {fold}/2" for trial in (0, 1) for fold in (1, 2)]
    until(lambda: all(_links(browser, name) for name in names))


def test_a_fold_shows_its_curves_figures_and_load(browser: Any, address: str) -> None:
    run = _fold(browser, address)
    _show(browser, f"{run}/model-metrics", "best\n", "Model metrics\n")
    until(lambda: _scrolled(browser) and "(val_balanced_accuracy)" in _text(browser))
    _show(browser, f"{run}/system-metrics", "cpu_utilization_percentage", "process_memory_usage")
    for figure in ("learning_curves.png", "confusion_matrix.png", "roc.png"):
        _show(browser, f"{run}/artifacts/{figure}", figure)
        until(lambda: _largest_image(browser) > 200)  # pixels; icons are smaller


def test_the_study_tells_its_answer_and_the_model_is_champion(browser: Any, address: str) -> None:
    _table(browser, address)
    study = _links(browser, "tracked_search")[0].get_attribute("href")
    _show(browser, study, "Best on pictures", "test/balanced_accuracy", "best/val_balanced_accuracy", "Training")
    _show(browser, f"{address}/#/models/medcls-tracked_search", "Version 1", "champion")


def test_three_runs_are_compared_with_their_curves_overlaid(browser: Any, address: str) -> None:
    _table(browser, address)
    for row in ("tracked_search", "trial 0", "trial 1"):
        if not _links(browser, f"{row} seed 0 fold 1/2" if row != "tracked_search" else "trial 0"):
            _expand(browser, row)
    names = ["trial 0 seed 0 fold 1/2", "trial 0 seed 0 fold 2/2", "trial 1 seed 0 fold 1/2"]
    for name in names:
        until(lambda each=name: _links(browser, each))
        row = browser.find_element("xpath", f"//a[normalize-space()='{name}']/ancestor::*[@role='row']")
        box = f"//*[@role='row' and @row-index='{row.get_attribute('row-index')}']//input[@type='checkbox']"
        browser.execute_script("arguments[0].click()", browser.find_element("xpath", box))
    compare = "//button[@data-testid='runs-compare-button' or normalize-space()='Compare']"
    until(lambda: browser.find_elements("xpath", compare))
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", compare))
    until(lambda: "Comparing 3 Runs" in _text(browser) and all(name in _text(browser) for name in names))
    until(lambda: _metric(browser, "accuracy"))
    curves = _metric(browser, "accuracy").replace("%5B%22accuracy%22%5D", "%5B%22val_loss%22%5D")
    _show(browser, curves, *names)
    until(lambda: len(browser.find_elements("css selector", ".js-plotly-plot .scatterlayer .trace")) >= len(names))


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _environment(copy: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return kept | {"PYTHONPATH": str(copy), "MLFLOW_DISABLE_TELEMETRY": "true"}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _text(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def _show(browser: Any, page: str, *words: str) -> None:
    """Open a page and wait until it says all the words."""
    browser.get("about:blank")
    browser.get(page)
    until(lambda: all(word in _text(browser) for word in words))


def _scrolled(browser: Any) -> bool:
    """Scroll whatever scrolls to its end: charts are drawn when they come into sight."""
    browser.execute_script(
        "for (const each of document.querySelectorAll('*'))"
        " if (each.scrollHeight > each.clientHeight + 100) each.scrollTop = each.scrollHeight"
    )
    return True


def _table(browser: Any, address: str) -> None:
    _show(browser, f"{address}/#/experiments/1/runs?workflowType=machine_learning", "tracked_search", "matching runs")
    until(lambda: _links(browser, "tracked_search"))


def _links(browser: Any, name: str) -> list[Any]:
    """Return the run table's links of this name."""
    return list(browser.find_elements("xpath", f"//*[@role='gridcell']//a[normalize-space()='{name}']"))


def _metric(browser: Any, name: str) -> str:
    """Return the address of a metric's curves on the page that compares runs; "" before it is shown."""
    links = browser.find_elements("xpath", "//a[contains(@href,'metric_keys=')]")
    return next((str(link.get_attribute("href")) for link in links if link.text.strip() == name), "")


def _expand(browser: Any, name: str) -> None:
    """Open a row of the run table, as a user does by its plus sign."""
    until(lambda: _links(browser, name))
    cell = f"//a[normalize-space()='{name}']/ancestor::*[@role='gridcell']"
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", f"{cell}//button"))


def _fold(browser: Any, address: str) -> str:
    """Return the page of the first trial's first fold."""
    _table(browser, address)
    for row in ("tracked_search", "trial 0"):
        if not _links(browser, "trial 0 seed 0 fold 1/2"):
            _expand(browser, row)
    until(lambda: _links(browser, "trial 0 seed 0 fold 1/2"))
    return str(_links(browser, "trial 0 seed 0 fold 1/2")[0].get_attribute("href"))


def _largest_image(browser: Any) -> int:
    return int(browser.execute_script("return Math.max(0, ...Array.from(document.images, each => each.naturalWidth))"))
