"""A study's results in Python, as tidy pandas tables: made from its summary alone, so that nothing is run for them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.summary import StudySummary
from medcls.report.study_report import REPORT
from medcls.tracking.outcomes import matching
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import matplotlib, pandas
from medcls.utils.paths import default_work_dir
from medcls.utils.typed_json import as_plain

WHICH = ("variant", "data", "seed", "fold")
"""The columns that say which run a row is of; a refit on all folds has no fold."""


@dataclass(frozen=True)
class StudyResult:
    """What a study has found, as tables.

    Attributes:
        found: the summary of the study; None where nothing was carried out, as with `plan=True`.
        report: the page of the study's report; None where there is none.
    """

    found: StudySummary | None
    report: Path | None = None

    @property
    def summary(self) -> dict[str, Any]:
        """All that was found, as `--json` writes it."""
        return {"runs": []} if self.found is None else self.found.as_plain()

    @cached_property
    def runs(self) -> "pandas.DataFrame":
        """A row for each run.

        Its columns say which run it is, whether it is a refit on all folds, how it ended, its final scores on the
        validation set, its scores on the test set where it was tested ("test_accuracy"), and the parameters of its
        variant by their paths ("learner.epochs"). Folds are counted from 0, as in the summary; `best_epoch`, the epoch
        that the run keeps, from 1.
        """
        if self.found is None:
            return pandas.DataFrame(columns=list(WHICH))
        tested = _test_scores(self.found)
        rows = []
        for run in self.found.runs:
            row = _row_of_run(run) | tested.get(run.key, {})
            rows.append(row | {path: value for path, value in run.params.items() if path not in row})
        return _frame(rows, WHICH)

    @cached_property
    def epochs(self) -> "pandas.DataFrame":
        """A row for each epoch of each run: `epoch`, counted from 1, and everything that was measured.

        `kept` says whether it is the epoch whose weights the run keeps.
        """
        rows: list[dict[str, Any]] = []
        for run in self.found.runs if self.found else ():
            count = max((len(curve) for curve in run.history.values()), default=0)
            for epoch in range(count):
                row = {**_which(run), "epoch": epoch + 1, "kept": epoch == run.best_epoch}
                for name, curve in run.history.items():
                    if epoch < len(curve):
                        row[name] = curve[epoch]
                rows.append(row)
        return _frame(rows, (*WHICH, "refit", "epoch", "kept"))

    @cached_property
    def trials(self) -> "pandas.DataFrame":
        """A row for each trial of a search: its state, how many folds have finished, their mean score, its parameters.

        The score is empty where a trial was pruned, as its mean is over fewer folds. Only a search has such rows.
        """
        rows: list[dict[str, Any]] = []
        folds = Counter(run.variant for run in self._repeats)
        for trial in (self.found.trials or ()) if self.found else ():
            score = {"state": str(trial.state), "folds": folds[f"trial {trial.number}"], "value": trial.value}
            rows.append({"trial": trial.number, **score, **trial.params})
        return _frame(rows, ("trial", "state", "folds", "value"))

    @cached_property
    def comparisons(self) -> "pandas.DataFrame":
        """A row for each comparison: variants, score, difference (b minus a), its interval, p and verdict."""
        rows: list[dict[str, Any]] = []
        for comparison in self.found.comparisons if self.found else ():
            row = as_plain(replace(comparison, ci95=(0.0, 0.0)))
            del row["ci95"]
            low, high = comparison.ci95
            has_interval = low < high
            row["ci_low"], row["ci_high"] = (low, high) if has_interval else (None, None)
            rows.append(row)
        return _frame(rows, ("data", "metric", "a", "b", "difference", "ci_low", "ci_high", "verdict"))

    @property
    def _repeats(self) -> list[RunRecord]:
        """The finished runs but the refits: the folds or seeds of the variants."""
        return [run for run in self.found.finished if not run.is_refit] if self.found else []

    def plot(self, metric: str = "val_loss") -> "matplotlib.figure.Figure":
        """Return a figure of a metric over the epochs: one line a run, one colour a variant.

        Raises:
            BadInputError: no such metric was measured.
        """
        epochs = self.epochs
        if metric not in epochs:
            measured = [name for name in epochs.columns if name not in (*WHICH, "refit", "epoch", "kept")]
            raise BadInputError(f"There is no {metric!r}: {', '.join(measured)} were measured.")
        drawn = matplotlib.figure.Figure(figsize=(7, 4), layout="constrained")
        axes = drawn.add_subplot(xlabel="epoch", ylabel=metric.replace("_", " "))
        for number, (variant, of_variant) in enumerate(epochs.groupby("variant", sort=False)):
            for _, of_run in of_variant.groupby(["data", "seed", "fold"], dropna=False):
                axes.plot(of_run["epoch"], of_run[metric], color=f"C{number}", label=variant)
        lines = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(lines.values(), lines.keys())
        return drawn


def results(name: str, work_dir: str | Path | None = None) -> StudyResult:
    """Return what a study has found, from its outcome in a work directory; nothing is run.

    Args:
        name: of the study, e.g. "bonus_resnet", or of its outcome on one data set, e.g. "bonus_resnet@my_images".
        work_dir: the work directory; the default is `mlruns/runs` in the repository.

    Raises:
        BadInputError: the study has no outcome there.
    """
    work = default_work_dir() if work_dir is None else Path(work_dir)
    outcome = matching(name, work)[0]
    return StudyResult(outcome.asked_by(name), outcome.folder / REPORT)


def _which(run: RunRecord) -> dict[str, Any]:
    return {"variant": run.variant, "data": run.data, "seed": run.seed, "fold": run.fold, "refit": run.is_refit}


def _row_of_run(run: RunRecord) -> dict[str, Any]:
    best_epoch = None if run.best_epoch is None else run.best_epoch + 1
    described = {
        "status": str(run.status),
        "epochs": run.epochs,
        "best_epoch": best_epoch,
        "seconds_per_epoch": run.seconds_per_epoch,
        "parameters": run.parameters.get("total"),
        "key": run.key,
        "mlflow_run_id": run.mlflow_run_id,
        "error": run.error,
    }
    return _which(run) | described | dict(run.metrics)


def _test_scores(summary: StudySummary) -> dict[str, dict[str, float]]:
    """Return the scores on the test set of the runs that were tested, by key: the best variant's repeats and refit."""
    scores: dict[str, dict[str, float]] = {}
    for data, best in summary.best.items():
        repeats = list(run_scores.finished(summary, data, best.variant).values())
        for metric, values in best.tested.items():
            if len(values) == len(repeats):
                for run, value in zip(repeats, values, strict=True):
                    scores.setdefault(run.key, {})[f"test_{metric}"] = value
        for metric, score in (best.test or {}).items():
            scores.setdefault(best.key, {})[f"test_{metric}"] = score.value
    return scores


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "pandas.DataFrame":
    """Return rows as a table, with these columns even if there are no rows; whole numbers that may lack stay whole."""
    frame = pandas.DataFrame(list(rows)) if rows else pandas.DataFrame(columns=list(columns))
    for name in ("fold", "best_epoch", "parameters"):
        if name in frame:
            frame[name] = frame[name].astype("Int64")
    return frame
