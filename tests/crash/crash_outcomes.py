"""What a command leaves behind, without what no two commands have in common: times, places, identities."""

import hashlib
import importlib
import json
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from crash_commands import Command
from numpy.typing import NDArray

from medcls.execution.search.storages import remembered
from medcls.tracking.run_dir import RunDir
from medcls.training.saved_weights import content, digest

DIFFERENT = (
    "command",
    "wall_seconds",
    "git_commit",
    "git_dirty",
    "environment",
    "reused",
    "mlflow_run_id",
    "store",
    "created",
    "started",
    "ended",
    "seconds",
    "seconds_per_epoch",
)
OWN_TAGS = ("medcls.study_run", "medcls.written")  # of times
UNIQUE = re.compile(r"([+%])timestamp\1\d+\1[0-9a-f-]+")  # in the names of logged images


def summary(command: Command) -> Any:
    """Return the summary."""
    return _timeless(json.loads(command.summary.read_text()))


def run_folders(command: Command) -> dict[str, Any]:
    """Return each run's description, history, result and last state by key."""
    return {path.parent.name: _run(RunDir(path.parent)) for path in sorted(command.work.glob("*/run.json"))}


def trials(command: Command) -> list[Any]:
    """Return the search's trials."""
    (log,) = command.work.glob("studies/*/search.log")
    return list(remembered(log.parent))


def store(command: Command) -> dict[str, Any]:
    """Return what the MLflow store shows, by the identity of its nodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow's own libraries say of each other
        return _store(importlib.import_module("mlflow").MlflowClient(command.store))


def _store(client: Any) -> dict[str, Any]:
    nodes: dict[str, Any] = {}
    for experiment in client.search_experiments():
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        names = {run.info.run_id: _place(run.data.tags["medcls.node"]) for run in runs}
        assert len(set(names.values())) == len(runs), "a node is there twice"
        nodes |= {names[run.info.run_id]: _node(client, run, names) for run in runs}
    return {"nodes": nodes, "models": list(_models(client))}


def _place(identity: str) -> str:
    """Return where a node stands in its study, which bears another name in each work folder."""
    return "/".join(["study", *identity.split("/")[1:]])


def _models(client: Any) -> Iterator[tuple[str, str, dict[str, str], dict[str, str]]]:
    for model in client.search_registered_models():
        for each in client.search_model_versions(f"name='{model.name}'"):
            tags = _lasting(client.get_model_version(model.name, each.version).tags)
            yield model.name, each.version, tags, model.aliases


def _lasting(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags that every command that ends alike sets alike."""
    changing = ("mlflow.", "medcls.git")
    return {name: tag for name, tag in tags.items() if name not in OWN_TAGS and not name.startswith(changing)}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if name not in DIFFERENT}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def _run(folder: RunDir) -> dict[str, Any]:
    epochs, state, arrays = folder.read_checkpoint()
    result = folder.result()
    return {
        "description": _timeless(folder.description().as_record()),
        "result": None if result is None else _timeless(result.as_record()),
        "journal": [(row.epoch, row.metrics) for row in folder.rows()],
        "epochs": epochs,
        "state": state,
        "arrays": {name: _bits(array) for name, array in arrays.items()},
        "predictions": {name: _bits(array) for name, array in (folder.read_arrays("predictions") or {}).items()},
        "network": digest(content(folder.model)),
        "litter": sorted(path.name for path in folder.path.glob(".*")),
    }


def _bits(array: NDArray[Any]) -> tuple[str, tuple[int, ...], str]:
    """Return what arrays that are the same to the bit have in common, short enough to be read where they differ."""
    return str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def _node(client: Any, run: Any, names: dict[str, str]) -> dict[str, Any]:
    tags = _lasting(run.data.tags)
    tags["medcls.node"] = _place(tags["medcls.node"])
    metrics: dict[str, Any] = defaultdict(list)
    for name in run.data.metrics:
        timed = name in ("seconds", "minutes") or name.startswith("system/")
        for each in client.get_metric_history(run.info.run_id, name):
            metrics[name].append((each.step, None if timed else each.value))
    return {
        "status": run.info.status,
        "parent": names.get(run.data.tags.get("mlflow.parentRunId", "")),
        "tags": tags,
        "parameters": run.data.params,
        "metrics": {name: sorted(values) for name, values in metrics.items()},
        "inputs": [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs],
        "artifacts": sorted({UNIQUE.sub("", file) for file in _artifacts(client, run.info.run_id)}),
    }


def _artifacts(client: Any, run_id: str, folder: str | None = None) -> list[str]:
    found = []
    for each in client.list_artifacts(run_id, folder):
        found += _artifacts(client, run_id, each.path) if each.is_dir else [each.path]
    return found
