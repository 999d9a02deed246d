"""What goes wrong with a user's own functions is said with their file and line, also where no line of theirs raises."""

import subprocess
import sys
from pathlib import Path

import pytest

from medcls.evaluation.summary import read_summary

TINY = Path(__file__).parents[1] / "cli" / "tiny_study.py"
DATA = "partial(data.xray, size=8, channels=1)"
OWN = '''

def nothing(images):  # model
    """Return nothing."""


def reshaped(images, seed):
    return tf.reshape(images, [7, -1, 8, 1])[:3]


def turned():  # augmentation
    return Augmentation(recolour=reshaped)


def lost(targets, predictions):
    return targets.no_such  # loss


def weighed(counts, *, loss):
    return Imbalance(np.ones(len(counts), np.float32), loss=loss)


def described(hashes, *, size: int = 8, channels: int = 1):  # data
    return "images"


def drawn(hashes, *, size: int = 8, channels: int = 1):
    return replace(data.xray(hashes, size=size, channels=channels), render=text)


def text(row, size, channels):
    return "an image"


STUDY = Study(
    name="own_functions",
    question="Which failures are told?",
    variants={
        "model": NARROW.with_("learner.model", nothing),
        "augmentation": NARROW.with_("learner.augment", turned),
        "loss": NARROW.with_("learner.imbalance", partial(weighed, loss=lost)),
    },
)
'''
IMPORTS = """from dataclasses import replace
import numpy as np
from medcls.augmentation.base import Augmentation
from medcls.training.class_imbalance import Imbalance
from medcls.utils.lazy import tensorflow as tf
"""


def write(folder: Path, data: str = DATA) -> Path:
    """Write the study; return its path."""
    head, _, tail = TINY.read_text().partition("\n\nSTUDY = Study(")
    script = folder / "own_functions.py"
    own, main = OWN, tail[tail.index("\n)\n") + 3 :]
    script.write_text((head + own + main).replace("from medcls import", f"{IMPORTS}from medcls import", 1))
    if data != DATA:  # the functions have to stand before the variant that has one of them
        functions, study = OWN.split("\n\nSTUDY")
        head = head.replace("\n\nNARROW", f"{functions}\n\nNARROW").replace(DATA, data)
        script.write_text(
            (f"{head}\n\nSTUDY{study}" + main).replace("from medcls import", f"{IMPORTS}from medcls import", 1)
        )
    return script


def run(script: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), "--smoke", "--offline", "--work-dir", str(script.parent / "work"), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def line_of(script: Path, mark: str) -> int:
    (number,) = (number for number, line in enumerate(script.read_text().splitlines(), 1) if line.endswith(mark))
    return number


@pytest.mark.slow
def test_a_run_names_the_users_own_functions(tmp_path: Path) -> None:
    script = write(tmp_path)
    done = run(script, "--json", str(tmp_path / "s.json"))
    assert done.returncode == 1
    summary = read_summary((tmp_path / "s.json").read_bytes())
    errors = {record.variant: record.error or "" for record in summary.runs}
    assert f"nothing ({script}, line {line_of(script, '# model')})" in errors["model"]
    assert f"turned ({script}, line {line_of(script, '# augmentation')})" in errors["augmentation"]
    assert f"{script}, line {line_of(script, '# loss')}, in lost: AttributeError" in errors["loss"]
    for error in errors.values():
        file = Path(error.partition("(the traceback is in ")[2].partition(")")[0])
        assert "Traceback" in file.read_text()


@pytest.mark.parametrize(
    ("function", "words"),
    [("described", ["described (", "own_functions.py, line ", "returned a str"]), ("drawn", ["str", "(8, 8, 1)"])],
)
def test_a_data_function_that_returns_something_else_is_refused(
    function: str, words: list[str], tmp_path: Path
) -> None:
    done = run(write(tmp_path, function))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert [word for word in words if word not in done.stderr] == []
