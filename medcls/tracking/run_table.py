"""What the store's run table shows of runs, trials and studies: single values, named alike at every level."""

from collections.abc import Mapping, Sequence
from typing import Any

from medcls.tracking.run_dir import RunDir

Ended = tuple[RunDir, Mapping[str, Any]]
"""A run's folder and its result."""


def shown(metric: str) -> str:
    """Return a score's name in the run table."""
    return metric if metric == "gap" else f"best/val_{metric}"


def of_run(folder: RunDir, result: Mapping[str, Any]) -> dict[str, float]:
    """Return a finished run's scores at the epoch that it keeps, and what it cost."""
    history, best = folder.history(), result["best_epoch"]
    scores = {f"best/{name}": values[best] for name, values in history.items() if name != "learning_rate"}
    scores |= {shown(name): value for name, value in result["metrics"].items()}
    return scores | {"best/epoch": best + 1, "epochs": result["epochs"], "minutes": _minutes(folder)}


def of_group(runs: Sequence[Ended]) -> dict[str, float]:
    """Return the mean scores and epochs of the runs that finished, and what all of them cost."""
    finished = [result for _, result in runs if result["status"] == "finished"]
    scores = [{shown(name): value for name, value in each["metrics"].items()} for each in finished]
    scores = [each | {"epochs": result["epochs"]} for each, result in zip(scores, finished, strict=True)]
    names = [name for name in (scores[0] if scores else {}) if all(name in each for each in scores)]
    means = {name: sum(each[name] for each in scores) / len(scores) for name in names}
    return means | {"minutes": sum(_minutes(folder) for folder, _ in runs)}


def of_best(mean_sd: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return the best variant's mean scores and their standard deviations over the repeats.

    A deviation is called as its score with "_sd" at the end; where a score has that very name, as "dice_sd" over the
    images or the recall of a class called "x_sd", with "_sd_over_repeats".
    """
    scores = {shown(name): mean for name, (mean, _) in mean_sd.items()}
    deviations = {}
    for name, (_, sd) in mean_sd.items():
        ending = "_sd_over_repeats" if f"{shown(name)}_sd" in scores else "_sd"
        deviations[f"{shown(name)}{ending}"] = sd
    return scores | deviations


def _minutes(folder: RunDir) -> float:
    """Return how long the run trained in all, without the epochs that it took over from another."""
    own = folder.held_rows()[folder.description().get("shared_epochs", 0) :]
    return float(sum(row["seconds"] for row in own)) / 60
