"""What the text of --set means: functions with their parameters, written as medcls prints them."""

from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcls import BadInputError, Variant, augmentation, data, models, training
from medcls.tasks import MULTICLASS

BASE = Variant(
    data=partial(data.xray, size=32),
    learner=partial(
        training.gradient,
        model=partial(models.resnet, depth=8, base=4),
        optimizer=partial(training.adam, learning_rate=0.5),
        schedule=partial(training.plateau, patience=7, factor=0.25),
    ),
    task=MULTICLASS,
)


def test_a_name_alone_keeps_what_both_have_and_with_parameters_it_has_these_alone() -> None:
    kept = BASE.set_text("learner.schedule", "plateau")
    exact = BASE.set_text("learner.schedule", "plateau(patience=2)")
    assert (kept.get("learner.schedule.patience"), kept.get("learner.schedule.factor")) == (7, 0.25)
    assert exact.hashed() == BASE.with_("learner.schedule", partial(training.plateau, patience=2)).hashed()
    assert (
        BASE.set_text("learner.schedule", "plateau()").hashed()
        == BASE.with_("learner.schedule", training.plateau).hashed()
    )


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("learner.schedule", "step(every=4,factor=0.5)", partial(training.step, every=4, factor=0.5)),
        ("learner.schedule", " training.step( every = 4 ) ", partial(training.step, every=4)),
        ("learner.model", "alexnet(base=8, dense=(32, 16))", partial(models.alexnet, base=8, dense=(32, 16))),
        (
            "learner.model",
            "alexnet(dense=[32], batch_norm=true)",
            partial(models.alexnet, dense=(32,), batch_norm=True),
        ),
        ("learner.augment", "standard(fill_mode=wrap)", partial(augmentation.standard, fill_mode="wrap")),
        ("learner.augment", 'standard(fill_mode="wrap")', partial(augmentation.standard, fill_mode="wrap")),
        (
            "learner.augment",
            "mixup(alpha=1, first=standard(rotation=20))",
            partial(augmentation.mixup, alpha=1.0, first=partial(augmentation.standard, rotation=20.0)),
        ),
        ("learner", "gradient(epochs=3)", partial(training.gradient, epochs=3)),
    ],
)
def test_a_function_with_parameters_is_the_one_that_python_would_write(path: str, text: str, expected: object) -> None:
    assert BASE.set_text(path, text).hashed() == BASE.with_(path, expected).hashed()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("step(4)", r"learner\.schedule=step\(4\) cannot be read: write NAME, or NAME\(PARAMETER=VALUE, \.\.\.\)"),
        ("step(every=4", "cannot be read"),
        ("step(**{})", "cannot be read"),
        ("step(every=4)(factor=1)", "value 'learner.schedule=step"),
        ("(step)", "cannot be read"),
        pytest.param(f"step(every={'-' * 100_000}1)", "cannot be read", id="deep"),
        (r"step(every='\d')", "does not fit"),
        ("stop(every=4)", r"'learner\.schedule=stop'. Did you mean learner\.schedule=step"),
        ("step(evry=4)", r"'learner\.schedule\.evry'. Did you mean learner\.schedule\.every"),
        ("step(every=often)", r"learner\.schedule\.every='often' does not fit"),
        ("step(every={1})", r"learner\.schedule\.every='\{1\}' does not fit"),
    ],
)
def test_what_is_no_function_with_parameters_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        BASE.set_text("learner.schedule", text)


def test_a_value_out_of_its_limits_is_refused_by_its_path() -> None:
    with pytest.raises(BadInputError, match=r"learner\.model\.dropout"):
        BASE.set_text("learner.model", "alexnet(dropout=2)").check()


@given(st.text())
def test_no_text_ends_otherwise_than_in_a_value_or_a_sentence(text: str) -> None:
    for each in (text, f"step({text})", f"step(every={text})"):
        with suppress(BadInputError):
            BASE.set_text("learner.schedule", each)
