"""The columns of MLflow's run table: scores of runs, variants, trials and studies, named alike at every level."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from medcls.evaluation.metrics import metric as known_metric
from medcls.evaluation.spread import spread_of
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult

Ended = tuple[RunDir, RunResult]
"""A run's directory and its result."""

RANK = "rank/score"
"""The column by which variants and trials are sorted: pruned trials come after all others."""


def shown(metric: str) -> str:
    """Return a score's name in the run table; scores of single classes come behind the others, `recall/CLASS`."""
    return metric if metric == "gap" or "/" in metric else f"best/val_{metric}"


def of_run(run_dir: RunDir, result: RunResult) -> dict[str, float]:
    """Return a finished run's scores at its best epoch, and how long the run took.

    Args:
        run_dir: the run directory.
        result: of the run, which must have finished.
    """
    best = result.best_epoch
    assert best is not None
    columns: dict[str, float] = {}
    for name, values in run_dir.history().items():
        if name != "learning_rate":
            columns[f"best/{name}"] = values[best]
    for name, value in result.metrics.items():
        columns[shown(name)] = value
    return columns | {"best/epoch": best + 1, "epochs": result.epochs, "minutes": _minutes(run_dir)}


def of_group(runs: Sequence[Ended]) -> dict[str, float]:
    """Return the mean scores and epochs of the runs that finished, and how long all runs took together."""
    finished = [result for _, result in runs if result.is_finished]
    columns: dict[str, float] = {}
    for name in finished[0].metrics if finished else ():
        values = [result.metrics[name] for result in finished if name in result.metrics]
        if len(values) == len(finished):
            columns[shown(name)] = sum(values) / len(values)
    if finished:
        columns["epochs"] = sum(result.epochs for result in finished) / len(finished)
    columns["minutes"] = sum(_minutes(run_dir) for run_dir, _ in runs)
    return columns


def of_repeats(runs: Sequence[Ended], metric: str, repeats: int) -> dict[str, float]:
    """Return what a variant or trial shows: its mean scores, their spread over the repeats, and its rank.

    One value has no standard deviation, and equal ones have no interval.

    Args:
        runs: its seeds or folds, without a refit.
        metric: the score that decides which variant is best.
        repeats: how many seeds or folds a complete variant has.
    """
    finished = [result for _, result in runs if result.is_finished]
    columns = of_group(runs) | {"n": len(finished)}
    for name in finished[0].metrics if finished else ():
        values = [result.metrics[name] for result in finished if name in result.metrics]
        if len(values) < len(finished):
            continue
        spread = spread_of(values, known.ends) if (known := known_metric(name)) else spread_of(values)
        columns[f"mean/{name}"] = spread.mean
        if len(values) > 1:
            columns[f"sd/{name}"] = spread.sd
        if spread.ci95 is not None:
            columns[f"ci_low/{name}"], columns[f"ci_high/{name}"] = spread.ci95
    if f"mean/{metric}" in columns:
        columns[RANK] = columns[f"mean/{metric}"] - (0.0 if len(finished) >= repeats else 1.0)  # scores lie in 0 to 1
    return columns


def curves_of_repeats(runs: Sequence[Ended], metric: str) -> dict[str, tuple[float, ...]]:
    """Return the mean curves of a variant's seeds or folds; each epoch counts the repeats that reached it.

    The curve of the metric that decides has two more beside it, a standard deviation below and above.

    Args:
        runs: the seeds or folds, without a refit.
        metric: the score that decides which variant is best.
    """
    histories = [folder.history() for folder, result in runs if result.is_finished]
    curves: dict[str, tuple[float, ...]] = {}
    for name in histories[0] if histories else ():
        if name == "learning_rate":
            continue
        spreads = []
        for values in zip_longest(*(history.get(name, ()) for history in histories)):
            spreads.append(spread_of([value for value in values if value is not None]))
        curves[f"curve/{name}"] = tuple(spread.mean for spread in spreads)
        if name == f"val_{metric}" and len(histories) > 1:
            curves[f"curve_low/{name}"] = tuple(spread.mean - spread.sd for spread in spreads)
            curves[f"curve_high/{name}"] = tuple(spread.mean + spread.sd for spread in spreads)
    return curves


def of_best(mean_sd: Mapping[str, tuple[float, float]], repeats: int) -> dict[str, float]:
    """Return the best variant's mean scores and their standard deviations, which a single repeat has none of.

    The name of a deviation is the name of its score with "_sd" at the end. Where a score has that very name, as
    "dice_sd" over the images or the recall of a class called "x_sd", it ends with "_sd_over_repeats" instead.

    Args:
        mean_sd: the mean and the standard deviation of each metric.
        repeats: over how many folds or seeds.
    """
    scores: dict[str, float] = {}
    for name, (mean, _) in mean_sd.items():
        scores[shown(name)] = mean
    if repeats < 2:
        return scores
    deviations: dict[str, float] = {}
    for name, (_, sd) in mean_sd.items():
        ending = "_sd_over_repeats" if f"{shown(name)}_sd" in scores else "_sd"
        deviations[f"{shown(name)}{ending}"] = sd
    return scores | deviations


def _minutes(run_dir: RunDir) -> float:
    """Return how long the run trained in all, without the epochs that it copied from another run."""
    own = run_dir.held_rows()[run_dir.description().shared_epochs :]
    return float(sum(row.seconds for row in own)) / 60
