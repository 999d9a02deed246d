"""What the entries of a study in MLflow are called: their ids, names and colours."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from medcls.execution.planning.plan import StudyPlan
from medcls.spec.parameters import Scalar, function_of, is_node
from medcls.spec.run import Run
from medcls.spec.variant import Variant
from medcls.utils import palette
from medcls.utils.hashing import digest

BEST = " · best"
SHORT = MappingProxyType({"learning_rate": "lr"})
FEW = 6  # parameters in a name
LONGEST = 40  # characters of a value in a name


@dataclass(frozen=True)
class EntryNames:
    """The ids, names and colours of a study's entries.

    Attributes:
        study: the id of the study's own entry.
        variants: the names of the study's variants, in its order.
        several_data: whether the study has several data sets, so that names say which.
        several_seeds: whether runs differ in their seed.
    """

    study: str
    variants: tuple[str, ...]
    several_data: bool
    several_seeds: bool

    def variant_id(self, run: Run) -> str:
        """Return the id of the entry of a run's variant."""
        return f"{self.study}/variant-{digest([run.data_name, run.variant_name])}"

    def trial_id(self, number: int) -> str:
        """Return the id of a trial's entry."""
        return f"{self.study}/trial-{number}"

    def variant(self, run: Run) -> str:
        """Return the name of a run's variant, behind that of its data set if the study has several."""
        return f"{run.data_name} · {run.variant_name}" if self.several_data else run.variant_name

    def trial(self, number: int, labels: Mapping[str, Any]) -> str:
        """Return the name of a trial: its number, and what was proposed."""
        proposed = shortened(labels)
        return f"trial {number} · {proposed}" if proposed else f"trial {number}"

    def run(self, run: Run) -> str:
        """Return the name of a run: its variant, and the seed, the fold or both, as far as runs differ in them."""
        parts = []
        if run.folds is None or self.several_seeds:
            parts.append(f"seed {run.seed}")
        if run.folds is not None:
            parts.append("refit" if run.fold is None else f"fold {run.fold + 1}/{run.folds}")
        return f"{self.variant(run)} · {', '.join(parts)}"

    def colour(self, variant: str) -> str:
        """Return the colour of a variant or trial, which its runs share; the report draws it in the same."""
        return palette.colour(palette.place_of(variant, self.variants))


def names_of(plan: StudyPlan) -> EntryNames:
    """Return the names of the entries of a study."""
    seeds, several = plan.seeds, len(plan.sources.by_name) > 1
    return EntryNames(plan.key, tuple(plan.study.variants), several, len(seeds) > 1)


def shortened(labels: Mapping[str, Any]) -> str:
    """Return the first few parameters in the form "depth 20, lr 0.002"; names that end alike keep what is before."""
    lasts = [path.split(".")[-1] for path in labels]
    parts = []
    for path, value in list(labels.items())[:FEW]:
        *before, last = path.split(".")
        name = SHORT.get(last, last).replace("_", " ")
        if lasts.count(last) > 1 and before:
            name = f"{before[-1].replace('_', ' ')} {name}"
        shown = f"{value:.3g}" if isinstance(value, float) else str(value)
        parts.append(f"{name} {shown[:LONGEST]}")
    return ", ".join(parts)


def shown_parameters(run: Run) -> dict[str, Scalar]:
    """Return a run's parameters as MLflow shows them."""
    return run.parameters() | _shown(run.variant, run.data_name)


def differing(plan: StudyPlan, variant: Variant) -> dict[str, Scalar]:
    """Return the parameters of a variant that are not equal in all variants of the study, as MLflow shows them."""
    own, shown = variant.parameters(), _shown(variant, plan.sources.of(variant).name)
    others = [other.parameters() for _, other in plan.study.conditions]
    paths = []
    for path, value in own.items():
        if any(path not in other or other[path] != value for other in others):
            paths.append(path)
    return {path: shown[path] for path in paths}


def common(plan: StudyPlan) -> dict[str, Scalar]:
    """Return the parameters that all runs of the study share: no variant, seed, fold or trial has its own."""
    first, *others = [_shown(variant, plan.sources.of(variant).name) for _, variant in plan.study.conditions]
    searched = tuple(plan.study.search.space) if plan.study.search is not None else ()
    inside_searched = tuple(f"{path}." for path in searched)
    shared = {}
    for path, value in first.items():
        if path in searched or path.startswith(inside_searched):
            continue
        if all(path in other and other[path] == value for other in others):
            shared[path] = value
    return shared


def _shown(variant: Variant, data_name: str) -> dict[str, Scalar]:
    """Return the parameters of a variant, its functions as a search calls them (`cosine`), its data by their name."""
    parameters = variant.parameters()
    for path in parameters:
        value = None if path == "task" else variant.get(path)
        if is_node(value):
            parameters[path] = function_of(value).__name__
    return parameters | {"data": data_name}
