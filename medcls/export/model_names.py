"""What registered models are called: medcls-STUDY-DATA, medcls-STUDY, and what else where another has that name."""

from collections.abc import Iterator, Sequence
from typing import Any

from medcls.export.registry import known_tags
from medcls.export.standing import DATA, STUDY
from medcls.tracking.outcomes import Outcome
from medcls.utils.hashing import digest
from medcls.utils.lazy import mlflow
from medcls.utils.naming import in_file

FEWEST_DIGITS = 4  # that tell a name from another's


def study_model(study: str) -> str:
    """Return the usual name of the registered model that holds the champion of a study, whatever its data."""
    return f"medcls-{study}"


def data_models(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the usual name of the registered model of each outcome of a study: medcls-STUDY-DATA."""
    safe = in_file(outcome.data.name for outcome in outcomes)
    return [f"{study_model(outcome.summary.study)}-{safe[outcome.data.name]}" for outcome in outcomes]


def own_name(uri: str, usual: str, study: str, data: str = "") -> str:
    """Return the name under which models are registered: the usual one unless it holds models of something else.

    The usual name of study a-b on data c, for instance, is that of study a on data b-c. Whatever is registered second
    has a name that ends with a few digits of its own.

    Args:
        uri: of the MLflow store.
        usual: the usual name.
        study: the name of the study.
        data: the name of the data set; "" for the study's own champion, whatever its data.
    """
    client = mlflow.MlflowClient(uri)
    names = _names(usual, study, data)
    return next(name for name in names if _is_own(_oldest(client, name), study, data))


def is_study_model(name: str, study: str) -> bool:
    """Tell whether a registered model of this name, with versions of a study, holds the study's own champion."""
    return name in _names(study_model(study), study, "")


def _names(usual: str, study: str, data: str) -> Iterator[str]:
    """Yield the usual name, then longer and longer ones."""
    yield usual
    digits = digest([study, data])
    for count in range(FEWEST_DIGITS, len(digits) + 1):
        yield f"{usual}-{digits[:count]}"


def _oldest(client: Any, name: str) -> dict[str, str]:
    """Return the tags of a registered model's oldest version; none where there is no such model."""
    pattern = "".join("_" if letter in "'\"`" else letter for letter in name)  # a filter cannot have quotes
    versions = [version for version in client.search_model_versions(f"name LIKE '{pattern}'") if version.name == name]
    if not versions:
        return {}
    return known_tags(client, min(versions, key=lambda version: int(version.version)))


def _is_own(tags: dict[str, str], study: str, data: str) -> bool:
    """Tell whether tags of a version are of a study's on a data set, "" for any; an older medcls wrote none."""
    return tags.get(STUDY, "") in ("", study) and (not data or tags.get(DATA, "") in ("", data))
