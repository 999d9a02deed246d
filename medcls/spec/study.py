"""A study: a question, named variants, seeds or folds, perhaps a search, and the answers."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from medcls.spec.parameters import declared, function_of, given_to
from medcls.spec.search_space import Search
from medcls.spec.variant import Variant
from medcls.utils.errors import BadInputError, say_without_traceback
from medcls.utils.naming import check_study
from medcls.utils.tracing import defined_at

Answer = Callable[..., Any]
"""Takes a study's summary, `evaluation.summary.StudySummary`, and returns an `AnswerRecord`."""


@dataclass(frozen=True)
class GivenData:
    """A data set that --data gives: what it is called, and the names of the study's own that it replaces."""

    name: str
    instead_of: str


@dataclass(frozen=True)
class Study:
    """A question and all that is needed to answer it.

    Attributes:
        name: the stem of the study's file; also the name of the MLflow experiment.
        question: one sentence.
        variants: name -> variant.
        data: the data sets that every variant is run on, in place of its own; parameters that one of them does not
            set (size, channels) are those of the variant's own data set.
        seeds: the seeds with which every variant is repeated.
        folds: the number of folds of a cross-validation; None for a fixed validation set.
        search: searches for better parameters of the only variant, scored by the folds.
        metric: the score that decides which variant is best.
        explain: a function that is called with every trained network at the end of its run, e.g. `explain.heat_maps`;
            None for none. It is not part of a run's key: with other parameters it is called again, without training.
        answers: functions of the summary, from `medcls.evaluation.answers` or your own. Without any, each variant is
            compared with the first by `metric`, and a search tells its best trial.
        resources: what a run needs on a cluster: "gpu" (which may be a fraction), "memory" in bytes. Not part of a key.
        smoke: parameters that --smoke sets, besides fewer images, seeds and trials.
        document: the docstring of the study's file, which the report prints; set by `main`.
        file: the study's file, whose text and commit are kept with its runs; set by `main`.
        given_data: data function and source -> a data set that --data gave; set by the options.
    """

    name: str
    question: str
    variants: Mapping[str, Variant]
    data: tuple[Callable[..., Any], ...] = ()
    seeds: tuple[int, ...] = (0,)
    folds: int | None = None
    search: Search | None = None
    metric: str = "balanced_accuracy"
    answers: tuple[Answer, ...] = ()
    explain: Callable[..., Any] | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    smoke: Mapping[str, Any] = field(default_factory=lambda: {"learner.epochs": 2})
    document: str = ""
    file: Path | None = None
    given_data: Mapping[tuple[str, str], GivenData] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the name and the answers.

        Raises:
            BadInputError: a name that cannot be used, or something that is no answer.
        """
        check_study("Study", self.name)
        object.__setattr__(self, "answers", _checked_answers(self.name, self.answers))

    @property
    def variant_names(self) -> str:
        """The names of the variants, separated by commas; a name that contains a comma is in quotes."""
        return ", ".join(f'"{name}"' if "," in name else name for name in self.variants)

    @property
    def conditions(self) -> list[tuple[str, Variant]]:
        """Every variant with its name, on every data set."""
        if not self.data:
            return list(self.variants.items())
        conditions = []
        for data in self.data:
            for name, variant in self.variants.items():
                conditions.append((name, variant.with_("data", seen_as(variant.data, data))))
        return conditions


def seen_as(own: Callable[..., Any], other: Callable[..., Any]) -> partial[Any]:
    """Return another data set with the size and channels of a variant's own, unless the other sets these itself."""
    function = function_of(other)
    kept = {name: value for name, value in given_to(own).items() if name in declared(function) and name != "source"}
    return partial(function, **{**kept, **given_to(other)})


def _checked_answers(study: str, answers: object) -> tuple[Answer, ...]:
    """Return a study's answers as a tuple.

    Raises:
        BadInputError: something that is no function of the summary alone.
    """
    if isinstance(answers, list | tuple):
        for answer in answers:
            fault = _fault(answer)
            if fault:
                say_without_traceback()
                raise BadInputError(f"Study.answers of {study}: {fault}")
        return tuple(answers)
    say_without_traceback()
    kind = "one answer" if callable(answers) else f"a {type(answers).__name__}"
    raise BadInputError(f"Study.answers of {study} is {kind}, not a tuple of answers: write answers=(..., ).")


def _fault(answer: object) -> str:
    """Return why something cannot answer a study's question, as a sentence; "" where it can."""
    kind = "An answer is a function of one argument, the summary, that returns an AnswerRecord"
    if not callable(answer):
        return f"{answer!r} is no function. {kind}."
    name, place = getattr(answer, "__qualname__", ""), defined_at(answer)
    if name in getattr(inspect.getmodule(answer), "__all__", ()) and str(answer.__module__).startswith("medcls."):
        return f"{name} makes an answer when it is called: write {name}(...), with brackets."
    name = name or type(answer).__name__
    try:
        inspect.signature(answer).bind(None)
    except TypeError as error:
        return f"{name}{place} cannot be called with the summary alone ({error}). {kind}."
    except ValueError:
        return ""  # a function of C without a signature
    return ""
