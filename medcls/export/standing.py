"""Which of two models is the champion: how each scored, on which data, and what it was made for."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medcls.utils.hashing import digest

PREFIX = "medcls."  # of the tags of model versions
WEIGHTS, ANSWERS = f"{PREFIX}weights_sha256", f"{PREFIX}answers"
STUDY, DATA, KIND = f"{PREFIX}study", f"{PREFIX}data", f"{PREFIX}kind"
SMOKE, WRITTEN = f"{PREFIX}smoke", f"{PREFIX}written"
PHANTOM = "phantom"
NOT_REAL = "that one was trained on real images, this one on a phantom"


@dataclass(frozen=True)
class Standing:
    """How a model scored, and on which data: what decides whether it becomes the champion.

    Attributes:
        weights_sha256: the digest of the model's weights.
        metric: the metric of the study; higher is better.
        value: the model's value of that metric, as a mean over folds or seeds.
        fingerprint: the digest of the data set.
        smoke: whether the model was made with --smoke.
        answers: a digest of what its outputs mean, as returned by `meaning`.
        study: the name of the study.
        data: the name of the data set.
        kind: "files", "phantom" or "toolkit".
        written: when the study ended, in UTC as "2026-11-30T14:17:05Z".
    """

    weights_sha256: str
    metric: str
    value: float
    fingerprint: str
    smoke: bool
    answers: str = ""
    study: str = ""
    data: str = ""
    kind: str = ""
    written: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a version of a registered model."""
        return {f"{PREFIX}{name}": str(value) for name, value in vars(self).items()}

    def is_of(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags belong to a model with these weights and this meaning of its outputs."""
        return tags.get(WEIGHTS) == self.weights_sha256 and tags.get(ANSWERS, "") == self.answers


def from_tags(tags: Mapping[str, str]) -> Standing:
    """Return the standing that the tags of a version say; what an older medcls did not write is ""."""
    given = {name.removeprefix(PREFIX): value for name, value in tags.items() if name.startswith(PREFIX)}
    return Standing(
        weights_sha256=given.get("weights_sha256", ""),
        metric=given.get("metric", ""),
        value=float(given.get("value", "nan")),
        fingerprint=given.get("fingerprint", ""),
        smoke=given.get("smoke") == "True",
        answers=given.get("answers", ""),
        study=given.get("study", ""),
        data=given.get("data", ""),
        kind=given.get("kind", ""),
        written=given.get("written", ""),
    )


def as_written(seconds: float) -> str:
    """Return a time in seconds since 1970 as versions are tagged with it: in UTC, so that later ones sort last."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def meaning(classes: Sequence[str]) -> str:
    """Return a digest of what a model's outputs mean: one probability for each of these classes, in this order."""
    return digest({"one probability a class": list(classes)})


def keeps(champion: Mapping[str, str], new: Standing) -> str:
    """Return why a champion keeps its alias when there is a new model, "" if it loses the alias.

    A champion that was trained on real images never loses it to one that was trained on a phantom. Apart from that, it
    loses it to a model of another data set (only a study's own name holds models of several), and to a model with a
    better score by the same metric on the same data. A champion that was made with --smoke, or trained on a phantom,
    loses it to any model that was not.

    Args:
        champion: the tags of the champion.
        new: the new model.
    """
    old = from_tags(champion)
    if old.kind and (old.kind == PHANTOM) != (new.kind == PHANTOM):
        return NOT_REAL if new.kind == PHANTOM else ""
    if old.weights_sha256 == new.weights_sha256:
        return ""
    if old.smoke != new.smoke:
        return "this one was made with --smoke" if new.smoke else ""
    if old.data and old.data != new.data:
        return ""
    if old.fingerprint != new.fingerprint:
        return "that one was scored on other data, so the scores cannot be compared"
    if old.metric != new.metric:
        return "that one was chosen by another metric"
    if new.value > old.value:
        return ""
    return f"that one has {new.metric.replace('_', ' ')} {old.value:.3f}, this one {new.value:.3f}"
