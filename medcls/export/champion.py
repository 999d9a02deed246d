"""The best model of a study: how it scored, and its registration in MLflow."""

from pathlib import Path

from medcls.export.exporter import best_run, gathered, loaded, papers
from medcls.export.registry import Standing, meaning, register
from medcls.tracking.outcomes import Outcome


def standing(outcome: Outcome) -> Standing:
    """Return how the best model of an outcome scored, for the comparison with the champion."""
    chosen = best_run(outcome)
    best, data = chosen.outcome.best, chosen.data
    assert best is not None
    return Standing(
        chosen.run.weights_sha256,
        best.metric,
        best.value,
        data.fingerprint,
        outcome.summary.smoke,
        meaning(data.classes),
    )


def register_best(outcome: Outcome, work: Path, uri: str, run_id: str, name: str) -> None:
    """Register the best model of an outcome as a version of `name` in the store at `uri`.

    Its preprocessing.json and model card are stored with it.

    Args:
        outcome: of the study.
        work: the work directory.
        uri: of the MLflow store.
        run_id: of the MLflow run that the model is logged with.
        name: of the registered model.
    """
    chosen = best_run(outcome)
    network = loaded(chosen, work)
    facts = gathered(chosen, work, network)
    new, epoch = standing(outcome), chosen.run.best_epoch or 0
    register(network, new, uri, run_id, name, epoch, lambda folder: papers(facts, folder))
