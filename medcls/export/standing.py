"""Whether a new model takes the alias champion from the one that has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medcls.spec import digest

PREFIX = "medcls."
WEIGHTS, ANSWERS = f"{PREFIX}weights_sha256", f"{PREFIX}answers"


@dataclass(frozen=True)
class Standing:
    """What decides between models: how a model scored by its study's own metric, and on which data.

    Attributes:
        weights_sha256: of the model's weights.
        metric: the study's metric, the higher the better.
        value: the model's; the mean over folds or seeds.
        fingerprint: of the data set.
        smoke: whether it was made to try the study out.
        answers: a digest of what its answers mean, as `meaning` makes it.
    """

    weights_sha256: str
    metric: str
    value: float
    fingerprint: str
    smoke: bool
    answers: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """What a version of a registered model is tagged with."""
        return {f"{PREFIX}{name}": str(value) for name, value in vars(self).items()}

    def is_of(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are those of a model with these weights whose answers mean the same."""
        return tags.get(WEIGHTS) == self.weights_sha256 and tags.get(ANSWERS, "") == self.answers


def meaning(classes: Sequence[str]) -> str:
    """Return a digest of what a model's answers mean: one probability for each of the classes, in their order."""
    return digest({"one probability a class": list(classes)})


def keeps(champion: Mapping[str, str], new: Standing) -> str:
    """Return why a champion with these tags keeps its alias before a new model, "" if it gives it up.

    It gives it up to a better score by the same metric on the same data; and one that was made to try a study out, to
    any that was not.
    """
    old = {name.removeprefix(PREFIX): value for name, value in champion.items()}
    if old.get("weights_sha256") == new.weights_sha256:
        return ""
    if (old.get("smoke") == "True") != new.smoke:
        return "this one was made with --smoke" if new.smoke else ""
    if old.get("fingerprint") != new.fingerprint:
        return "that one was scored on other data: they cannot be compared"
    if old.get("metric") != new.metric:
        return "that one was chosen by another metric"
    if new.value > float(old["value"]):
        return ""
    return f"that one has {new.metric.replace('_', ' ')} {float(old['value']):.3f}, this one {new.value:.3f}"
