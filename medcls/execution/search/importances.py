"""Which parameters of a search mattered: their shares of the variance of the trials' scores."""

import warnings
from collections.abc import Sequence
from typing import Any

from medcls.evaluation.best_answers import FEWEST_TRIALS
from medcls.utils.lazy import optuna


def importances(trials: Sequence[Any]) -> dict[str, float] | None:
    """Return the share of each parameter by fANOVA (Hutter et al. 2014); None from too few or equal trials.

    Args:
        trials: of Optuna; only complete ones count, and only parameters that all of these have.
    """
    complete = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if len(complete) < FEWEST_TRIALS or len({trial.value for trial in complete}) < 2:
        return None
    study = optuna.create_study(direction="maximize", study_name="search")
    study.add_trials(complete)
    judge = optuna.importance.FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna marks some of its parts as experimental
        shares: dict[str, float] = optuna.importance.get_param_importances(study, evaluator=judge)
    return shares
