"""How the tests look at MLflow's user interface: a server on a copy of the repository, a browser, and what it shows."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medcls.utils.paths import root

CHARTS = "&compareRunsMode=CHART"  # behind the address of a view: its charts
LIMIT = 300.0  # seconds, after which a page counts as never shown
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1700,1200"),
)


def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def environment(copy: Path, *before: Path) -> dict[str, str]:
    """Return the environment of commands in a copy of the repository; `before` has packages to prefer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    path = os.pathsep.join(str(folder) for folder in (*before, copy))
    return kept | {"PYTHONPATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"}


def copied(copy: Path, *studies: str) -> Path:
    """Copy the package and some tiny studies, as if they were a repository; return its folder."""
    shutil.copytree(root() / "medcls", copy / "medcls", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root() / "pyproject.toml", copy)
    for name in ("tiny_search", *studies):
        shutil.copy(Path(__file__).parents[1] / "tiny" / f"{name}.py", copy)
    return copy


def run_study(copy: Path, study: str, images: Path, *before: Path) -> str:
    """Run a study on the default store of a copy of the repository; return what it printed.

    Args:
        copy: the copy.
        study: the study's name.
        images: the folder of its images.
        before: folders of packages that are preferred to installed ones.
    """
    line = [sys.executable, f"{study}.py", "--data", str(images), "--threads", "1"]
    done = subprocess.run(line, cwd=copy, env=environment(copy, *before), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served(copy: Path, *before: Path) -> Iterator[str]:
    """Start `mlflow ui` in a copy of the repository with no flag but a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "mlflow", "ui", "--port", str(port)]
    with (copy / "ui.log").open("w") as log:
        process = subprocess.Popen(
            line, cwd=copy, env=environment(copy, *before), stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(address))
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: str) -> bool:
    """Tell whether a server answers."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def text(browser: Any) -> str:
    """Return all that a page says."""
    return str(browser.execute_script("return document.body.innerText"))


def show(browser: Any, page: str, *words: str) -> None:
    """Open a page and wait until it says all the words."""
    browser.get("about:blank")
    browser.get(page)
    until(lambda: all(word in text(browser) for word in words))


def scrolled(browser: Any) -> bool:
    """Scroll whatever scrolls to its end: charts are drawn when they come into sight."""
    browser.execute_script(
        "for (const each of document.querySelectorAll('*'))"
        " if (each.scrollHeight > each.clientHeight + 100) each.scrollTop = each.scrollHeight"
    )
    return True


def table(browser: Any, page: str, *names: str) -> None:
    """Open a page with the run table and wait until it has links of all the names."""
    show(browser, page, "matching runs")
    until(lambda: all(links(browser, name) for name in names))


def links(browser: Any, name: str) -> list[Any]:
    """Return the run table's links of this name."""
    return list(browser.find_elements("xpath", f"//*[@role='gridcell']//a[normalize-space()='{name}']"))


def metric(browser: Any, name: str) -> str:
    """Return the address of a metric's curves on the page that compares runs; "" before it is shown."""
    links = browser.find_elements("xpath", "//a[contains(@href,'metric_keys=')]")
    return next((str(link.get_attribute("href")) for link in links if link.text.strip() == name), "")


def expand(browser: Any, name: str) -> None:
    """Open a row of the run table, as a user does by its plus sign."""
    until(lambda: links(browser, name))
    cell = f"//a[normalize-space()='{name}']/ancestor::*[@role='gridcell']"
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", f"{cell}//button"))


def largest_image(browser: Any) -> int:
    """Return the width of the widest image on a page, in pixels."""
    return int(browser.execute_script("return Math.max(0, ...Array.from(document.images, each => each.naturalWidth))"))


def images_shown(browser: Any) -> list[int]:
    """Return the natural widths of the images that an image grid has loaded."""
    return list(
        browser.execute_script(
            "return Array.from(document.querySelectorAll('.rc-image img'), each => each.naturalWidth).filter(w => w)"
        )
    )


def columns(browser: Any) -> list[str]:
    """Return the columns behind those that every table has, from left to right, scrolling to see them all."""
    found: dict[str, int] = {}
    for shift in range(0, 4000, 400):
        browser.execute_script(
            "for (const each of document.querySelectorAll('.ag-body-horizontal-scroll-viewport'))"
            " each.scrollLeft = arguments[0]",
            shift,
        )
        for header in browser.find_elements("css selector", ".ag-header-viewport .ag-header-cell"):
            name = header.text.strip()
            if name:
                found[name] = int(header.get_attribute("aria-colindex"))
    browser.execute_script(
        "for (const each of document.querySelectorAll('.ag-body-horizontal-scroll-viewport')) each.scrollLeft = 0"
    )
    return sorted(found, key=lambda name: found[name])


def drawn(browser: Any, selector: str) -> set[str]:
    """Return the colours of a chart's lines or bars, as #rrggbb."""
    colours = set()
    for path in browser.find_elements("css selector", selector):
        style = str(path.get_attribute("style"))
        for parts in re.findall(r"(?:stroke|fill): rgb\((\d+), (\d+), (\d+)\)", style):
            colours.add("#" + "".join(f"{int(part):02x}" for part in parts))
    return colours
