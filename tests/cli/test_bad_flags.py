"""Flags that mean nothing: one sentence that names the flag and what to do, exit code 2, nothing written."""

from collections.abc import Callable

import pytest
from ended import Ended

from medcls.cli.options import parse
from medcls.cli.study import run_and_report
from studies.bonus_resnet import STUDY

LEARNING_RATE = "learner.optimizer.learning_rate"
SEARCHED = (
    *("learner.model.depth", "learner.model.base", "learner.model.dropout", "learner.batch_size", LEARNING_RATE),
    *("learner.optimizer.weight_decay", "learner.augment.strength", "learner.schedule", "learner.imbalance"),
)
VALUES = (14, 8, 0.1, 8, 0.001, 0.001, 1.0, "plateau", "balanced")


@pytest.fixture
def call(place, capfd, monkeypatch) -> Callable[..., Ended]:
    """Return a function that carries bonus_resnet out as its command does, in this process."""
    monkeypatch.delenv("MEDCLS_DATA", raising=False)

    def call(*flags: str) -> Ended:
        places = ["--work-dir", place.work, "--tracking-uri", f"sqlite:///{place.store}", "--json", place.summary_file]
        given = [str(each) for each in (*places, *flags)]
        try:
            code = run_and_report([STUDY], lambda: parse(given, STUDY.name, STUDY.question, "", search=True))
        except SystemExit as error:
            code = int(error.code or 0)
        return Ended(code, *capfd.readouterr())

    return call


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--nonsense", ["--nonsense", "--help"]),
        ("--fold 3", ["--fold", "--help"]),
        ("word", ["word", "--help"]),
        ("--data", ["--data", "expected one argument"]),
        ("--folds 1", ["--folds", "'1'", "at least 2"]),
        ("--folds 0", ["--folds", "'0'", "at least 2"]),
        ("--folds -2", ["--folds", "'-2'", "at least 2"]),
        ("--folds x", ["--folds", "'x'", "at least 2"]),
        ("--seeds a,b", ["--seeds", "'a,b'", "0,1,2"]),
        ("--seeds 1,1", ["--seeds", "1,1", "each seed once"]),
        ("--seeds -1", ["--seeds", "-1", "0 to 4294967294"]),
        ("--seeds 4294967295", ["--seeds", "4294967295", "0 to 4294967294"]),
        ("--trials 0", ["--trials", "'0'", "at least 1"]),
        ("--timeout -1", ["--timeout", "'-1'", "above 0"]),
        ("--timeout nan", ["--timeout", "'nan'", "above 0"]),
        ("--timeout soon", ["--timeout", "'soon'", "above 0"]),
        ("--workers 0", ["--workers", "'0'", "at least 1"]),
        ("--threads 0", ["--threads", "'0'", "at least 1"]),
        ("--set learner.epochs", ["--set learner.epochs", "PATH=VALUE"]),
        ("--set =5", ["--set =5", "PATH=VALUE"]),
        ("--set learner.epochs=", ["learner.epochs=''", "50"]),
        ("--work-dir nonsense://bucket/runs", ["--work-dir nonsense://bucket/runs", "a URL that fsspec knows"]),
        ("--work-dir file://runs", ["--work-dir", "file://runs", "file:///PATH"]),
        ("--storage nonsense", ["--storage nonsense", "give the URL"]),
        ("--executor moon", ["--executor", "moon", "local"]),
        ("--only wide", ["--only wide", "resnet"]),
        ("--only ,", ["--only", "resnet"]),
        ("--data nope=DIR", ["--data nope", "xray"]),
        ("--force --keep", ["--force", "--keep"]),
        ("--set learner.epoch=5", ["'learner.epoch'", "learner.epochs"]),
        ("--set learner.model.dept=8", ["'learner.model.dept'", "learner.model.depth"]),
        ("--set task=binary", ["task"]),
        ("--set learner.epochs=many", ["learner.epochs='many'", "50"]),
        ("--set learner.epochs=2.5", ["learner.epochs=2.5"]),
        ("--set learner.epochs=0", ["learner.epochs=0", "at least 1"]),
        ("--set learner.epochs=-3", ["learner.epochs=-3", "at least 1"]),
        ("--set learner.batch_size=0", ["learner.batch_size=0", "at least 1"]),
        (f"--set {LEARNING_RATE}=-1", [f"{LEARNING_RATE}=-1.0", "above 0"]),
        (f"--set {LEARNING_RATE}=nan", [f"{LEARNING_RATE}="]),
        (f"--set {LEARNING_RATE}=NaN", [f"{LEARNING_RATE}=nan", "finite"]),
        (f"--set {LEARNING_RATE}=1e999", [f"{LEARNING_RATE}=inf", "finite"]),
        ("--set learner.optimizer.weight_decay=-1", ["learner.optimizer.weight_decay=-1.0", "at least 0"]),
        ("--set learner.model.depth=13", ["learner.model.depth=13", "8 or 14"]),
        ("--set learner.model.dropout=1", ["learner.model.dropout=1.0", "below 1"]),
        ("--set learner.stop.patience=-1", ["learner.stop.patience=-1", "at least 0"]),
        ("--set learner.augment.zoom=2", ["learner.augment.zoom=2", "0.95"]),
        ("--set learner.schedule=nonsense", ["learner.schedule=nonsense", "learner.schedule=cosine"]),
        ("--set data.size=0", ["data.size=0", "at least 1"]),
        ("--set data.channels=2", ["data.channels=2", "1 (grey) or 3 (RGB)"]),
        (" ".join(f"--set {path}={value}" for path, value in zip(SEARCHED, VALUES, strict=True)), ["--set", "search"]),
    ],
)
def test_a_bad_flag_is_named(place, call, flags, words):
    call(*flags.split()).check_complaint(2, *words)
    place.check_untouched()


@pytest.mark.parametrize("flags", ["--set learner.epochs=0", "--folds 0", "--set learner.model.depth=13", "--only x"])
def test_a_plan_complains_of_bad_flags_too(place, call, flags):
    ended = call("--plan", *flags.split())
    ended.check_complaint(2)
    assert ended.out == ""
    place.check_untouched()


def test_a_command_complains_as_its_function_does(place, call):
    for flags in ("--set learner.epoch=5", "--folds 0", "--plan --only x"):
        assert place.run(place.BONUS, *flags.split()) == call(*flags.split())


def test_what_a_parameter_may_be_is_checked_after_all_flags_are_read(call):
    """29 layers exist in bottlenecks only; the flags may come in any order."""
    flags = "--plan --smoke --set learner.model.depth=29 --set learner.model.block=bottleneck"
    assert call(*flags.split()).code == 0


def test_a_function_and_its_parameters_may_be_set_together_in_any_order(call):
    flags = "--plan --smoke --set learner.schedule.warmup_epochs=1 --set learner.schedule=cosine"
    assert call(*flags.split()).code == 0
