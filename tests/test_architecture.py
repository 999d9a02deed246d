"""The walls of the house, read off the syntax trees.

Three storeys: tools that anything may use; the parts (data, models, training, ...), each of which may use the tools
and what is listed here; and the conductors, all other modules directly below medcls, which put the parts together.
Nothing imports upwards.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import medcls

ROOT = Path(medcls.__file__).parents[1]
FILES = sorted([*ROOT.glob("medcls/**/*.py"), *ROOT.glob("studies/*.py")])
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}
STUDIES = [name for name in TREES if name.startswith("studies/") and not name.endswith("__init__.py")]

TOOLS = {
    "texts": set(),
    "redaction": set(),
    "errors": {"redaction", "texts"},
    "naming": {"errors"},
    "lazy": set(),
    "files": {"errors", "lazy"},
    "reach": {"errors"},
    "records": {"errors", "files"},
    "slip": {"files"},
    "outputs": {"errors", "files"},
    "importing": {"errors"},
    "tracing": {"errors", "files", "redaction"},
    "depot": {"errors", "files", "lazy", "redaction", "records", "slip"},
    "quiet": set(),
    "code": set(),
    "interruption": set(),
    "limits": {"errors"},
    "values": {"errors", "limits"},
    "settings": {"errors", "values"},
    "spec": {"errors", "limits", "settings", "values"},
    "losses": {"lazy", "limits"},
    "metrics": {"lazy", "losses"},
}
BESIDE = {  # what each part may use beside itself and the tools
    "augmentation": set(),
    "data": set(),
    "evaluation": set(),
    "explain": {"data.types", "report.canvas", "tracking.journal"},
    "export": {"data.types"},
    "models": set(),
    "report": {"data.types", "evaluation"},
    "tracking": {"data.types", "evaluation"},
    "search": set(),
    "task": {"data.types", "evaluation"},
    "training": {
        *("augmentation", "evaluation.metrics", "models", "task"),
        *("data.mapped", "data.sealed", "data.stream", "data.types", "tracking.journal", "tracking.shapes"),
    },
    "scoring": {"data.types", "evaluation", "task"},
    "one_run": {"data", "pictures", "scoring", "training", "task", "tracking.journal"},
    "compute": {"one_run", "training", "tracking.journal"},
}
STUDY_MAY_USE = {
    "augmentation",
    "data",
    "demonstration",
    "evaluation",
    "explain",
    "models",
    "losses",
    "search",
    "spec",
    "study",
    "task",
    "training",
}
CONDUCTORS = {"commands"}  # packages of the uppermost storey
LATE = {  # may import their own when they run
    "medcls/study.py",
    "medcls/demonstration.py",
    "medcls/notebook.py",
    "medcls/compute/worker.py",
    *(name for name in TREES if name.startswith("medcls/commands/")),
}
HEAVY = {
    *(
        "cv2",
        "h5py",
        "keras",
        "matplotlib",
        "mlflow",
        "optuna",
        "pandas",
        "pooch",
        "ray",
        "requests",
        "scipy",
        "skimage",
        "sklearn",
        "tensorflow",
    ),
}
ONLY_IN = {
    "mlflow": ("medcls/tracking/mlflow.py", "medcls/tracking/sqlite.py", "medcls/export/registry.py"),
    "optuna": ("medcls/search/",),
    "ray": ("medcls/compute/ray.py",),
}
MUTABLE = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield (dotted name of what is imported, whether it is imported with the module)."""
    late = {id(each) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from ((f"{node.module}.{alias.name}", id(node) not in late) for alias in node.names)


def module(name: str) -> str:
    """Return the dotted name of a file below medcls: "training.gradient", "one_run", "data" for a package."""
    return name.removeprefix("medcls/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(name): tree for name, tree in TREES.items() if name.startswith("medcls/")} | {"": ast.Module([], [])}


def own(tree: ast.AST, *, late: bool = True) -> set[str]:
    """Return the modules of medcls that a tree imports, as `module` names them."""
    found = set()
    for dotted, at_once in imports(tree):
        first, _, rest = dotted.partition(".")
        if first == "medcls" and (at_once or late):
            found.add(rest if rest in MODULES else rest.rpartition(".")[0])
    return found - {""}


def top(module: str) -> str:
    return module.partition(".")[0]


def may_use(module: str, used: str) -> bool:
    here = top(module)
    if here in TOOLS:
        return top(used) in {here, *TOOLS[here]}
    if here in BESIDE:
        listed = any(used == each or used.startswith(f"{each}.") for each in BESIDE[here])
        return top(used) in {here, *TOOLS} or listed
    return True  # a conductor


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_nothing_imports_upwards(name: str):
    assert [used for used in own(MODULES[name]) if not may_use(name, used)] == []


def test_every_package_stands_in_the_list():
    packages = {path.parent.name for path in ROOT.glob("medcls/*/__init__.py")}
    assert packages <= set(TOOLS) | set(BESIDE) | CONDUCTORS


def test_no_modules_import_each_other():
    graph = {name: own(tree, late=False) - {name} for name, tree in MODULES.items()}
    packages = {name for name in MODULES if f"medcls/{name.replace('.', '/')}/__init__.py" in TREES}
    parts = {name: used - packages if name in packages else used for name, used in graph.items()}
    assert list(TopologicalSorter(parts).static_order())  # a circle raises CycleError


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_uses_what_studies_are_made_of(name: str):
    assert {top(used) for used in own(TREES[name])} <= STUDY_MAY_USE


def test_only_who_answers_the_command_line_imports_late():
    late = {
        name for name, tree in TREES.items() for dotted, now in imports(tree) if top(dotted) == "medcls" and not now
    }
    assert late <= LATE


def lazily(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the packages that are called for by lazy("...")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazy":
            assert isinstance(node.args[0], ast.Constant), "lazy packages are named where they are used"
            yield str(node.args[0].value)


@pytest.mark.parametrize("name", TREES)
def test_heavy_packages_are_imported_late_or_lazily_and_only_where_they_belong(name: str):
    if name == "medcls/compute/preload.py":
        return  # imports what workers share
    used = list(imports(TREES[name]))
    assert [dotted for dotted, at_once in used if at_once and top(dotted) in HEAVY] == []
    for package in {top(dotted) for dotted in [*lazily(TREES[name]), *(dotted for dotted, _ in used)]} & set(ONLY_IN):
        assert name.startswith(ONLY_IN[package])


def test_importing_the_studies_and_the_command_line_imports_nothing_heavy():
    names = [name.removesuffix(".py").replace("/", ".") for name in STUDIES]
    ask = f"import {', '.join(names)}, medcls.options, medcls.conduct, sys; print(*sys.modules)"
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
    assert [node.name for node in functions if lines_of(node) > 40] == []


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
