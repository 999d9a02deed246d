"""What a newcomer relies on: the documents say what is there, and the versions can be installed."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import medcls

ROOT = Path(medcls.__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]

LOADING = """
import keras, numpy, sys
whole = keras.saving.load_model("model.keras")
images = numpy.full((2, *whole.input_shape[1:]), 255.0)
before = whole.predict(images)
for weight in whole.weights:
    weight.assign(weight * 0)
whole.load_weights("model.weights.h5")
assert numpy.array_equal(whole.predict(images), before)
assert not [name for name in sys.modules if name.startswith("medcls")]
"""


def run(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)


@pytest.fixture
def own_study(tmp_path: Path) -> Path:
    """Return the README's own study, saved as it says."""
    path = tmp_path / "my_study.py"
    path.write_text(code("## Your own study"))
    return path


def code(heading: str) -> str:
    """Return the first block of Python below a heading of the README."""
    return README.partition(heading)[2].partition("```python\n")[2].partition("```")[0]


def test_own_study_of_the_readme_is_short_and_says_what_it_would_run(own_study: Path) -> None:
    assert len(own_study.read_text().splitlines()) <= 25
    done = run(own_study, "--plan", "--smoke", "--work-dir", own_study.parent / "runs")
    assert done.returncode == 0, done.stderr
    assert "plain seed 0" in done.stdout
    assert "turned seed 0" in done.stdout


@pytest.mark.slow
def test_own_study_of_the_readme_runs_goes_on_and_gives_its_model(own_study: Path) -> None:
    folder = own_study.parent
    summary, store = folder / "summary.json", f"sqlite:///{folder / 'mlflow.db'}"
    flags = ("--smoke", "--work-dir", folder / "runs", "--tracking-uri", store, "--json", summary)
    done = run(own_study, *flags)
    assert done.returncode == 0, done.stderr
    assert [each["status"] for each in json.loads(summary.read_text())["runs"]] == ["finished"] * 2

    done = run(own_study, *flags, "--only", "plain", "--set", "learner.epochs=3")
    assert done.returncode == 0, done.stderr
    longer = json.loads(summary.read_text())["runs"][0]
    assert (longer["epochs"], longer["shared_epochs"], len(longer["history"]["loss"])) == (3, 2, 3)

    assert "medcls export bonus_resnet --out best" in README
    best = folder / "best"
    done = run("-m", "medcls", "export", "my_study", "--out", best, "--work-dir", folder / "runs")
    assert done.returncode == 0, done.stderr
    loading = folder / "load.py"
    loading.write_text(LOADING)
    done = run(loading, folder=best)
    assert done.returncode == 0, done.stderr


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len(README.splitlines()) <= 150


def test_the_page_of_studies_lists_every_study() -> None:
    studies = {path.stem for path in (ROOT / "studies").glob("*.py")} - {"__init__"}
    page = (ROOT / "docs" / "studies.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == studies
    assert f"all {len(studies)} studies" in README


def test_the_page_of_the_command_line_lists_every_flag_and_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    section = page.partition("## Flags of every study")[2].partition("\n## ")[0]
    told = run(ROOT / "studies" / "bonus_resnet.py", "--help").stdout
    assert set(re.findall(r"`(--[a-z-]+)", section)) >= set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE))
    assert set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)) <= set(re.findall(r"--[a-z-]+", told))

    listed = re.findall(r"^\| `medcls ((?:data )?[a-z]+)", page, re.MULTILINE)
    commands = re.findall(r"^    ([a-z]\S*)", run("-m", "medcls", "--help").stdout, re.MULTILINE)
    of_data = re.findall(r"^    ([a-z]\S*)", run("-m", "medcls", "data", "--help").stdout, re.MULTILINE)
    assert sorted(listed) == sorted({*commands, *(f"data {name}" for name in of_data)} - {"data"})


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_that_the_pages_for_developers_name_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"(?<![\w/.$])((?:[\w-]+/)+[\w-]+\.py)\b", text)
    assert len(named) > 10
    missing = [path for path in named if not (ROOT / path).exists() and not (ROOT / "medcls" / path).exists()]
    assert [path for path in missing if "NAME" not in path] == []


def test_the_story_of_a_run_names_functions_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    steps = re.findall(r"^\d+\. \*\*`([\w/]+\.py)`, `(\w+)`\*\*", text, re.MULTILINE)
    assert 5 < len(steps) <= 10
    assert len({path for path, _ in steps}) <= 7  # a stranger opens no more files than that on the way to Keras's fit
    for path, name in steps:
        assert re.search(rf"^ *(def|class) {name}\b", (ROOT / "medcls" / path).read_text(), re.MULTILINE), (path, name)


def test_constraints_are_names_and_versions_within_the_bounds() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r'[\w.-]+==[\w.]+( ; python_version (<|>=) "3\.\d\d")?', line) for line in lines)
    for python in ("3.11", "3.12", "3.13"):
        versions = {
            each.name.lower(): next(iter(each.specifier)).version
            for each in pinned
            if each.marker is None or each.marker.evaluate({"python_version": python})
        }
        for wanted in REQUIREMENTS:
            assert wanted.specifier.contains(versions[wanted.name.lower()]), f"{wanted} under Python {python}"


def test_a_folder_of_the_packages_name_beside_a_script_hides_nothing(tmp_path: Path) -> None:
    """Who clones the repository into a folder and keeps scripts beside it has such a folder."""
    (tmp_path / "medcls").mkdir()
    (tmp_path / "script.py").write_text("from medcls import Study\nprint(Study.__name__)\n")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Study\n", "")


def test_every_dependency_is_bounded_and_has_a_reason() -> None:
    reasons = (ROOT / "CONTRIBUTING.md").read_text().partition("## Why each dependency")[2].partition("\n## ")[0]
    for each in REQUIREMENTS:
        assert {bound.operator for bound in each.specifier} == {">=", "<"}, each
        assert re.search(rf"^\|.*\b{re.escape(each.name)}\b.* \|", reasons, re.MULTILINE), each.name


def test_the_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert PROJECT["version"] == medcls.__version__
    assert f"\nversion: {medcls.__version__}\n" in citation
    assert f"license: {PROJECT['license']}\n" in citation


def test_every_folder_of_code_is_a_package_that_an_installation_takes_along() -> None:
    folders = {path.parent for path in (ROOT / "medcls").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]
