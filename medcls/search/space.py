"""What a search looks over: a variant's parameter paths and the values that each may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from medcls.errors import BadInputError
from medcls.spec import Variant
from medcls.values import function_of, is_node


@dataclass(frozen=True)
class Axis:
    """The values of one parameter: labelled choices, or a range of numbers."""

    choices: Mapping[str | int | float | bool, Any] | None = None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def value(self, label: Any) -> Any:
        """Return the value that a proposed label stands for."""
        return label if self.choices is None else self.choices[label]

    def label(self, value: Any) -> Any:
        """Return the label of a value, None if it lies outside."""
        if self.choices is None:
            return value if self.low <= value <= self.high else None
        known = [label for label, each in self.choices.items() if _same(each, value)]
        return known[0] if known else None


def choice(*values: Any) -> Axis:
    """Return an axis of some values: scalars, functions or partials (labelled by what they differ in)."""
    return Axis(choices={_label(value): value for value in values})


def floats(low: float, high: float, *, log: bool = False) -> Axis:
    """Return an axis of real numbers, evenly spread over their logarithms if `log`."""
    return Axis(low=low, high=high, log=log)


def integers(low: int, high: int, *, log: bool = False) -> Axis:
    """Return an axis of whole numbers."""
    return Axis(low=low, high=high, log=log, whole=True)


@dataclass(frozen=True)
class Search:
    """How a study looks for its best variant.

    Attributes:
        space: parameter path -> axis.
        trials: how many variants are tried.
        metric: the score whose mean over the folds is maximised.
        startup: how many trials are drawn at random before the sampler learns from them.
        parallel: how many trials may be under way at once. Trial k is proposed from the trials up to
            k - parallel alone, so what is proposed never depends on which worker was faster.
        seed: of the sampler.
    """

    space: Mapping[str, Axis] = field(default_factory=dict)
    trials: int = 12
    metric: str = "balanced_accuracy"
    startup: int = 5
    parallel: int = 4
    seed: int = 0

    def without(self, paths: Mapping[str, str]) -> "Search":
        """Return the search with the paths that the user has fixed taken out of the space."""
        kept = {path: axis for path, axis in self.space.items() if path not in paths}
        if not kept:
            raise BadInputError("--set fixes everything that the search looks over: leave one parameter free.")
        return replace(self, space=kept)

    def variant(self, base: Variant, labels: Mapping[str, Any]) -> Variant:
        """Return the base variant with a trial's proposed labels put in."""
        for path in sorted(labels):  # an owner ("learner.optimizer") comes before what it owns
            base = base.with_(path, self.space[path].value(labels[path]))
        return base

    def starting_point(self, base: Variant) -> dict[str, Any]:
        """Return the labels of the base variant itself, as far as it lies in the space."""
        labels = {path: axis.label(base.get(path)) for path, axis in self.space.items()}
        return {path: label for path, label in labels.items() if label is not None}

    def described(self) -> dict[str, Any]:
        """Return the search as plain values: what makes two searches the same one."""
        axes = {
            path: list(axis.choices) if axis.choices is not None else [axis.low, axis.high, axis.log, axis.whole]
            for path, axis in self.space.items()
        }
        return {
            "space": axes,
            "metric": self.metric,
            "startup": self.startup,
            "parallel": self.parallel,
            "seed": self.seed,
        }


def _label(value: Any) -> str | int | float | bool:
    if not is_node(value):
        return value if isinstance(value, str | int | float | bool) else str(value)
    keywords = value.keywords if isinstance(value, partial) else {}
    given = ", ".join(f"{name}={each}" for name, each in keywords.items())
    return function_of(value).__name__ + (f"({given})" if given else "")


def _same(a: Any, b: Any) -> bool:
    if is_node(a) and is_node(b):
        return _label(a) == _label(b)
    return bool(a == b)
