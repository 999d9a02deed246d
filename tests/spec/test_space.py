"""A space's labels are stable, and a trial's labels make the variant that they say."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from medcls import BadInputError, Variant, augmentation, data, models, training
from medcls.spec import Search, choice, floats, integers
from medcls.spec.search_space import Axis
from medcls.tasks import MULTICLASS

BASE = Variant(
    data=partial(data.xray, size=32),
    learner=partial(
        training.gradient,
        model=partial(models.resnet, depth=14, dropout=0.25),
        optimizer=training.adamw,
        schedule=partial(training.step, every=8),
        batch_size=8,
    ),
    task=MULTICLASS,
)
STEP = partial(training.step, every=8, factor=0.1)  # the base's own schedule, said in other words
SCHEDULES = choice(STEP, partial(training.plateau, patience=2), training.constant)
SPACE: Mapping[str, Axis] = {
    "learner.schedule.factor": floats(0.1, 0.5),
    "learner.schedule": SCHEDULES,
    "learner.model.depth": choice(8, 14),
    "learner.model.dropout": floats(0.0, 0.5),
    "learner.batch_size": integers(1, 64, log=True),
}
LABELS = """
from functools import partial
from medcls import training
from medcls.spec import choice
for axis in (choice(1, 0.5, "a", True and "b", None), choice(
    training.balanced, partial(training.early, patience=2, minimum_gain=0.5),
    partial(training.gradient, optimizer=training.sgd, schedule=partial(training.step, every=3)),
)):
    print(*axis.choices, sep="; ")
"""


def test_labels_name_functions_and_what_they_are_given_in_every_process():
    answers = {
        subprocess.run([sys.executable, "-c", LABELS], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert answers == {
        "1; 0.5; a; b; None\n"
        "balanced; early(patience=2, minimum_gain=0.5); gradient(optimizer=sgd, schedule=step(every=3))\n"
    }


def test_a_label_stands_for_its_value_and_back():
    for axis, value in ((SCHEDULES, STEP), (choice(8, 14), 14), (choice("a", None), None), (floats(0, 1), 0.5)):
        assert axis.value(axis.label(value)) == value


@pytest.mark.parametrize(
    ("axis", "value"), [(floats(0, 1), 1.5), (integers(1, 3), "two"), (choice(1, 2), 3), (SCHEDULES, training.cosine)]
)
def test_a_value_outside_has_no_label(axis: Axis, value: Any):
    assert axis.label(value) is None


@pytest.mark.parametrize(
    "make",
    [
        choice,
        lambda: choice(1, 2, 1),
        lambda: choice(1, True),
        lambda: choice(training.none, augmentation.none),
        lambda: floats(1.0, 1.0),
        lambda: integers(5, 2),
        lambda: floats(0.0, 1.0, log=True),
    ],
)
def test_an_axis_without_values_or_with_two_of_one_name_is_refused(make):
    with pytest.raises(BadInputError):
        make()


def test_the_starting_point_is_the_base_as_far_as_it_lies_in_the_space():
    start = Search(SPACE).starting_point(BASE)
    assert start == {
        "learner.schedule": "step(every=8, factor=0.1)",
        "learner.schedule.factor": 0.1,
        "learner.model.depth": 14,
        "learner.model.dropout": 0.25,
        "learner.batch_size": 8,
    }
    assert Search(SPACE).variant(BASE, start) == BASE
    outside = BASE.with_("learner.model.depth", 20).with_("learner.schedule", training.cosine)
    assert set(Search(SPACE).starting_point(outside)) == {"learner.model.dropout", "learner.batch_size"}


def test_owners_are_put_in_before_what_they_own():
    labels = {"learner.schedule.factor": 0.3, "learner.schedule": "plateau(patience=2)", "learner.batch_size": 4}
    made = Search(SPACE).variant(BASE, labels).parameters()
    assert made["learner.schedule"] == "training.plateau"
    assert (made["learner.schedule.patience"], made["learner.schedule.factor"], made["learner.batch_size"]) == (
        2,
        0.3,
        4,
    )


def test_a_parameter_that_the_chosen_owner_has_not_is_left_out():
    labels = {"learner.schedule.factor": 0.3, "learner.schedule": "constant"}
    assert Search(SPACE).variant(BASE, labels) == BASE.with_("learner.schedule", training.constant)


@pytest.mark.parametrize(
    ("fixed", "left"),
    [
        ([], set(SPACE)),
        (["learner.batch_size"], set(SPACE) - {"learner.batch_size"}),
        (["learner.schedule.every"], set(SPACE) - {"learner.schedule"}),  # a choice would overwrite it
        (["learner.schedule.factor"], set(SPACE) - {"learner.schedule", "learner.schedule.factor"}),
        (["learner.schedule"], set(SPACE) - {"learner.schedule"}),
        (["learner.epochs"], set(SPACE)),
    ],
)
def test_what_the_user_fixes_is_not_searched_over(fixed: list[str], left: set[str]):
    assert set(Search(SPACE).within(BASE, fixed).space) == left


def test_a_parameter_of_another_choice_of_a_fixed_owner_is_not_searched_over():
    plateau = BASE.with_("learner.schedule", training.plateau)
    space = {**SPACE, "learner.schedule.every": integers(1, 9)}
    assert "learner.schedule.every" in Search(space).within(plateau).space
    assert "learner.schedule.every" not in Search(space).within(plateau, ["learner.schedule.patience"]).space


def test_a_parameter_that_went_with_its_fixed_owner_is_not_searched_over():
    constant = BASE.with_("learner.schedule", training.constant)
    kept = Search(SPACE).within(constant, ["learner.schedule"]).space
    assert set(kept) == set(SPACE) - {"learner.schedule", "learner.schedule.factor"}


def test_a_space_with_an_unknown_path_or_a_wrong_choice_or_nothing_left_is_refused():
    with pytest.raises(BadInputError, match=r"learner\.model\.droput.*learner\.model\.dropout"):
        Search({**SPACE, "learner.model.droput": floats(0, 1)}).within(BASE)
    with pytest.raises(BadInputError, match=r"learner\.model\.depth='deep'"):
        Search({"learner.model.depth": choice(8, "deep")}).within(BASE)
    with pytest.raises(BadInputError, match="--set fixes every parameter"):
        Search({"learner.batch_size": choice(1, 2)}).within(BASE, ["learner.batch_size"])


def test_more_trials_are_the_same_search_and_another_space_or_seed_is_not():
    search = Search(SPACE)
    assert replace(search, trials=99).described() == search.described()
    for other in (replace(search, seed=1), replace(search, space={**SPACE, "learner.batch_size": choice(4, 8)})):
        assert other.described() != search.described()
