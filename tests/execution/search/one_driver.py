"""One driver of a search that others carry out too: `python one_driver.py URL FOLDER FOLDS_THEN_SLEEP`.

Its folds take a moment and score as a formula says; it prints the trials that it knows at its end.
"""

import dataclasses
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from medcls import Variant, data, training
from medcls.execution.search import storages
from medcls.execution.search.scheduler import SearchScheduler
from medcls.execution.search.trials import Trial
from medcls.execution.search.tuner import Tuner
from medcls.spec import Search, choice, floats, integers
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import RunStatus

SEARCH = Search(
    space={"x": floats(-4.0, 4.0), "n": integers(1, 9), "kind": choice("plain", training.balanced)},
    trials=16,
    startup=4,
    parallel=6,
)
VARIANT = Variant(data=data.xray, learner=training.gradient, task=MULTICLASS)
FOLDS, NAME, GRACE = 3, "shared", 3


def score(trial: Trial, fold: int) -> float:
    """Return the score of a trial's fold."""
    return 1 - (trial.labels["x"] - 1) ** 2 - 0.01 * trial.labels["n"] + 0.1 * fold - (trial.labels["kind"] == "plain")


def told(trial: Trial) -> dict[str, Any]:
    """Return what is the same of a trial, whoever carried it out."""
    return {name: value for name, value in dataclasses.asdict(trial).items() if name != "ours"}


def carry_out(agenda: SearchScheduler, judge: Tuner, pause: float, carried: Path) -> None:
    """Carry runs out, one at a time, until none will come; each is written to `carried` when it ends."""
    waiting: list[Run] = []
    while not agenda.done:
        waiting += agenda.next_runs()
        time.sleep(random.uniform(0.5, 1.5) * pause)
        if not waiting:
            continue
        run = waiting.pop(random.randrange(len(waiting)))
        trial = judge.trial(run.seed)
        metrics = {} if trial is None else {SEARCH.metric: score(trial, run.fold or 0)}
        with carried.open("a") as file:
            file.write(f"{run.seed} {run.fold}\n")
        agenda.on_run_end(run, RunResult(RunStatus.FINISHED, metrics=metrics))


def run_of(trial: Trial, fold: int) -> Run:
    """Return the run of a trial's fold."""
    return Run(VARIANT, "", seed=trial.number, fold=fold, folds=FOLDS)


def main(url: str, folder: Path, pause: float) -> None:
    """Carry the search out with the others."""
    storages.BEAT, storages.GRACE = 1, GRACE
    judge = Tuner(SEARCH, {}, storages.in_database(url, NAME, folder, "code"), most=2)
    with judge.at_work():
        carry_out(
            SearchScheduler(SEARCH, judge, run_of, FOLDS, None, lambda trial: None), judge, pause, folder / "runs"
        )
    print(json.dumps([told(trial) for trial in judge.trials()]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
