"""Variants check themselves, hash the same everywhere, and say clearly what is wrong."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcls import BadInputError, Variant, augmentation, data, grid, models, training
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS


def variant(**learner: object) -> Variant:
    return Variant(data=partial(data.xray, size=32), learner=partial(training.gradient, **learner), task=MULTICLASS)


def test_a_typo_fails_when_the_variant_is_made_and_names_the_nearest():
    with pytest.raises(BadInputError, match=r"learner\.batchsize.*learner\.batch_size"):
        variant(batchsize=8)
    with pytest.raises(BadInputError, match=r"learner\.model\.droput.*learner\.model\.dropout"):
        variant(model=partial(models.resnet, droput=0.1))


def test_with_refuses_an_unknown_path_and_leaves_the_original_alone():
    base = variant()
    changed = base.with_("learner.model.dropout", 0.4)
    assert (base.get("learner.model.dropout"), changed.get("learner.model.dropout")) == (0.0, 0.4)
    with pytest.raises(BadInputError, match=r"learner\.model\.dropout"):
        base.with_("learner.model.dropot", 0.4)


def test_a_lambda_has_no_name_to_be_known_by():
    with pytest.raises(BadInputError, match="named function"):
        variant(model=lambda images: images)


def test_defaults_are_recorded_but_not_hashed():
    explicit = variant(batch_size=8, model=partial(models.resnet, depth=20))
    assert explicit.parameters()["learner.model.depth"] == 20
    assert "learner.model.depth" not in explicit.hashed()
    assert Run(explicit, "f").key == Run(variant(), "f").key
    assert explicit == variant()


@given(st.integers(0, 5))
def test_values_take_their_defaults_type(value: int):
    assert variant(model=partial(models.resnet, dropout=value / 10)) == variant(
        model=partial(models.resnet, dropout=np.float64(value / 10))
    )
    whole = variant(optimizer=partial(training.adam, learning_rate=value))
    assert isinstance(whole.parameters()["learner.optimizer.learning_rate"], float)


def test_the_place_of_the_data_is_no_part_of_the_key_but_the_fingerprint_is():
    base = variant()
    moved = base.with_("data.source", "/elsewhere")
    assert Run(base, "sha256:a").key == Run(moved, "sha256:a").key
    assert Run(base, "sha256:a").key != Run(base, "sha256:b").key


@given(st.integers(0, 99), st.integers(0, 2))
def test_seed_and_fold_make_distinct_keys(seed: int, fold: int):
    keys = {Run(variant(), "f", seed=s, fold=k, folds=3).key for s, k in ((seed, fold), (seed + 1, fold), (seed, None))}
    assert len(keys) == 3


def test_the_trajectory_forgets_the_epochs_unless_the_schedule_depends_on_them():
    short, long = variant(epochs=3), variant(epochs=9)
    assert Run(short, "f").key != Run(long, "f").key
    assert Run(short, "f").trajectory == Run(long, "f").trajectory
    short, long = (variant(epochs=epochs, schedule=training.cosine) for epochs in (3, 9))
    assert Run(short, "f").trajectory != Run(long, "f").trajectory


def test_command_line_values():
    base = variant(schedule=partial(training.plateau, patience=7))
    assert base.set_text("learner.epochs", "5").get("learner.epochs") == 5
    assert base.set_text("learner.model.batch_norm", "False").get("learner.model.batch_norm") is False
    cosine = base.set_text("learner.schedule", "cosine")
    assert cosine.parameters()["learner.schedule"] == "training.cosine"
    assert base.set_text("learner.imbalance", "focal").parameters()["learner.imbalance.gamma"] == 2.0
    sgd = variant(optimizer=partial(training.adam, learning_rate=0.5)).set_text("learner.optimizer", "sgd")
    assert sgd.get("learner.optimizer.learning_rate") == 0.5
    with pytest.raises(BadInputError, match="cosine"):
        base.set_text("learner.schedule", "cosin")
    with pytest.raises(BadInputError, match=r"learner\.epochs='many'"):
        base.set_text("learner.epochs", "many")


def test_keys_are_the_same_in_another_process():
    code = (
        "import tests.spec.test_spec as t; from medcls.spec import Run; "
        "print(Run(t.variant(augment=t.partial(t.augmentation.standard, rotation=5)), 'f', fold=1, folds=3).key)"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    here = Run(variant(augment=partial(augmentation.standard, rotation=5)), "f", fold=1, folds=3).key
    assert keys == {f"{here}\n"}


def test_grid_is_the_full_design():
    made = grid(
        variant(),
        learner__model__dropout={"plain": 0.0, "dropout": 0.4},
        learner__model__batch_norm={"bare": False, "normalised": True},
    )
    assert list(made) == ["plain, bare", "plain, normalised", "dropout, bare", "dropout, normalised"]
    assert made["dropout, bare"].get("learner.model.dropout") == 0.4
    assert len({Run(each, "f").key for each in made.values()}) == 4
