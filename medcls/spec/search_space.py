"""Searches: the parameters of a variant that are searched over, and the values that each may take."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from medcls.spec.parameters import Scalar, checked, flattened, function_of, functions, is_node, unknown
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
        """Return the value for a proposed label."""
        return label if self.choices is None else self.choices[label]

    def label(self, value: Any) -> Any:
        """Return the label of a value, None if the value is not on the axis."""
        if self.choices is None:
            return value if isinstance(value, int | float) and self.low <= value <= self.high else None
        for label, choice in self.choices.items():
            if _equal(choice, value):
                return label
        return None


def choice(*values: Any) -> Axis:
    """Return an axis of the given values: scalars, functions or partials, labelled by name and parameters.

    Raises:
        BadInputError: no values, or two values with one label.
    """
    choices = {_label(value): value for value in values}
    if not values or len(choices) < len(values):
        labels = ", ".join(str(_label(value)) for value in values)
        raise BadInputError(f"choice({labels}): give at least one value, and no value twice.")
    return Axis(choices=choices)


def floats(low: float, high: float, *, log: bool = False) -> Axis:
    """Return an axis of real numbers, sampled evenly on a logarithmic scale if `log`.

    Raises:
        BadInputError: the range is empty, or contains 0 or less on a logarithmic scale.
    """
    return _range(Axis(low=low, high=high, log=log))


def integers(low: int, high: int, *, log: bool = False) -> Axis:
    """Return an axis of whole numbers, sampled evenly on a logarithmic scale if `log`.

    Raises:
        BadInputError: the range is empty, or contains 0 or less on a logarithmic scale.
    """
    return _range(Axis(low=low, high=high, log=log, whole=True))


def _range(axis: Axis) -> Axis:
    if not axis.low < axis.high or (axis.log and axis.low <= 0):
        scale = " on a logarithmic scale" if axis.log else ""
        raise BadInputError(f"The range from {axis.low} to {axis.high}{scale} has no values: give another one.")
    return axis


@dataclass(frozen=True)
class Search:
    """How a study looks for its best variant.

    Attributes:
        space: dotted path of a parameter -> its axis.
        trials: the number of variants that are tried.
        metric: the score whose mean over the folds is maximised.
        startup: the number of trials that are drawn at random before the sampler learns from earlier trials.
        parallel: the number of trials that may run at a time. Trial k is proposed from the trials up to k - parallel
            only, so proposals never depend on which worker was faster.
        seed: the seed of the sampler.
    """

    space: Mapping[str, Axis] = field(default_factory=dict)
    trials: int = 12
    metric: str = "balanced_accuracy"
    startup: int = 5
    parallel: int = 4
    seed: int = 0

    def within(self, base: Variant, fixed: Collection[str] = ()) -> "Search":
        """Return the search without the axes that would overwrite parameters that the user has fixed.

        Args:
            base: the variant that the search starts from.
            fixed: the dotted paths of parameters that the user has set.

        Raises:
            BadInputError: no axis is left, or no variant of the search has one of the parameters.
        """
        known = _parameters(base, self.space)
        owners = tuple(f"{path}." for path in fixed)
        space = {}
        for path, axis in self.space.items():
            if path not in known and not path.startswith(owners):
                raise BadInputError(unknown(path, known, "parameter to search over"))
            if not any(f"{setting}.".startswith(f"{path}.") for setting in fixed):
                space[path] = axis
        known = _parameters(base, space)
        kept = {path: axis for path, axis in space.items() if path in known}
        if not kept:
            raise BadInputError("--set fixes every parameter that is searched over: leave at least one free.")
        return replace(self, space=kept)

    def variant(self, base: Variant, labels: Mapping[str, Any]) -> Variant:
        """Return the base variant with the values of a trial's labels, as far as the variant has the parameters."""
        for path in sorted(labels):  # an owner ("learner.optimizer") comes before what it owns
            if path in base.parameters():
                base = base.with_(path, self.space[path].value(labels[path]))
        return base

    def starting_point(self, base: Variant) -> dict[str, Any]:
        """Return the labels of the base variant's own values, as far as they are on the axes."""
        known = base.parameters()
        labels = {}
        for path, axis in self.space.items():
            label = axis.label(base.get(path)) if path in known else None
            if label is not None:
                labels[path] = label
        return labels

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions among the values that are searched over, for hashing their sources."""
        found: list[Callable[..., Any]] = []
        for axis in self.space.values():
            for value in (axis.choices or {}).values():
                if is_node(value):
                    found += functions("", value)
        return found

    def described(self) -> dict[str, Any]:
        """Return the search as plain values, by which equal searches are recognized."""
        axes: dict[str, list[Any]] = {}
        for path, axis in self.space.items():
            if axis.choices is not None:
                axes[path] = list(axis.choices)
            else:
                axes[path] = [axis.low, axis.high, axis.log, axis.whole]
        return {
            "space": axes,
            "metric": self.metric,
            "startup": self.startup,
            "parallel": self.parallel,
            "seed": self.seed,
        }


def _parameters(base: Variant, space: Mapping[str, Axis]) -> set[str]:
    """Return the parameters that the base variant has, or would have with one choice of an axis."""
    own = set(base.parameters())
    parameters = set(own)
    for path, axis in space.items():
        if path in own and axis.choices:
            for value in axis.choices.values():
                parameters.update(base.with_(path, value).parameters())
    return parameters


def _label(value: Any) -> str | int | float | bool:
    """Return the label that stands for a value in the storage of a search, equal in every process."""
    if not is_node(value):
        return value if isinstance(value, str | int | float | bool) else str(value)
    keywords = value.keywords if isinstance(value, partial) else {}
    parameters = ", ".join(f"{name}={_label(parameter)}" for name, parameter in keywords.items())
    name = function_of(value).__name__
    return f"{name}({parameters})" if parameters else name


def _equal(a: object, b: object) -> bool:
    if is_node(a) and is_node(b):
        return _settings(a) == _settings(b)
    return bool(a == b)


def _settings(node: Callable[..., Any]) -> list[tuple[str, Scalar]]:
    """Return the names of a node's functions and all their parameters, defaults included."""
    return [(path, value) for path, value, _ in flattened("", checked("", node), default=False)]
