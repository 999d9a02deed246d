"""How the tests look at MLflow's user interface: a server on a copy of the repository, a browser, and what it shows."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def environment(copy: Path) -> dict[str, str]:
    """Return the environment of commands in a copy of the repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return kept | {"PYTHONPATH": str(copy), "MLFLOW_DISABLE_TELEMETRY": "true"}


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
