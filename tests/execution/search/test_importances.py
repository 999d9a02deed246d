"""Which parameters of a search mattered is said of enough trials, and rightly."""

from typing import Any

import numpy as np
import optuna

from medcls.evaluation.best_answers import FEWEST_TRIALS
from medcls.execution.search.importances import importances

SPACE = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in ("decides", "idle")}


def trials(count: int, pruned: int = 0, *, flat: bool = False) -> list[Any]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(count + pruned):
        params = {name: float(rng.random()) for name in SPACE}
        state = optuna.trial.TrialState.PRUNED if number < pruned else optuna.trial.TrialState.COMPLETE
        value = 0.5 if flat else params["decides"]
        made.append(optuna.trial.create_trial(params=params, distributions=SPACE, value=value, state=state))
    return made


def test_the_parameter_that_decides_has_nearly_all_of_the_variance() -> None:
    shares = importances(trials(40))
    assert shares is not None
    assert shares["decides"] > 0.9
    assert abs(sum(shares.values()) - 1) < 1e-9


def test_few_trials_or_equal_ones_tell_nothing() -> None:
    assert importances(trials(FEWEST_TRIALS)) is not None
    assert importances(trials(FEWEST_TRIALS - 1, pruned=9)) is None
    assert importances(trials(40, flat=True)) is None
    assert importances([]) is None
