"""A study: a question, named variants, seeds or folds, perhaps a search, the answers; and its command line."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from medcls.evaluation.answers import Answer
from medcls.importing import is_imported
from medcls.interruption import listen, settle
from medcls.naming import check_study
from medcls.search.space import Search
from medcls.spec import Variant
from medcls.values import declared, function_of, given_to

if TYPE_CHECKING:
    from medcls.options import Options

INTERRUPTED = 130


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


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Run a study as its command line says and exit: the last line of every study script.

    In a script that is imported and not run, as the processes of its runs import it, it does nothing.
    Exit codes: 0 all runs finished, 1 some run failed, 2 bad usage or input, 130 interrupted.
    """
    if is_imported():
        return
    listen()
    documented = replace(study, document=inspect.cleandoc(sys.modules["__main__"].__doc__ or ""))

    def parsed() -> "Options":
        from medcls.options import parse

        epilog = f"variants: {study.variant_names}\n\n{documented.document}"
        return parse(arguments, study.name, study.question, epilog, search=study.search is not None)

    sys.exit(carry_out([documented], parsed))


def carry_out(studies: Sequence[Study], options: Callable[[], "Options"]) -> int:
    """Carry studies out together as the options say; return the exit code. `listen` must have been called."""
    try:
        given = options()
        from medcls.conduct import conduct

        return conduct(studies, given)
    except KeyboardInterrupt:
        settle()
        names = ", ".join(study.name for study in studies)
        print(f"{names}: interrupted; every finished epoch is kept. The same command goes on.", file=sys.stderr)
        return INTERRUPTED
