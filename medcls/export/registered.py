"""Registered models found by the names of outcomes, STUDY or STUDY@DATA, in the registry of an MLflow store."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from medcls.evaluation.metrics import words
from medcls.export.model_names import is_study_model, study_model
from medcls.export.registry import ALIAS, known_tags
from medcls.export.standing import DATA, PHANTOM, STUDY, WRITTEN, Standing, as_written, from_tags
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import mlflow


@dataclass(frozen=True)
class RegisteredModel:
    """A version of a registered model.

    Attributes:
        name: of the registered model.
        version: its number.
        standing: how the model scored, and on which data.
        champion: the version with the alias, "" if none has it.
    """

    name: str
    version: str
    standing: Standing
    champion: str = ""

    @property
    def uri(self) -> str:
        """The models:/ URI of the version."""
        return f"models:/{self.name}/{self.version}"

    @property
    def rank(self) -> tuple[bool, bool]:
        """What comes first: real data before phantoms, then whole runs before those of --smoke."""
        return self.standing.kind == PHANTOM, self.standing.smoke

    @property
    def outcome(self) -> str:
        """The name of the model's outcome."""
        return f"{self.standing.study}@{self.standing.data}"

    @property
    def sentence(self) -> str:
        """Which model it is, as commands say which one they took."""
        standing, smoke = self.standing, ", smoke" if self.standing.smoke else ""
        kind = f" ({standing.kind})" if standing.kind else ""
        other = f"; the champion is version {self.champion}" if self.champion not in ("", self.version) else ""
        return (
            f"{self.outcome} of {_shown(standing.written)}{smoke}: version {self.version} of {self.name}, trained on "
            f"{standing.data}{kind}, best {words(standing.metric)} {standing.value:.3f}{other}."
        )


def registered(uri: str, name: str) -> RegisteredModel | None:
    """Return the registered model that the name of an outcome means, None if there is none.

    Args:
        uri: of the MLflow store.
        name: STUDY or STUDY@DATA. Real data come before phantoms, --smoke last, then the latest first.

    Raises:
        BadInputError: the study ended on several data sets of the same kind at once.
    """
    client = mlflow.MlflowClient(uri)
    models: list[RegisteredModel] = []
    for study, data in _readings(name):
        models += _tagged(client, study, data)
        models += _older(client, study, data)
    if not models:
        return None
    models.sort(key=lambda model: model.standing.written, reverse=True)
    models.sort(key=lambda model: model.rank)  # keeps the order by time
    first = models[0]
    alike = {model.outcome for model in models if _ended_with(model, first)}
    if len(alike) > 1:
        raise BadInputError(f"{name} has a best model for each of its data sets: write {' or '.join(sorted(alike))}.")
    return replace(first, champion=str(client.get_registered_model(first.name).aliases.get(ALIAS, "")))


def _ended_with(model: RegisteredModel, first: RegisteredModel) -> bool:
    """Tell whether two models are of one command, and of equal rank."""
    return (model.standing.written, model.standing.study, model.rank) == (
        first.standing.written,
        first.standing.study,
        first.rank,
    )


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """Yield each study and data set that a name may mean, "" for any data set; a study's name may have an @ itself."""
    yield name, ""
    for position, letter in enumerate(name):
        if letter == "@":
            yield name[:position], name[position + 1 :]


def _tagged(client: Any, study: str, data: str) -> Iterator[RegisteredModel]:
    """Yield the models of a study and data set; those under the study's own name are the same ones again."""
    pattern = "".join("_" if letter in "'\"`" else letter for letter in study)  # a filter cannot have quotes
    for version in client.search_model_versions(f"tag.`{STUDY}` LIKE '{pattern}'"):
        tags = version.tags
        if tags.get(STUDY) == study and data in ("", tags.get(DATA)) and not is_study_model(version.name, study):
            yield RegisteredModel(version.name, str(version.version), from_tags(tags))


def _older(client: Any, study: str, data: str) -> Iterator[RegisteredModel]:
    """Yield the champions that an older medcls registered, which have no tag that says the study."""
    names = [study_model(study)]
    if data:
        names.append(f"{study_model(study)}-{data}")
    for name in names:
        with contextlib.suppress(mlflow.exceptions.MlflowException):  # there is none
            version = client.get_model_version_by_alias(name, ALIAS)
            if STUDY in version.tags:
                continue
            tags = known_tags(client, version)
            if tags.get(STUDY, "") not in ("", study):
                continue  # another study's, which has the same name
            tags[STUDY] = study
            if data in ("", tags.get(DATA)) or name != names[0]:
                tags[DATA] = data or tags.get(DATA, "")
                tags[WRITTEN] = as_written(version.creation_timestamp / 1000)
                yield RegisteredModel(name, str(version.version), from_tags(tags))


def _shown(written: str) -> str:
    """Return a time in UTC as this machine's clock shows it."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(written).astimezone().strftime("%Y-%m-%d %H:%M")
    return written
