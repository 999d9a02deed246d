"""A study: a question, named variants, seeds or folds, perhaps a search, and the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from medcls.spec.parameters import declared, function_of, given_to
from medcls.spec.search_space import Search
from medcls.spec.variant import Variant
from medcls.utils.naming import check_study

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes a study's summary and returns {"question", "answer", "values"}."""


@dataclass(frozen=True)
class Study:
    """A question and all that is needed to answer it.

    Attributes:
        name: the file's stem; also the MLflow experiment.
        question: one sentence.
        variants: name -> variant.
        data: the data sets that every variant is run on, in place of its own; what one leaves open (size, channels)
            is as in the variant's own.
        seeds: repeats of every variant.
        folds: cross-validation instead of a fixed comparison part.
        search: looks for better parameters of the only variant, scored by the folds.
        metric: the score that decides which variant is best.
        explain: what every trained network is asked at the end of its run, e.g. `explain.heat_maps`; None for nothing.
            It changes no run: other parameters ask the same networks again.
        answers: each takes the summary and returns {"question", "answer", "values"}.
        resources: what a run needs of a cluster: "gpu", also a part of one, "memory" in bytes. It changes no run.
        smoke: what --smoke sets on top of fewer images, seeds and trials.
        document: the docstring of the study's file, which the report prints; `main` looks it up.
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
        """The variants' names in a row, those with a comma of their own in quotes."""
        return ", ".join(f'"{name}"' if "," in name else name for name in self.variants)

    @property
    def conditions(self) -> list[tuple[str, Variant]]:
        """Every variant with its name, on every data set."""
        named = self.variants.items()
        if not self.data:
            return list(named)
        return [
            (name, variant.with_("data", seen_as(variant.data, each))) for each in self.data for name, variant in named
        ]


def seen_as(own: Callable[..., Any], other: Callable[..., Any]) -> partial[Any]:
    """Return another data set in the size and channels of a variant's own, as far as it does not say its own."""
    function = function_of(other)
    kept = {name: value for name, value in given_to(own).items() if name in declared(function) and name != "source"}
    return partial(function, **{**kept, **given_to(other)})
