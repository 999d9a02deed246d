"""The code digest changes with what a run executes, and with nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import medcls

PROJECT = {
    "study.py": '''
"""A study."""
import functools, json, os
from functools import partial
import tools
from tools import LIMITS, Settings, double, twice
from package import inner
RATE = 0.5
SETTINGS = Settings(size=3)
DEFAULT = partial(double, times=2)
WAYS = {"one": double, "other": tools.half}
wrapped_by_call = tools.logged(tools.plain)
@twice
def helper(x, *, power=2):
    """A docstring."""
    return x ** power  # a comment
@functools.cache
def cached(x):
    return x + 7
def unused(x):
    return x + 8
def train(x):
    from tools import late
    def nested(y):
        return helper(y) * RATE
    value = nested(x) + tools.half(x) + DEFAULT(x) + cached(x) + inner.deep.deepest(x) + late(x)
    limits = sorted(LIMITS) + [SETTINGS.size, WAYS["one"](x), wrapped_by_call(x), tools.Base().f()]
    return json.dumps([value, *limits, tools.__file__]) + f"{x!r:>{RATE}} {x=}" + os.environ.get("HOME", "")
''',
    "tools.py": """
from dataclasses import dataclass
from types import MappingProxyType
import functools
LIMITS = MappingProxyType({"b": frozenset({1, 2}), "a": (None, 4.5)})
@dataclass(frozen=True)
class Settings:
    size: int = 1
    shape: tuple = (5, 6)
class Root:
    def f(self):
        return 21
class Base(Root):
    pass
def double(x, *, times=22):
    return times * x
def half(x):
    return x / 23
def late(x):
    return x - 24
def plain(x):
    return x - 25
def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return 26 * function(*args, **kwargs)
    return wrapper
def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return 27, function(*args)
    return wrapper
def elsewhere():
    return 28
""",
    "package/__init__.py": "",
    "package/inner/__init__.py": "from package.inner import deep\n",
    "package/inner/deep.py": "def deepest(x):\n    return x - 29\n",
}
ASK = """
import sys
sys.path[:0] = sys.argv[1:]
from medcls.utils.code_digest import code_digest
import study
print(code_digest([study.train]))
"""


def project(folder: Path, edits: dict[str, tuple[str, str]]) -> Path:
    for name, source in PROJECT.items():
        old, new = edits.get(name, ("", ""))
        assert old in source
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source.replace(old, new, 1))
    return folder


def digest(folder: Path, python: str = sys.executable, hash_seed: str = "0") -> str:
    root = Path(medcls.__file__).parents[1]
    command = [python, "-B", "-c", ASK, str(folder), str(root)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    asked = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert not asked.stderr
    return asked.stdout


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("study.py", "x ** power", "x ** power + 1"),
        ("study.py", "power=2", "power=3"),
        ("study.py", "RATE = 0.5", "RATE = 0.25"),
        ("study.py", "size=3", "size=4"),
        ("study.py", "partial(double, times=2)", "partial(double, times=3)"),
        ("study.py", "partial(double, times=2)", "partial(tools.half)"),
        ("study.py", '"one": double', '"one": tools.late'),
        ("study.py", "tools.logged(tools.plain)", "tools.logged(tools.elsewhere)"),
        ("study.py", "x + 7", "x + 70"),
        ("tools.py", "{1, 2}", "{1, 3}"),
        ("tools.py", "None, 4.5", "None, 4.25"),
        ("tools.py", "size: int = 1", "size: int = 2"),
        ("tools.py", "shape: tuple = (5, 6)", "shape: tuple = (5, 7)"),
        ("tools.py", "return 21", "return 210"),
        ("tools.py", "times=22", "times=220"),
        ("tools.py", "x / 23", "x / 230"),
        ("tools.py", "x - 24", "x - 240"),
        ("tools.py", "x - 25", "x - 250"),
        ("tools.py", "26 *", "260 *"),
        ("tools.py", "27,", "270,"),
        ("package/inner/deep.py", "x - 29", "x - 290"),
    ],
)
def test_what_is_reached_counts(tmp_path: Path, name: str, old: str, new: str):
    before = digest(project(tmp_path / "before", {}))
    assert digest(project(tmp_path / "after", {name: (old, new)})) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("study.py", '"""A docstring."""', '"""Another docstring,\n    longer."""'),
        ("study.py", "# a comment", "# another one"),
        ("study.py", "return x ** power", "return (\n        x**power\n    )"),
        ("study.py", "RATE = 0.5", "# moved\n\n\nRATE = 1 / 2"),
        ("study.py", "x + 8", "x + 80"),
        ("tools.py", "return 28", "return 280"),
    ],
)
def test_comments_layout_docstrings_and_what_is_not_reached_do_not_count(tmp_path: Path, name: str, old: str, new: str):
    before = digest(project(tmp_path / "before", {}))
    assert digest(project(tmp_path / "after", {name: (old, new)})) == before


def test_it_is_the_same_in_every_process_and_folder(tmp_path: Path):
    one, two = project(tmp_path / "one", {}), project(tmp_path / "two", {})
    assert len({digest(one), digest(two), digest(one, hash_seed="1"), digest(one, hash_seed="2")}) == 1


def test_it_is_the_same_for_a_file_that_is_run_as_a_script(tmp_path: Path):
    before = digest(project(tmp_path, {}))
    with (tmp_path / "study.py").open("a") as file:
        file.write('if __name__ == "__main__":\n    from medcls.utils.code_digest import code_digest\n')
        file.write("    print(code_digest([train]))\n")
    command = [sys.executable, "-B", str(tmp_path / "study.py")]
    assert subprocess.run(command, capture_output=True, text=True).stdout == before == digest(tmp_path)


def test_it_is_the_same_under_every_version_of_python(tmp_path: Path):
    """Beside the versions on the path, those installed beside this one are asked."""
    here = Path(sys.base_prefix).parent
    pythons = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13)]
    pythons += [str(path) for minor in (11, 12, 13) for path in here.glob(f"3.{minor}.*/bin/python3")]
    asked = [
        python
        for python in pythons
        if python and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    ]
    if len(asked) < 2:
        pytest.skip("only one version of Python is installed")
    folder = project(tmp_path, {})
    assert {digest(folder, python) for python in asked} == {digest(folder)}


ASK_STUDY = """
import sys
from medcls.data.split import split
from medcls.utils.code_digest import code_digest
from medcls.utils import code_digest as code; from medcls import training
from studies.bonus_resnet import STUDY
variant = STUDY.variants["resnet"]
print(code_digest([*variant.functions(), split]))
print(code_digest([training.gradient]))
print(*(name for name in ("keras", "tensorflow", "sklearn", "scipy") if name in sys.modules))
"""


def test_a_training_is_covered_down_to_its_checkpoint_and_nothing_heavy_is_imported(tmp_path: Path):
    root = Path(medcls.__file__).parents[1]

    def asked(folder: Path) -> list[str]:
        command = [sys.executable, "-B", "-c", ASK_STUDY]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert not ended.stderr
        return ended.stdout.split("\n")

    before = asked(root)
    assert before[2] == ""
    for package in ("medcls", "studies"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert asked(tmp_path) == before
    checkpoint = tmp_path / "medcls/training/checkpoint.py"
    source = checkpoint.read_text()
    checkpoint.write_text(source.replace("save(run_dir, epoch + 1,", "save(run_dir, epoch + 2,"))
    assert checkpoint.read_text() != source
    after = asked(tmp_path)
    assert after[0] != before[0]
    assert after[1] != before[1]
