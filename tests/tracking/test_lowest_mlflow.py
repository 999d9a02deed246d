"""The lowest MLflow that pyproject.toml allows: a study runs with it, and its user interface reads the saved views."""

import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import CHARTS, columns, copied, drawn, images_shown, links, run_study, served, show, table, text, until
from packaging.requirements import Requirement

from medcls.utils.paths import root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="no chromium here"),
]
PATIENCE = 120  # seconds that pip may take
PARTS = ("mlflow", "mlflow-skinny", "mlflow-tracing")
ROWS = ("small · seed 0", "small · seed 1", "smooth · seed 0", "smooth · seed 1")


@dataclass(frozen=True)
class Served:
    """A server of the lowest MLflow on the store of a study that ran with it.

    Attributes:
        version: of MLflow, such as "3.10".
        address: of the server.
        page: of the view that the study's last line links to.
    """

    version: str
    address: str
    page: str


@pytest.fixture(scope="module")
def lowest(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return the lowest version of MLflow and a folder with it; what it depends on is that of the installed one."""
    declared = tomllib.loads((root() / "pyproject.toml").read_text())["project"]["dependencies"]
    (requirement,) = [line for line in map(Requirement, declared) if line.name == "mlflow"]
    (version,) = [each.version for each in requirement.specifier if each.operator == ">="]
    folder = tmp_path_factory.mktemp("lowest")
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--retries", "1", "--target", str(folder)]
    try:
        done = subprocess.run(
            [*line, *(f"{part}=={version}.*" for part in PARTS)], capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip does not get MLflow {version} within {PATIENCE} s: no package index in reach?")
    if done.returncode != 0:
        pytest.skip(f"pip cannot install MLflow {version} here: {done.stderr.strip().splitlines()[-1]}")
    return version, folder


@pytest.fixture(scope="module")
def store(lowest: tuple[str, Path], pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a study with the lowest MLflow, serve its store with it."""
    version, packages = lowest
    copy = copied(tmp_path_factory.mktemp("lowest_copy") / "medcls", "tracked_seeds")
    said = run_study(copy, "tracked_seeds", pictures, packages)
    link = re.search(r"Compare the runs: mlflow ui, then open http://127.0.0.1:5000(/\S+)", said)
    assert link is not None, said
    with served(copy, packages) as address:
        yield Served(version, address, f"{address}{link[1]}")


def test_a_study_runs_and_its_variants_are_shown(browser: Any, store: Served) -> None:
    with urllib.request.urlopen(f"{store.address}/version") as answer:
        assert answer.read().decode().startswith(f"{store.version}.")
    table(browser, store.page, *ROWS)
    page = text(browser)
    assert "Group: small" in page
    assert "Group: smooth" in page
    assert "6 matching runs" in page  # the study's own run and those of other studies are not among them
    assert len(links(browser, "small · best")) + len(links(browser, "smooth · best")) == 1
    expected = {"mean/balanced_accuracy", "sd/balanced_accuracy", "n", "medcls.verdict", "learner.schedule"}
    assert expected <= set(columns(browser))


def test_the_charts_have_the_colours_of_the_variants(browser: Any, store: Served) -> None:
    show(browser, store.page + CHARTS, "Learning curves", "curve/val_loss")
    until(lambda: len(drawn(browser, ".scatterlayer .trace path.js-line")) == 2)


def test_the_links_in_the_description_lead_to_the_other_views(browser: Any, store: Served) -> None:
    table(browser, store.page, *ROWS)
    pages = {}
    for name in ("Best run", "Cases side by side"):
        link = browser.find_element("xpath", f"//a[normalize-space()='{name}']")
        pages[name] = str(link.get_attribute("href"))
    show(browser, pages["Best run"], "3 matching runs", "best/epoch")
    show(browser, pages["Cases side by side"] + CHARTS, "The same cases, image by image")
    until(lambda: len(images_shown(browser)) == 2)
