"""Options: the same value from the command line and from keyword arguments, checked when it is made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medcls import BadInputError
from medcls.cli.options import parse
from medcls.execution.options import Options


@pytest.mark.parametrize(
    ("typed", "keywords"),
    [
        ([], {}),
        (["--smoke", "--seeds", "0,1,2"], {"smoke": True, "seeds": range(3)}),
        (["--seeds", "3"], {"seeds": 3}),
        (["--seeds", "1,2"], {"seeds": np.array([1, 2])}),
        (["--data", "images", "--folds", "4"], {"data": Path("images"), "folds": 4}),
        (["--data", "skin=a", "--data", "bone=b"], {"data": {"skin": "a", "bone": "b"}}),
        (["--set", "learner.epochs=5"], {"set": {"learner.epochs": 5}}),
        (["--only", '"grey, plain"', "--only", "colour"], {"only": ("grey, plain", "colour")}),
        (["--vary", "split", "--until-decided", "9"], {"vary": "split", "until_decided": 9}),
        (["--work-dir", "runs", "--json", "out.json", "-q"], {"work_dir": "runs", "json": "out.json", "quiet": True}),
        (["--work-dir", "file:///tmp/a%20b"], {"work_dir": "file:///tmp/a%20b"}),
        (["--trials", "4", "--timeout", "60"], {"trials": 4, "timeout": 60.0}),
        (["--force", "--executor", "ray"], {"force": True, "keep": False, "executor": "ray", "weights": None}),
    ],
)
def test_keywords_mean_what_flags_mean(typed: list[str], keywords: dict[str, Any]) -> None:
    assert Options.from_keywords(keywords) == parse(typed, "study", "?", "", search=True)


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"folds": 1}, "--folds 1"),
        ({"workers": True}, "--workers True"),
        ({"threads": 1.5}, "--threads 1.5"),
        ({"seeds": (1, 1)}, "--seeds 1,1"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (-1,)}, "--seeds -1"),
        ({"seeds": "0,1"}, "--seeds '0,1'"),
        ({"timeout": 0}, "--timeout 0"),
        ({"executor": "slurm"}, "--executor 'slurm'"),
        ({"vary": "seed"}, "vary='seed'"),
        ({"vary": "split", "split_seed": 3}, "--split-seed"),
        ({"seed": 3}, "seeds"),
    ],
)
def test_what_no_study_can_be_run_with_is_refused(keywords: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        Options.from_keywords(keywords)
    assert told in str(refusal.value)
