"""medcls.results: the tables of a study that has ended, without running anything."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from summaries import ANSWERS, summary
from typed_summaries import answered, typed

import medcls
from medcls.evaluation.summary import StudySummary
from medcls.utils.errors import BadInputError


def fold(variant: str, number: int | None, accuracy: float) -> dict[str, object]:
    """Return a run of a cross-validation, without a number the refit on all folds."""
    params = {"data": "data.skin", "learner.epochs": 2, "learner.stop": variant, "seed": 0, "fold": number, "folds": 2}
    return {
        "key": f"{variant}{number}",
        "data": "skin",
        "variant": variant,
        "seed": 0,
        "fold": number,
        "best_epoch": 1,
        "epochs": 2,
        "params": params,
        "metrics": {"accuracy": accuracy},
        "history": {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]},
    }


def searched() -> StudySummary:
    """Return a search of two trials, one pruned after a fold; the other is refitted and tested."""
    runs = [fold("trial 0", 0, 0.4), fold("trial 1", 0, 0.7), fold("trial 1", 1, 0.9), fold("trial 1", None, 1.0)]
    score = {"value": 0.75, "ci95": [0.5, 0.9]}
    best = {"key": "trial 1None", "variant": "trial 1", "test": {"accuracy": score}, "tested": {"accuracy": [0.6, 0.7]}}
    trials = [
        {"number": 0, "state": "pruned", "value": None, "params": {"learner.stop": "a"}},
        {"number": 1, "state": "complete", "value": 0.8, "params": {"learner.stop": "b"}},
    ]
    return typed({"data_sets": [{"name": "skin"}], "runs": runs, "best": {"skin": best}, "trials": trials})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a work directory in which a study of variants and a search have ended."""
    for key, ended in (("variants", summary()), ("search", searched())):
        (tmp_path / "studies" / key).mkdir(parents=True)
        (tmp_path / "studies" / key / "summary.json").write_text(json.dumps(ended.as_plain()))
    return tmp_path


def test_runs_have_parameters_scores_and_whether_they_are_refits(work: Path) -> None:
    runs = medcls.results("made_up", work_dir=work).runs
    assert runs["refit"].tolist() == [False, False, False, True]
    assert set(runs["data"]) == {"skin"}
    assert runs["fold"].tolist()[:3] == [0, 0, 1]
    assert runs["fold"].isna().tolist() == [False, False, False, True]
    assert runs["best_epoch"].tolist() == [2] * 4
    assert runs["learner.epochs"].tolist() == [2] * 4
    assert runs["accuracy"].tolist() == [0.4, 0.7, 0.9, 1.0]
    assert runs["test_accuracy"].tolist()[1:] == [0.6, 0.7, 0.75]
    assert np.isnan(runs["test_accuracy"][0])
    folds = runs[~runs["refit"]].groupby("variant")["accuracy"].mean()
    assert folds["trial 1"] == pytest.approx(0.8)


def test_epochs_and_trials(work: Path) -> None:
    ended = medcls.results("made_up", work_dir=work)
    assert ended.epochs["epoch"].tolist() == [1, 2] * 4
    assert ended.epochs["val_loss"].tolist() == [3.0, 2.0] * 4
    assert ended.epochs["kept"].tolist() == [False, True] * 4
    assert ended.trials["folds"].tolist() == [1, 2]
    assert ended.trials["state"].tolist() == ["pruned", "complete"]
    assert ended.trials["learner.stop"].tolist() == ["a", "b"]
    assert ended.comparisons.empty
    assert "verdict" in ended.comparisons


def test_comparisons_are_those_of_the_summary(work: Path) -> None:
    ended = medcls.results("task1a_dropout", work_dir=str(work))
    assert ended.comparisons["verdict"].tolist() == [str(row.verdict) for row in summary().comparisons]
    assert (ended.comparisons["ci_low"] < ended.comparisons["difference"]).all()
    assert ended.trials.empty
    assert ended.summary == json.loads((work / "studies" / "variants" / "summary.json").read_text())
    assert len(ended.plot("val_accuracy").axes[0].lines) == 6


def test_one_pair_of_runs_has_no_interval(tmp_path: Path) -> None:
    (tmp_path / "studies" / "one").mkdir(parents=True)
    one = answered(summary(seeds=1), ANSWERS)
    (tmp_path / "studies" / "one" / "summary.json").write_text(json.dumps(one.as_plain()))
    rows = medcls.results("task1a_dropout", work_dir=tmp_path).comparisons
    assert rows["ci_low"].isna().all()
    assert set(rows["verdict"]) == {"one run only"}


def test_a_study_without_results_is_one_sentence(work: Path) -> None:
    with pytest.raises(BadInputError, match=r"no results of nothing in .*made_up@skin"):
        medcls.results("nothing", work_dir=work)


def test_tables_come_without_tensorflow(work: Path) -> None:
    code = f"""
import sys, medcls
print(len(medcls.results("made_up", work_dir={str(work)!r}).runs))
print(sorted({{"tensorflow", "keras", "mlflow", "optuna"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["4", "[]"], done.stderr
