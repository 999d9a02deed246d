"""A study: a question, named variants, seeds or folds, perhaps a search, and the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from medcls.spec.parameters import declared, function_of, given_to
from medcls.spec.search_space import Search
from medcls.spec.variant import Variant
from medcls.utils.naming import check_study

Answer = Callable[..., Any]
"""Takes a study's summary, `evaluation.summary.StudySummary`, and returns an `AnswerRecord`."""


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
        answers: functions of the summary, from `medcls.evaluation.answers`.
        resources: what a run needs on a cluster: "gpu" (which may be a fraction), "memory" in bytes. Not part of a key.
        smoke: parameters that --smoke sets, besides fewer images, seeds and trials.
        document: the docstring of the study's file, which the report prints; set by `main`.
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

    def __post_init__(self) -> None:
        """Check the name."""
        check_study("Study", self.name)

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
