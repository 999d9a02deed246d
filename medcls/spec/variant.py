"""Variants: the conditions of an experiment as readable values, trees of functions that have not been called yet.

A function of a variant declares its hyper-parameters as keyword-only arguments; what it is given when it runs comes
as positional arguments. So a signature is a configuration, and a typo fails when the variant is made. Standard
library only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from medcls.spec import overrides
from medcls.spec import parameters as values
from medcls.spec.constraints import check_task
from medcls.spec.parameters import Scalar, arguments_of
from medcls.utils.errors import BadInputError
from medcls.utils.hashing import digest

BUILTIN = "builtin:"  # before the name of a data set that is not a folder
UNHASHED = ("data", "data.source", "data.patients")  # the fingerprint says which data and whose, wherever they lie


@dataclass(frozen=True)
class Variant:
    """One condition of a study.

    Attributes:
        data: the data function with its keyword arguments, not called yet.
        learner: the function that fits the model with its keyword arguments, not called yet.
        task: what the targets mean; see `medcls.tasks`.
    """

    data: Callable[..., Any]
    learner: Callable[..., Any]
    task: Any

    def __post_init__(self) -> None:
        """Check every keyword against the signature of its function, and convert it to the type of the default."""
        object.__setattr__(self, "data", values.checked("data", self.data))
        object.__setattr__(self, "learner", values.checked("learner", self.learner))

    def check(self) -> None:
        """Check every value against the limits of its function, before anything is trained.

        Raises:
            BadInputError: a value outside the limits, or a function that cannot be used for the task.
        """
        values.check_limits("data", self.data)
        values.check_limits("learner", self.learner)
        check_task(values.functions("learner", self.learner), self.task)

    def with_(self, path: str, value: Any) -> "Variant":
        """Return this variant with the parameter at `path` (e.g. "learner.model.dropout") set to `value`.

        Raises:
            BadInputError: no such parameter; the message names the nearest ones.
        """
        field, _, rest = path.partition(".")
        if field not in ("data", "learner") or path not in self.parameters():
            raise BadInputError(values.unknown(path, [name for name in self.parameters() if name != "task"]))
        return replace(self, **{field: values.replaced(getattr(self, field), rest, value)})

    def set_text(self, path: str, text: str) -> "Variant":
        """Return this variant with the parameter at `path` set to the value of a text as --set takes it."""
        if path not in self.parameters() or path == "task":
            return self.with_(path, text)
        return self.with_(path, overrides.parsed(path, text, self.get(path)))

    def get(self, path: str) -> Any:
        """Return the value at `path`: a scalar, a tuple, or a partial."""
        field, *names = path.split(".")
        value = getattr(self, field)
        for name in names:
            value = arguments_of(value)[name]
        return value

    def parameters(self) -> dict[str, Scalar]:
        """Return all parameters by their dotted paths, defaults included, as they are recorded.

        A built-in data set is recorded by its name only: builtin:xray as xray.
        """
        parameters = {path: value for path, value, _ in self._flat}
        source = parameters.get("data.source")
        if isinstance(source, str):
            parameters["data.source"] = source.removeprefix(BUILTIN)
        return parameters

    def hashed(self) -> dict[str, Scalar]:
        """Return the parameters that differ from their defaults; a run's key is computed from these."""
        return {path: value for path, value, default in self._flat if not default and path not in UNHASHED}

    @cached_property
    def _flat(self) -> tuple[tuple[str, Scalar, bool], ...]:
        data = values.flattened("data", self.data, default=False)
        learner = values.flattened("learner", self.learner, default=False)
        return (*data, *learner, ("task", self.task.name, False))

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions of learner and task, for hashing their sources; the fingerprint covers the data."""
        return [*values.functions("learner", self.learner), *self.task.functions()]

    @cached_property
    def depends_on_length(self) -> bool:
        """Whether a function of the variant depends on the total number of epochs, as a cosine schedule does."""
        return any(values.takes(function, "total_epochs") for function in self.functions())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variant) and self.parameters() == other.parameters()

    def __hash__(self) -> int:
        return hash(self._digest)

    @cached_property
    def _digest(self) -> str:
        return digest(self.parameters())


def grid(base: Variant, **axes: Mapping[str, Any]) -> dict[str, Variant]:
    """Return the variants of a full factorial design, named by their labels joined with a comma.

    Each axis is a parameter path (dots written as double underscores) and a mapping of label to value:
    `grid(BASE, learner__model__dropout={"plain": 0.0, "dropout": 0.4})`.
    """
    variants = {}
    for labels in product(*axes.values()):
        variant = base
        for (axis, choices), label in zip(axes.items(), labels, strict=True):
            variant = variant.with_(axis.replace("__", "."), choices[label])
        variants[", ".join(labels)] = variant
    return variants
