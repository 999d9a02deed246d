"""An experiment as a readable value: Variant (a tree of uncalled functions) and Run (a variant with a seed and a fold).

A function that a variant names declares its hyper-parameters as keyword-only arguments; what it is handed
when it runs comes positionally. So a signature is a configuration, and a typo fails when the variant is made.
Standard library only.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

from medcls import settings, values
from medcls.errors import BadInputError
from medcls.limits import check_task
from medcls.values import Scalar, arguments_of, function_of, is_node, name_of

BUILTIN = "builtin:"  # before the name of a data set: it is no folder
UNHASHED = ("data", "data.source", "data.patients")  # the fingerprint says which data and whose, wherever they lie


@dataclass(frozen=True)
class Variant:
    """One condition of a study: data, learner and task, each an uncalled function with its keyword arguments."""

    data: Callable[..., Any]
    learner: Callable[..., Any]
    task: Any

    def __post_init__(self) -> None:
        """Check every keyword against its function's signature and take its default's type."""
        object.__setattr__(self, "data", values.checked("data", self.data))
        object.__setattr__(self, "learner", values.checked("learner", self.learner))

    def check(self) -> None:
        """Check every value against the limits of its function: the command line does so before anything is trained.

        Raises:
            BadInputError: a value that its function cannot work with, or a function that does not suit the task.
        """
        values.check_limits("data", self.data)
        values.check_limits("learner", self.learner)
        check_task(values.functions("learner", self.learner), self.task)

    def with_(self, path: str, value: Any) -> "Variant":
        """Return this variant with the parameter at `path` (e.g. "learner.model.dropout") set to `value`.

        Raises:
            BadInputError: no such parameter; the nearest ones are named.
        """
        field, _, rest = path.partition(".")
        if field not in ("data", "learner") or path not in self.parameters():
            raise BadInputError(values.unknown(path, [name for name in self.parameters() if name != "task"]))
        return replace(self, **{field: values.replaced(getattr(self, field), rest, value)})

    def set_text(self, path: str, text: str) -> "Variant":
        """Return this variant with `path` set to what `text` says on the command line (number, name or JSON)."""
        if path not in self.parameters() or path == "task":
            return self.with_(path, text)
        return self.with_(path, settings.parsed(path, text, self.get(path)))

    def get(self, path: str) -> Any:
        """Return the value at `path`: a scalar, a tuple, or a partial."""
        field, *names = path.split(".")
        value = getattr(self, field)
        for name in names:
            value = arguments_of(value)[name]
        return value

    def parameters(self) -> dict[str, Scalar]:
        """Return every parameter by its dotted path, defaults included: what is recorded.

        A built-in data set is recorded by its name alone: builtin:xray is xray.
        """
        parameters = {path: value for path, value, _ in self._flat}
        source = parameters.get("data.source")
        if isinstance(source, str):
            parameters["data.source"] = source.removeprefix(BUILTIN)
        return parameters

    def hashed(self) -> dict[str, Scalar]:
        """Return the parameters that differ from their defaults: what the key is made of."""
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
        """Whether something in the tree depends on the total number of epochs, as a cosine schedule does."""
        return any(values.takes(function, "total_epochs") for function in self.functions())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variant) and self.parameters() == other.parameters()

    def __hash__(self) -> int:
        return hash(self._digest)

    @cached_property
    def _digest(self) -> str:
        return digest(self.parameters())


@dataclass(frozen=True)
class Run:
    """One training: a variant with a seed and, under cross-validation, a fold.

    `fold` None with `folds` K is the refit: trained on all that the folds share out. `split_seed` seeds the
    split. `data_name` and `variant_name` are what the study calls them; no part of the key.
    """

    variant: Variant
    fingerprint: str
    seed: int = 0
    fold: int | None = None
    folds: int | None = None
    split_seed: int = 0
    data_name: str = ""
    variant_name: str = ""

    @cached_property
    def key(self) -> str:
        """A hash of what determines the run's result, the same in every process: 20 hex digits."""
        return digest(self._identity())

    @cached_property
    def trajectory(self) -> str:
        """The key without the number of epochs, unless something in the tree depends on the total."""
        identity = self._identity()
        if not self.variant.depends_on_length:
            identity["variant"].pop("learner.epochs", None)
        return digest(identity)

    @property
    def epochs(self) -> int:
        """How many epochs the run is declared to train at most (0 for a learner without epochs)."""
        return int(self.variant.parameters().get("learner.epochs") or 0)

    @property
    def label(self) -> str:
        """What a person calls it: variant, seed and fold."""
        fold = "" if self.folds is None else " refit" if self.fold is None else f" fold {self.fold + 1}/{self.folds}"
        return f"{self.variant_name} seed {self.seed}{fold}"

    def parameters(self) -> dict[str, Scalar]:
        """Return everything that is recorded of the run, by dotted path."""
        return {
            **self.variant.parameters(),
            "seed": self.seed,
            "fold": self.fold,
            "folds": self.folds,
            "split_seed": self.split_seed,
            "data.fingerprint": self.fingerprint,
        }

    def _identity(self) -> dict[str, Any]:
        split = [self.fold, self.folds, self.split_seed]
        return {"variant": self.variant.hashed(), "data": self.fingerprint, "seed": self.seed, "split": split}


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


def digest(value: Any) -> str:
    """Return 20 hex digits of the SHA-256 of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


__all__ = ["Run", "Variant", "digest", "function_of", "grid", "is_node", "name_of", "partial"]
