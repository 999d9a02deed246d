"""The best models of a study: how they scored, and their registration."""

from pathlib import Path

from medcls.export.exporter import best_run, gathered, loaded, papers
from medcls.export.registered_note import registered_note
from medcls.export.registry import Place, placed, register
from medcls.export.standing import Standing, as_written, meaning
from medcls.tracking.outcomes import Outcome


def standing(outcome: Outcome) -> Standing:
    """Return how the best model of an outcome scored, for the comparison with the champion."""
    chosen = best_run(outcome)
    best, data = chosen.outcome.best, chosen.data
    assert best is not None
    return Standing(
        weights_sha256=chosen.run.weights_sha256,
        metric=best.metric,
        value=best.value,
        fingerprint=data.fingerprint,
        smoke=outcome.summary.smoke,
        answers=meaning(data.classes),
        study=outcome.summary.study,
        data=data.name,
        kind=data.kind,
        written=as_written(outcome.written),
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


def place_best(outcome: Outcome, uri: str, name: str, *, promote: bool) -> Place | None:
    """Give the registered best model of an outcome its description and, if none is better, the alias.

    This imports no TensorFlow. It returns None if the model is not registered yet.

    Args:
        outcome: of the study.
        uri: of the MLflow store.
        name: of the registered model.
        promote: whether it becomes champion even if the current one scored higher.
    """
    return placed(uri, name, standing(outcome), promote=promote, note=registered_note(best_run(outcome)))
