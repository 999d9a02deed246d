"""What a study is given as answers is checked when the study is made."""

from functools import partial
from typing import Any

import pytest

from medcls import Study, Variant, data, training
from medcls.evaluation.answers import AnswerRecord, StudySummary, compare, final, overfitting
from medcls.tasks import MULTICLASS
from medcls.utils.errors import BadInputError

PLAIN = Variant(data=partial(data.xray), learner=partial(training.gradient, epochs=1), task=MULTICLASS)


def study(answers: Any) -> Study:
    return Study(name="asked", question="?", variants={"a": PLAIN, "b": PLAIN}, answers=answers)


def longest(summary: StudySummary) -> AnswerRecord:
    """Which run is the longest?"""
    return AnswerRecord("?", max(summary.runs, key=lambda run: run.epochs).variant)


def two_arguments(summary: StudySummary, more: int) -> AnswerRecord:
    return AnswerRecord("?", f"{summary.study} {more}")


def test_functions_of_the_summary_are_answers() -> None:
    answers = [longest, compare("a", "b", "val_accuracy"), final("accuracy"), partial(two_arguments, more=2)]
    assert study(answers).answers == tuple(answers)
    assert study(()).answers == ()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (compare("a", "b", "val_accuracy"), ["is one answer, not a tuple", "answers=(..., )"]),
        ("is a better than b?", ["is a str"]),
        (("is a better than b?",), ["'is a better than b?' is no function", "AnswerRecord"]),
        ((longest, two_arguments), ["two_arguments", "test_study_answers.py, line ", "'more'"]),
        ((lambda: None,), ["<lambda>", "too many positional arguments"]),
        ((overfitting,), ["overfitting(...)"]),
    ],
)
def test_what_is_no_answer_is_refused_with_the_place_and_the_remedy(answers: Any, words: list[str]) -> None:
    with pytest.raises(BadInputError) as caught:
        study(answers)
    sentence = str(caught.value)
    assert sentence.startswith("Study.answers of asked")
    assert [word for word in words if word not in sentence] == []
