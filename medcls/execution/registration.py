"""The registration of a study's best models in MLflow: one a data set, one of which is the study's own champion."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from medcls.evaluation.summary import StudySummary
from medcls.execution.controller import RunController
from medcls.execution.selection import BestModel
from medcls.export.champion import place_best, register_best
from medcls.export.model_names import data_models, own_name, study_model
from medcls.export.registry import Place, followed
from medcls.tracking.outcomes import Outcome
from medcls.tracking.store_errors import sentence


@dataclass(frozen=True)
class Candidate:
    """A best model that is to be registered.

    Attributes:
        best: the model.
        outcome: of the study on the model's data set.
        name: of the registered model of this study and data set.
        study_name: of the registered model that holds the study's own champion.
        leads: whether it is to be the study's own champion, too.
    """

    best: BestModel
    outcome: Outcome
    name: str
    study_name: str
    leads: bool

    def in_store(self, uri: str) -> "Candidate":
        """Return the candidate with the names that it has in a store, where others may have the usual ones."""
        study, data = self.outcome.summary.study, self.outcome.data.name
        own = own_name(uri, self.study_name, study) if self.leads else self.study_name
        return replace(self, name=own_name(uri, self.name, study, data), study_name=own)


def register_models(
    controller: RunController, best: Mapping[str, BestModel | None], summary: StudySummary, *, promote: bool
) -> list[str]:
    """Register the best models of a study in MLflow, as champions where none is better; return what to say.

    Args:
        controller: of the study's runs.
        best: data set -> its best model, None where no variant was finished.
        summary: what the study found.
        promote: whether they become champions even if the current ones score higher.
    """
    with ThreadPoolExecutor(controller.executor.slots) as registrars:
        register = partial(_register, controller, promote=promote)
        return list(registrars.map(register, _candidates(controller, best, summary)))


def _candidates(
    controller: RunController, best: Mapping[str, BestModel | None], summary: StudySummary
) -> list[Candidate]:
    """Return the best models of images, as nobody predicts points later.

    The one on real images leads the study; of several alike none does.
    """
    written, folder = time.time(), controller.work.study(controller.mirroring.study)
    models, outcomes = [], []
    for data_name, model in best.items():
        if model is not None and controller.sources.by_name[data_name].bundle.size:
            models.append(model)
            outcomes.append(Outcome(written, folder, summary, summary.data_set(data_name)))
    candidates = []
    for model, outcome, name in zip(models, outcomes, data_models(outcomes), strict=True):
        candidates.append(Candidate(model, outcome, name, study_model(summary.study), _leads(outcome, outcomes)))
    return candidates


def _leads(outcome: Outcome, outcomes: Sequence[Outcome]) -> bool:
    return all(outcome.rank < other.rank for other in outcomes if other != outcome)


def _register(controller: RunController, candidate: Candidate, *, promote: bool) -> str:
    """Register a best model; return what to say.

    Args:
        controller: of the study's runs.
        candidate: the model.
        promote: whether it becomes champion even if the current one scores higher.
    """
    best, mirror = candidate.best, controller.mirroring.mirror
    record = controller.records_of(best.run)[0]
    unsaved = record.result.unsaved
    if unsaved or mirror is None:
        return f"The best model, {best.run.variant_name}, is not registered: {unsaved}."
    outcome, uri = candidate.outcome, mirror.store.uri
    own: Place | None = None
    try:
        named = candidate.in_store(uri)
        name = named.name
        place = place_best(outcome, uri, name, promote=promote)
        if place is None:
            run_id = controller.mirroring.run_id(best.run, record.parent)
            controller.executor.ask(register_best, outcome, controller.work.path, uri, run_id, name)
            place = place_best(outcome, uri, name, promote=promote)
        if candidate.leads:
            own = followed(uri, name, named.study_name, promote=promote)
    except Exception as error:  # noqa: BLE001 - a store that is lost now costs no result
        return f"The best model was not registered ({sentence(error, uri)}). Run the same command again."
    assert place is not None
    return _sentence(named, place, own) + _on_names(candidate, named)


def _sentence(candidate: Candidate, place: Place, own: Place | None) -> str:
    """Return what to say about a model that is registered.

    Args:
        candidate: the model.
        place: its place under the name of study and data set.
        own: the place of this data set's champion under the study's own name, None if it has none.
    """
    name, study = candidate.name, candidate.study_name
    if place.reason:
        told = (
            f"The best model is registered as version {place.version} of {name}; the champion is still version "
            f"{place.champion} ({place.reason})."
        )
    elif own is not None and not own.reason:
        told = f"The best model is registered as {study}@champion and as {name}@champion."
    else:
        told = f"The best model is registered as {name}@champion."
    if own is not None and own.reason:
        told += f" {study}@champion is still another model ({own.reason})."
    if place.can_be_promoted or (own is not None and own.can_be_promoted):
        told += " Run the same command with --promote to make this version the champion."
    return told


def _on_names(usual: Candidate, named: Candidate) -> str:
    """Return a sentence on each usual name that another outcome's models have, with a blank before it.

    Args:
        usual: the candidate with the usual names.
        named: the candidate with the names that it has in the store.
    """
    said = ""
    for name, own in ((usual.name, named.name), (usual.study_name, named.study_name)):
        if own != name:
            said += f" {name} holds models of another outcome."
    return said
