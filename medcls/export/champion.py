"""The best model of a study: how it scored, and its registration in MLflow."""

from pathlib import Path

from medcls.evaluation.summary import StudySummary
from medcls.export.exporter import Chosen, gathered, loaded, papers
from medcls.export.registry import Standing, meaning, register


def standing(summary: StudySummary, data_name: str) -> Standing:
    """Return how the best model of a data set scored, for the comparison with the champion."""
    best, chosen = summary.best[data_name], _chosen(summary, data_name)
    weights, answers = chosen.run.weights_sha256, meaning(chosen.data.classes)
    return Standing(weights, best.metric, best.value, chosen.data.fingerprint, summary.smoke, answers)


def register_best(summary: StudySummary, data_name: str, work: Path, uri: str, run_id: str, name: str) -> None:
    """Register the best model of a data set as a version of `name` in the store at `uri`.

    Its preprocessing.json and model card are stored with it.
    """
    chosen = _chosen(summary, data_name)
    network = loaded(chosen, work)
    facts = gathered(chosen, work, network)
    new, epoch = standing(summary, data_name), chosen.run.best_epoch or 0
    register(network, new, uri, run_id, name, epoch, lambda folder: papers(facts, folder))


def _chosen(summary: StudySummary, data_name: str) -> Chosen:
    return Chosen(summary, summary.run(summary.best[data_name].key))
