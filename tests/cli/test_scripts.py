"""Scripts as people write them: without a guard, with errors that the processes of runs alone meet, with own functions.

Each is told in a sentence that names the file and the line, or is harmless.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ended import Ended

TINY = Path(__file__).with_name("tiny_study.py")
MADE = """
def made():
    def inner(images, *, units: int = 4):
        return images

    return inner


NARROW = """
GUARD = 'if __name__ == "__main__":\n    main(STUDY)\n'
ONE = ("--offline", "--seeds", "0", "--only", "narrow")
SHOWN = """
from functools import partial
from medcls import augmentation, data
from medcls.spec.demonstration import Demonstration; from medcls.cli.demonstration import main
main(Demonstration("shown", "?", partial(data.xray), augmentation.standard))
"""


def written(place, name: str, change: tuple[str, str], *, end: str = GUARD) -> Path:
    """Return the tiny study as a script of its own, one thing in it changed, with another end."""
    text = TINY.read_text().removesuffix(GUARD)
    assert change[0] in text
    script = place.folder.parent / f"{name}.py"
    script.write_text(text.replace(*change) + end)
    return script


def line_of(script: Path, text: str) -> int:
    """Return the number of the only line with a text."""
    (number,) = (number for number, line in enumerate(script.read_text().splitlines(), 1) if text in line)
    return number


def called(place, *command: object) -> Ended:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=place.folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=900,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_a_script_without_guard_runs_once(place, images: Path):
    script = written(place, "without_guard", ("", ""), end='print("top level")\nmain(STUDY)\nprint("not reached")\n')
    ended = place.run(script, "--data", images, *ONE)
    assert (ended.code, ended.err) == (0, "")
    assert [run["status"] for run in place.summary()["runs"]] == ["finished"]
    place.check_no_process_is_left()
    by_name = called(place, "-m", "medcls", "run", script, "--data", images, "--work-dir", place.work, *ONE)
    assert (by_name.code, by_name.err) == (0, "")
    assert by_name.out.count("tiny_study") < 20


def test_a_demonstration_without_guard_draws_once_and_is_harmless_when_imported(place):
    script = place.folder / "shown.py"
    script.write_text(SHOWN)
    ended = called(place, script, "--offline", "--work-dir", place.work, "--plan")
    assert (ended.code, ended.err) == (0, "")
    assert called(place, "-c", "import shown; print('imported')").out == "imported\n"


@pytest.mark.slow
def test_a_call_of_run_without_guard_runs_once(place, images: Path):
    end = f"""
import medcls
print("called")
ended = medcls.run(STUDY, data={str(images)!r}, work_dir={str(place.work)!r}, offline=True, seeds=(0,), only="narrow")
print("ended", len(ended.runs), ended.runs["status"].tolist())
"""
    ended = called(place, written(place, "calls_run", ("", ""), end=end))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("called") == 1
    assert "ended 1 ['finished']" in ended.out


@pytest.mark.slow
def test_a_module_that_calls_run_when_it_is_imported_is_told_so(place, images: Path):
    end = f"\nimport medcls\nmedcls.run(STUDY, data={str(images)!r}, work_dir={str(place.work)!r}, offline=True)\n"
    module = written(place, "analysis", ("", ""), end=end)
    script = place.folder.parent / "imports.py"
    script.write_text("import analysis\n")
    ended = called(place, script)
    assert ended.code == 1
    last = ended.err.splitlines()[-1]
    assert f"{module}, line {line_of(module, 'medcls.run(')}" in last
    assert 'if __name__ == "__main__"' in last
    assert place.run_folders() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module", ["ModuleNotFoundError", "no_such_module"]),
        ("raise RuntimeError('the licence server is busy')", ["RuntimeError", "licence server"]),
    ],
)
def test_what_the_processes_of_runs_cannot_import_is_named_with_its_line(place, images: Path, text, words):
    line = "from medcls.utils.lazy import keras"
    change = (line, f'{line}\nif __name__ != "__main__":\n    {text}')
    script = written(place, "in_workers", change)
    ended = place.run(script, "--data", images, *ONE[1:])
    ended.check_complaint(2, f"{script}, line {line_of(script, text)}", *words)
    assert "memory" not in ended.err
    place.check_untouched()


@pytest.mark.slow
def test_functions_that_only_the_command_has_are_told(place, images: Path):
    text = TINY.read_text()
    begin = text.index("NARROW = ")
    function = text[text.index("def perceptron") : begin].replace("\n    ", "\n        ").replace("def ", "    def ")
    guarded = (
        "if __name__ == '__main__':\n"
        + function
        + text[begin:].replace("\n", "\n    ").replace("NARROW", "    NARROW", 1)
    )
    script = place.folder.parent / "below_guard.py"
    script.write_text(text[: text.index("def perceptron")] + guarded)
    ended = place.run(script, "--data", images, *ONE)
    ended.check_complaint(2, "perceptron", "top level")


@pytest.mark.slow
def test_what_cannot_be_handed_to_a_process_is_told(place, images: Path):
    made = (
        "def made():\n    def inner(images, *, units: int = 4):\n        return images\n    return inner\n\n\nNARROW = "
    )
    script = written(place, "hidden_function", ("NARROW = ", made))
    script.write_text(
        script.read_text().replace("model=partial(perceptron, units=4)", "model=partial(made(), units=4)")
    )
    ended = place.run(script, "--data", images, *ONE)
    ended.check_complaint(2, "inner", "top level")


BUILT = "    return keras.layers.Dense(units"
DATA = "data=partial(data.xray, size=8"
FAULTS = {
    "model": (BUILT, f"    images.no_such_thing\n{BUILT}", "no_such_thing"),
    "data": (DATA, "data=partial(broken, size=8", "1 / 0"),
}
OWN = '''
def broken(hashes, *, source: str = "xray", size: int = 8, channels: int = 1):
    """Fail."""
    return 1 / 0


NARROW = '''


@pytest.mark.parametrize(
    ("what", "code"),
    [
        pytest.param("model", 1, marks=pytest.mark.slow),
        ("data", 2),
    ],
)
def test_what_the_users_own_function_raises_is_named_with_its_line(place, images: Path, what: str, code: int):
    old, new, text = FAULTS[what]
    script = written(place, f"own_{what}", ("NARROW = ", OWN))
    script.write_text(script.read_text().replace(old, new))
    data_flag = () if what == "data" else ("--data", images)
    ended = place.run(script, *data_flag, *ONE)
    ended.check_complaint(code, f"{script}, line {line_of(script, text)}", "Error: ", "the traceback is in ")
    (named,) = (word.rstrip(").") for word in ended.err.split() if word.rstrip(").").endswith(".txt"))
    assert text in Path(named).read_text()
    assert "Traceback" in Path(named).read_text()
