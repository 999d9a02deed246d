"""The trials of a search with their scores over the folds, the best first: for tables and figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medcls.evaluation import run_scores
from medcls.evaluation.run_record import RunRecord, Scalar
from medcls.evaluation.summary import BestRecord, StudySummary, TrialRecord
from medcls.utils.statuses import TrialState


@dataclass(frozen=True)
class ScoredTrial:
    """A trial of a search.

    Attributes:
        number: from 0 on.
        state: how far it has come.
        mean: its mean score over the folds that finished, None where none did.
        sd: the standard deviation over the folds, None for fewer than two.
        runs: of its folds that have finished here; none where another command has carried the trial out.
        params: dotted path -> what was proposed.
        is_best: whether it is the study's best.
    """

    number: int
    state: TrialState
    mean: float | None
    sd: float | None
    runs: tuple[RunRecord, ...]
    params: Mapping[str, Scalar]
    is_best: bool

    @property
    def is_complete(self) -> bool:
        """Whether all its folds were trained."""
        return self.state == TrialState.COMPLETE and self.mean is not None


def search_metric(summary: StudySummary) -> str:
    """Return the name of the score by which a search chooses, "score" where nothing was chosen."""
    return next((best.metric for best in summary.best.values()), "score")


def scored_trials(summary: StudySummary) -> list[ScoredTrial]:
    """Return the trials of a search: the complete ones, the best first, then those that ended early."""
    data = summary.data_sets[0].name  # a search has one
    best = summary.best.get(data)
    scored = [_scored(summary, data, best, trial) for trial in summary.trials or ()]
    return sorted(scored, key=_rank)


def _scored(summary: StudySummary, data: str, best: BestRecord | None, trial: TrialRecord) -> ScoredTrial:
    """Return a trial with its scores.

    Args:
        summary: of the search.
        data: the name of its data set.
        best: its best variant, None where no trial is complete.
        trial: one of its trials.
    """
    name = f"trial {trial.number}"
    runs = tuple(run_scores.finished(summary, data, name).values())
    scores = [run.metrics[best.metric] for run in runs if best is not None and best.metric in run.metrics]
    mean = trial.value
    if mean is None and scores:
        mean = float(np.mean(scores))
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    is_best = best is not None and best.variant == name
    return ScoredTrial(trial.number, trial.state, mean, sd, runs, trial.params, is_best)


def _rank(trial: ScoredTrial) -> tuple[bool, bool, float, int]:
    return not trial.is_complete, trial.mean is None, -(trial.mean or 0.0), trial.number
