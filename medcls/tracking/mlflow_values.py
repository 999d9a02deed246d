"""Tags, data sets and places of files in the form that MLflow takes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcls.tracking.entries import DataRecord
from medcls.utils import store_uris as uris
from medcls.utils.lazy import mlflow
from medcls.utils.naming import in_store
from medcls.utils.texts import printable, storable

LONGEST = 5000  # characters of a value; MLflow accepts 6,000 in a parameter and 8,000 in a tag
NAMES = "medcls.names"  # the tag that lists the names that MLflow does not accept as they are


def changed(names: Mapping[str, str]) -> dict[str, str | None]:
    """Return the tag that lists the metrics which have other names in the store than in the study, a line each."""
    lines = [f"{safe}: {printable(name)}" for name, safe in names.items() if safe != name]
    return {NAMES: "\n".join(lines) or None}


def texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as MLflow accepts them; those with the value None are left out."""
    shown: dict[str, str] = {}
    for name, value in tags.items():
        if value is not None:
            shown[name] = storable(str(value))[:LONGEST]
    return shown


def run_tags(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as MLflow's client takes them."""
    return [mlflow.entities.RunTag(name, value) for name, value in tags.items()]


def dataset(data: DataRecord) -> Any:
    """Return a data set as MLflow's input of a run."""
    digest = data.fingerprint.removeprefix("sha256:")[:36]  # as long as MLflow's column; the source has all of it
    source = json.dumps({"uri": data.source, "fingerprint": data.fingerprint})
    name = in_store([data.name])[data.name]
    described = mlflow.entities.Dataset(name, digest, data.kind, source, profile=json.dumps(dict(data.profile)))
    return mlflow.entities.DatasetInput(described, [mlflow.entities.InputTag("mlflow.data.context", "training")])


def files(uri: str, place: Path) -> Path:
    """Return the directory for files beside a SQLite store, as MLflow's own server would choose it; else `place`."""
    database = uris.file(uri)
    return place if database is None else database.parent / "mlruns"
