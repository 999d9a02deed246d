"""What import-linter and ruff cannot say of the house: its rooms, the length of its files, no mutable state.

The layers and the absence of circles stand in pyproject.toml (`lint-imports`), as do the packages that no module
imports by itself (`ruff check`).
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import medcls

ROOT = Path(medcls.__file__).parents[1]
FILES = sorted([*ROOT.glob("medcls/**/*.py"), *ROOT.glob("studies/*.py")])
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}
STUDIES = [name for name in TREES if name.startswith("studies/") and not name.endswith("__init__.py")]
ROOMS = {
    *("augmentation", "cli", "data", "evaluation", "execution", "explain", "export", "inference", "losses", "models"),
    *("report", "spec", "tasks", "tracking", "training", "utils"),
}
FACE = {"__init__.py", "__main__.py", "py.typed"}
STUDIES_USE = {"augmentation", "data", "evaluation", "explain", "losses", "models", "spec", "tasks", "training"}
DEMONSTRATES = "studies/task3_transforms.py"  # has a command line of its own
HEAVY = {
    *("cv2", "h5py", "keras", "matplotlib", "mlflow", "optuna", "pandas", "pooch", "ray", "requests", "scipy"),
    *("skimage", "sklearn", "tensorflow"),
}
ONLY_IN = {
    "mlflow": ("medcls/tracking/", "medcls/export/"),
    "sqlalchemy_store": ("medcls/tracking/",),
    "optuna": ("medcls/execution/search/",),
    "journal": ("medcls/execution/search/",),
    "ray": ("medcls/execution/executors/",),
}
MUTABLE = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}


def test_the_package_holds_sixteen_rooms_and_a_face():
    entries = {path.name for path in (ROOT / "medcls").iterdir() if path.name != "__pycache__"}
    assert entries == ROOMS | FACE


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_uses_what_studies_are_made_of(name: str):
    used = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and node.module == "medcls":
            used |= {alias.name for alias in node.names if alias.name in ROOMS}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("medcls."):
            used.add(node.module.split(".")[1])
    assert used <= STUDIES_USE | ({"cli"} if name == DEMONSTRATES else set())


@pytest.mark.parametrize("name", TREES)
def test_packages_of_one_room_are_imported_there_alone(name: str):
    if name == "medcls/utils/lazy.py":
        return  # the one place that names them all
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and node.module == "medcls.utils.lazy":
            packages = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages = {(node.module or "").split(".")[0]}
        elif isinstance(node, ast.Import):
            packages = {alias.name.split(".")[0] for alias in node.names}
        else:
            continue
        for package in packages & set(ONLY_IN):
            assert name.startswith(ONLY_IN[package]), f"{package} is imported on line {node.lineno}"


def test_importing_the_studies_and_the_command_line_imports_nothing_heavy():
    names = [name.removesuffix(".py").replace("/", ".") for name in STUDIES]
    ask = f"import {', '.join(names)}, medcls.cli.options, medcls.execution.session, sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(answer.stdout.split())


@pytest.mark.parametrize("path", FILES, ids=list(TREES))
def test_files_are_short(path: Path):
    assert len(path.read_text().splitlines()) <= (60 if path.parent.name == "studies" else 300)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the length of a function from its def on; a docstring does not count, for it may have to be long."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    return function.end_lineno - function.lineno + 1 - documented * (first.end_lineno - first.lineno + 1)


@pytest.mark.parametrize("name", TREES)
def test_functions_are_short(name: str):
    functions = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if lines_of(node) > 60] == []


@pytest.mark.parametrize("name", [name for name in TREES if name not in STUDIES])  # a study is a value itself
def test_modules_hold_no_mutable_state(name: str):
    assert not [node for node in ast.walk(TREES[name]) if isinstance(node, ast.Global)]
    mutable = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    for node in TREES[name].body:
        assert not isinstance(node, ast.AugAssign)
        if isinstance(node, ast.Assign | ast.AnnAssign) and not ast.unparse(node).startswith("__all__"):
            made = ast.unparse(node.value.func) if isinstance(node.value, ast.Call) else ""
            assert not isinstance(node.value, mutable)
            assert made.rpartition(".")[2] not in MUTABLE
