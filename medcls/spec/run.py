"""One training run: a variant with a seed and, under cross-validation, a fold."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medcls.spec.parameters import Scalar
from medcls.spec.variant import Variant
from medcls.utils.hashing import digest


@dataclass(frozen=True)
class Run:
    """One training run: a variant with a seed and, under cross-validation, a fold.

    Attributes:
        variant: the variant that is trained.
        fingerprint: the fingerprint of the data set.
        seed: seeds the weights, the order of the images and all random changes.
        fold: the fold that is the validation set, counted from 0; None without folds, or for a refit on all folds.
        folds: the number of folds, None without cross-validation.
        split_seed: the seed of the split.
        data_name: the name of the data set in the study; not part of the key.
        variant_name: the name of the variant in the study; not part of the key.
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
        """A hash of everything that determines the run's result: 20 hex digits, equal in every process."""
        return digest(self._identity())

    @cached_property
    def trajectory(self) -> str:
        """The run's key without the number of epochs, unless something in the variant depends on that number."""
        identity = self._identity()
        if not self.variant.depends_on_length:
            identity["variant"].pop("learner.epochs", None)
        return digest(identity)

    @property
    def is_refit(self) -> bool:
        """Whether it is the refit on all folds of a cross-validation."""
        return self.folds is not None and self.fold is None

    @property
    def epochs(self) -> int:
        """The largest number of epochs that the run trains; 0 for a learner without epochs."""
        return int(self.variant.parameters().get("learner.epochs") or 0)

    @property
    def repeat(self) -> tuple[int, int]:
        """The seed and the fold, -1 for none: the order of a variant's runs, whichever ended first."""
        return self.seed, -1 if self.fold is None else self.fold

    @property
    def label(self) -> str:
        """A label for people: variant, seed and fold."""
        label = f"{self.variant_name} seed {self.seed}"
        if self.folds is None:
            return label
        return f"{label} refit" if self.fold is None else f"{label} fold {self.fold + 1}/{self.folds}"

    def parameters(self) -> dict[str, Scalar]:
        """Return all parameters that are recorded of the run, by dotted path; `data` is the data set's name."""
        variant = self.variant.parameters()
        return {
            **variant,
            "data": self.data_name or variant["data"],
            "seed": self.seed,
            "fold": self.fold,
            "folds": self.folds,
            "split_seed": self.split_seed,
            "data.fingerprint": self.fingerprint,
        }

    def _identity(self) -> dict[str, Any]:
        split = [self.fold, self.folds, self.split_seed]
        return {"variant": self.variant.hashed(), "data": self.fingerprint, "seed": self.seed, "split": split}
