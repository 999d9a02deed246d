"""One training run: a variant with a seed and, under cross-validation, a fold."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medcls.spec.parameters import Scalar
from medcls.spec.variant import Variant
from medcls.utils.hashing import digest


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
