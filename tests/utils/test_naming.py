"""Names made safe for the store and for files: no two become one, and those that were safe stay."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param

from medcls import BadInputError
from medcls.utils.naming import beside_others, check_study, in_file, in_store

ALIKE = [
    ("<5mm", ">5mm"),
    ("HER2+", "HER2?", "HER2_"),
    ("a,b", "a|b"),
    (".", "..", "_", "__", ""),
    ("a//b", "a/_/b", "a/", "a/_"),
    ("x" * 300 + "1", "x" * 300 + "2", "x" * 250),
    ("größer'", 'größer"', "größer`", "größer%"),
    ("小+", "小?"),
    ("a\nb", "a\x1bb", "a\udcffb"),
]
LETTERS = st.text(st.sampled_from("aA_.-/ <>+?é\n\udc80"), max_size=5)
LONG = st.tuples(st.sampled_from("xé+/"), st.integers(240, 260), LETTERS).map(lambda made: made[0] * made[1] + made[2])


def taken_by_mlflow(name: str) -> bool:
    _validate_metric_name(name)
    _validate_param(name, "1")
    return True


@pytest.mark.parametrize("names", ALIKE, ids=lambda names: repr(names[0][:9]))
@pytest.mark.parametrize("make", [in_store, in_file])
def test_names_that_clean_alike_stay_apart(make: Callable[..., dict[str, str]], names: tuple[str, ...]) -> None:
    safe = make(names)
    assert set(safe) == set(names)
    assert len({name.casefold() for name in safe.values()}) == len(names)


@given(st.sets(LETTERS | LONG, max_size=12), st.randoms(use_true_random=False))
@example({"..<", "../a", "..."}, random.Random(0))
def test_mlflow_takes_them_whatever_their_order(names: set[str], chance: random.Random) -> None:
    safe = in_store(names)
    assert len(set(safe.values())) == len(names)
    assert all(map(taken_by_mlflow, safe.values()))
    shuffled = list(names)
    chance.shuffle(shuffled)
    assert in_store(shuffled) == safe
    assert in_store(safe.values()) == {name: name for name in safe.values()}  # what is safe stays


@given(st.sets(LETTERS | LONG, max_size=12))
def test_file_systems_take_them_even_those_that_ignore_case(names: set[str]) -> None:
    for safe in (in_file(names), beside_others(name for name in names if "/" not in name)):
        assert len({name.casefold() for name in safe.values()}) == len(safe)
        files = [f".1234567890.montage_{name}.png".encode(errors="surrogateescape") for name in safe.values()]
        assert max(map(len, files), default=0) <= 255
    for name in in_file(names).values():
        assert Path(name).name == name
        assert name.isprintable()


def test_what_was_safe_alone_keeps_its_name_and_a_class_one_mark_in_all_its_metrics() -> None:
    assert in_store(["recall/benign (a)", "loss"]) == {"recall/benign (a)": "recall/benign _a_", "loss": "loss"}
    marks = {
        name: safe.rpartition("-")[2]
        for name, safe in in_store(
            [f"{metric}/{name}" for metric in ("best/val_recall", "test/f1") for name in ("<5mm", ">5mm")]
        ).items()
    }
    assert marks["best/val_recall/<5mm"] == marks["test/f1/<5mm"] != marks["test/f1/>5mm"]
    assert in_store(["_5mm", "<5mm"])["_5mm"] == "_5mm"
    assert in_file(["b", "B", "a:b"])["a:b"] == "a_b"


@pytest.mark.parametrize("name", ["a'b", 'say "x"', "50%_é", "lab2_dropout", "a, b (c)", "x" * 60])
def test_a_study_may_be_called_what_folders_and_models_may(name: str) -> None:
    check_study("Study", name)


@pytest.mark.parametrize(
    "name", ["", "a/b", "../a", "a\\b", "a:b", "what?", "a\nb", "\x1b[31m", " a", "a.", "..", "x" * 61, "a\u202eb"]
)
def test_a_study_that_cannot_name_a_folder_is_refused_when_it_is_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"Study\.name .* letters, digits"):
        check_study("Study", name)


@pytest.mark.parametrize("kind", ["Study", "Demonstration"])
def test_a_script_says_so_in_one_line_and_writes_nothing(kind: str, tmp_path: Path) -> None:
    more = {"Study": "variants={}", "Demonstration": "data=None, augment=None"}[kind]
    module = {"Study": "medcls", "Demonstration": "medcls.spec.demonstration"}[kind]
    script = tmp_path / "mine.py"
    script.write_text(f'from {module} import {kind}\n{kind}(name="a/b", question="?", {more})\n')
    ended = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(f'mine: {kind}.name "a/b"')
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]
