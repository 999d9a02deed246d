"""What a search looks over: a variant's parameter paths and the values that each may take."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from medcls.spec.parameters import checked, flattened, function_of, functions, is_node, unknown
from medcls.spec.variant import Variant
from medcls.utils.errors import BadInputError


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
            return value if isinstance(value, int | float) and self.low <= value <= self.high else None
        known = [label for label, each in self.choices.items() if _same(each, value)]
        return known[0] if known else None


def choice(*values: Any) -> Axis:
    """Return an axis of some values: scalars, functions or partials (labelled by name and parameters).

    Raises:
        BadInputError: no values, or two that cannot be told apart.
    """
    choices = {_label(value): value for value in values}
    if not values or len(choices) < len(values):
        raise BadInputError(f"choice({', '.join(str(_label(value)) for value in values)}): give different values.")
    return Axis(choices=choices)


def floats(low: float, high: float, *, log: bool = False) -> Axis:
    """Return an axis of real numbers, evenly spread over their logarithms if `log`.

    Raises:
        BadInputError: the range is empty, or includes 0 although `log`.
    """
    return _range(Axis(low=low, high=high, log=log))


def integers(low: int, high: int, *, log: bool = False) -> Axis:
    """Return an axis of whole numbers, evenly spread over their logarithms if `log`.

    Raises:
        BadInputError: the range is empty, or includes 0 although `log`.
    """
    return _range(Axis(low=low, high=high, log=log, whole=True))


def _range(axis: Axis) -> Axis:
    if not axis.low < axis.high or (axis.log and axis.low <= 0):
        raise BadInputError(f"A search from {axis.low} to {axis.high}{' by logarithm' * axis.log} has no values.")
    return axis


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

    def within(self, base: Variant, fixed: Collection[str] = ()) -> "Search":
        """Return the search from `base` on, without the axes that would overwrite a path that the user has fixed.

        Raises:
            BadInputError: no axis is left, or no variant in the space has one of its paths.
        """
        known, owners = _parameters(base, self.space), tuple(f"{path}." for path in fixed)
        for path in self.space:
            if path not in known and not path.startswith(owners):
                raise BadInputError(unknown(path, known, "parameter to search over"))
        overwriting = {path for path in self.space for each in fixed if f"{each}.".startswith(f"{path}.")}
        space = {path: axis for path, axis in self.space.items() if path not in overwriting}
        known = _parameters(base, space)
        kept = {path: axis for path, axis in space.items() if path in known}
        if not kept:
            raise BadInputError("--set fixes everything that the search looks over: leave one parameter free.")
        return replace(self, space=kept)

    def variant(self, base: Variant, labels: Mapping[str, Any]) -> Variant:
        """Return the base variant with a trial's labels put in, but for parameters of what was not chosen."""
        for path in sorted(labels):  # an owner ("learner.optimizer") comes before what it owns
            if path in base.parameters():
                base = base.with_(path, self.space[path].value(labels[path]))
        return base

    def starting_point(self, base: Variant) -> dict[str, Any]:
        """Return the labels of the base variant itself, as far as it lies in the space."""
        known = base.parameters()
        labels = {path: axis.label(base.get(path)) for path, axis in self.space.items() if path in known}
        return {path: label for path, label in labels.items() if label is not None}

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions among the values that it looks over, for hashing their sources."""
        choices = [value for axis in self.space.values() for value in (axis.choices or {}).values()]
        return [function for value in choices if is_node(value) for function in functions("", value)]

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


def _parameters(base: Variant, space: Mapping[str, Axis]) -> set[str]:
    """Return the parameters that the base variant has, or with one of an axis's choices would have."""
    own = set(base.parameters())
    chosen = [(path, axis.choices.values()) for path, axis in space.items() if path in own and axis.choices]
    return own.union(*(base.with_(path, value).parameters() for path, values in chosen for value in values))


def _label(value: Any) -> str | int | float | bool:
    """Return what stands for a value in the search's memory: the same in every process."""
    if not is_node(value):
        return value if isinstance(value, str | int | float | bool) else str(value)
    keywords = value.keywords if isinstance(value, partial) else {}
    given = ", ".join(f"{name}={_label(each)}" for name, each in keywords.items())
    return function_of(value).__name__ + (f"({given})" if given else "")


def _same(a: Any, b: Any) -> bool:
    if is_node(a) and is_node(b):
        return _settings(a) == _settings(b)
    return bool(a == b)


def _settings(node: Any) -> list[tuple[str, Any]]:
    """Return a node's function and all its parameters, defaults included."""
    return [(path, value) for path, value, _ in flattened("", checked("", node), default=False)]
