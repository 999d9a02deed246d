"""The best run's model, from its folder into the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcls.export import registry
from medcls.exporting import Chosen, gathered, loaded, papers


def crown(summary: Mapping[str, Any], data_name: str, work: Path, uri: str, run_id: str, name: str) -> str:
    """Register the best model of a data set as `name`@champion in the store at `uri`; return the version.

    Its preprocessing.json and model card lie beside it there.
    """
    key = summary["best"][data_name]["key"]
    chosen = Chosen(summary, next(run for run in summary["runs"] if run["key"] == key))
    network = loaded(chosen, work)
    facts = gathered(chosen, work, network)
    weights, epoch = chosen.run["weights_sha256"], chosen.run["best_epoch"]
    return registry.register(network, weights, uri, run_id, name, epoch, lambda folder: papers(facts, folder))
