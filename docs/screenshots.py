"""Draws the pictures of MLflow's saved views in these pages: python docs/screenshots.py; needs chromium and selenium.

Two small studies run on the phantom of X-rays, in a store of their own: one of variants over seeds, one search. With a
directory, python docs/screenshots.py DIR, the store stays there, and the same command resumes what was interrupted.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver

DOCS = Path(__file__).parent
SIZE = (1700, 1060)  # pixels of the browser's window
LIMIT = 180.0  # seconds, after which a page counts as never shown
STILL = 8.0  # seconds without a further line, bar or axis, after which charts count as drawn
DRAWN = ".js-plotly-plot .trace, .js-plotly-plot .point, .js-plotly-plot .axis"
VARIANTS = '''"""Does dropout or a wider network help?"""

from functools import partial

from medcls import Study, Variant, augmentation, data, main, models, training
from medcls.evaluation.answers import compare
from medcls.tasks import MULTICLASS

PLAIN = Variant(
    data=partial(data.folder, source="xray", size=32, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.cnn, filters=(4, 8)),
        augment=augmentation.none,
        optimizer=partial(training.adam, learning_rate=0.003),
        batch_size=16,
        epochs=6,
    ),
    task=MULTICLASS,
)
STUDY = Study(
    name="views_variants",
    question="Does dropout or a wider network help?",
    variants={
        "plain": PLAIN,
        "dropout": PLAIN.with_("learner.model.dropout", 0.4),
        "wide": PLAIN.with_("learner.model.filters", (16, 32)),
    },
    seeds=(0, 1, 2),
    answers=(
        compare("plain", "dropout", "val_balanced_accuracy", "Does dropout help?"),
        compare("plain", "wide", "val_balanced_accuracy", "Does a wider network help?"),
    ),
)
if __name__ == "__main__":
    main(STUDY)
'''
SHOTS = (  # the experiment, the view, whether its charts are shown, the file
    ("views_variants", "Variants", False, "views_variants.png"),
    ("views_variants", "Variants", True, "views_variants_charts.png"),
    ("bonus_resnet", "Trials, best first", True, "views_trials_charts.png"),
)


def main() -> None:
    """Run the studies, serve their store, and draw the pictures."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(sys.argv[1] if len(sys.argv) > 1 else name).resolve()
        home.mkdir(exist_ok=True)
        store = f"sqlite:///{home / 'mlflow.db'}"
        (home / "views_variants.py").write_text(VARIANTS)
        common = ["--tracking-uri", store, "--work-dir", str(home / "runs")]
        subprocess.run([sys.executable, str(home / "views_variants.py"), *common], cwd=home, check=True)
        search = [str(DOCS.parent / "studies" / "bonus_resnet.py"), "--trials", "4", "--set", "learner.epochs=4"]
        subprocess.run([sys.executable, *search, *common], cwd=home, check=True)
        with served(store, home) as address, browsing(home) as browser:
            for study, view, charts, file in SHOTS:
                shoot(browser, page_of(store, address, study, view, charts=charts), DOCS / file)


@contextmanager
def served(store: str, home: Path) -> Iterator[str]:
    """Serve a store; yield the server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--port", str(port)]
    spared = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen([*line, "--workers", "1"], cwd=home, env=os.environ | spared, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + LIMIT
        while not answers(address):
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: str) -> bool:
    """Tell whether a server answers."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def browsing(home: Path) -> Iterator[Any]:
    """Yield a browser without a past."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home / 'profile'}")
    for flag in (*flags, f"--window-size={SIZE[0]},{SIZE[1]}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    yield browser
    browser.quit()


def page_of(store: str, address: str, study: str, name: str, *, charts: bool) -> str:
    """Return the address of a view of a study, of its table or of its charts."""
    from medcls.tracking.saved_views import of_store

    (view,) = [view for view in of_store(store) if (view.study, view.name) == (study, name)]
    return f"{address}{view.page}" + ("&compareRunsMode=CHART" if charts else "")


def shoot(browser: Any, page: str, file: Path) -> None:
    """Open a page, close what lies upon it, and save a picture of it in 128 colours."""
    browser.get("about:blank")
    browser.get(page)
    deadline = time.monotonic() + LIMIT
    while "matching runs" not in str(browser.execute_script("return document.body.innerText")):
        assert time.monotonic() < deadline, f"{page} does not show its runs"
        time.sleep(0.5)
    wait_until_drawn(browser, page, has_charts="compareRunsMode=CHART" in page)
    for button in browser.find_elements("xpath", "//button[contains(@aria-label, 'lose')]"):
        browser.execute_script("arguments[0].click()", button)
    wait_until_drawn(browser, page, has_charts="compareRunsMode=CHART" in page)
    picture = file.with_suffix(".whole.png")
    browser.save_screenshot(str(picture))
    Image.open(picture).convert("RGB").quantize(128).save(file, optimize=True)
    picture.unlink()


def wait_until_drawn(browser: Any, page: str, *, has_charts: bool) -> None:
    """Wait until a page's charts change no more.

    Args:
        browser: that shows the page.
        page: its address.
        has_charts: whether the page has charts, so that it is not ready before one is drawn.
    """
    deadline, count, since = time.monotonic() + LIMIT, -1, time.monotonic()
    while time.monotonic() - since < STILL or (has_charts and count == 0):
        assert time.monotonic() < deadline, f"{page} does not draw its charts"
        time.sleep(0.5)
        now = len(browser.find_elements("css selector", DRAWN))
        if now != count:
            count, since = now, time.monotonic()


if __name__ == "__main__":
    main()
