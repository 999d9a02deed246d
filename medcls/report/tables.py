"""The tables of a finished study, made once from its summary: for the terminal, the HTML page and the MLflow note."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medcls.evaluation import ranges, run_scores
from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.metrics import digits, missing, words
from medcls.evaluation.run_record import RunRecord, Scalar
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import AnswerRecord, BestRecord, StudySummary
from medcls.evaluation.trial_scores import ScoredTrial, scored_trials, search_metric
from medcls.evaluation.wording import counted, mean_sd, number, p_value
from medcls.utils.errors import BadInputError

VERDICT = "verdict"
BESIDE = ("val_accuracy", "val_dice", "gap")  # scores of trials beside the one that decides
FUNCTION = re.compile(r"(?:augmentation|data|explain|losses|models|tasks|training)\.(\w+)")


@dataclass(frozen=True)
class Table:
    """A table of finished cells.

    Attributes:
        title: for where tables have titles.
        columns: their names.
        rows: one text a column.
        texts: the names of the columns that hold words, beside the first; all others hold numbers.
        strong: (row, column) of the cells that a verdict singles out.
        best: the first cell of the row of the best, "" where none is.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: frozenset[str] = frozenset()
    strong: frozenset[tuple[int, int]] = frozenset()
    best: str = ""

    def transposed(self, most: int) -> "Table":
        """Return the first rows, at most so many, as columns, without the columns of words: for narrow screens."""
        rows = self.rows[:most]
        lines = []
        for place, column in enumerate(self.columns[1:], start=1):
            if column not in self.texts:
                lines.append((column, *(row[place] for row in rows)))
        return Table(self.title, ("", *(f"{self.columns[0]} {row[0]}" for row in rows)), tuple(lines))


def answer(record: AnswerRecord) -> Table | None:
    """Return the answer to a question as a table, None where it is a sentence."""
    if record.table is None:
        return None
    texts = frozenset({"variant"} & set(record.table.columns[1:]))  # beside the data set
    return Table(record.question, record.table.columns, record.table.rows, texts)


def repeats(summary: StudySummary) -> str:
    """Return what a study repeats its runs over: "folds" or "seeds"."""
    return "folds" if summary.has_folds else "seeds"


def is_repeated(summary: StudySummary) -> bool:
    """Tell whether there is more than one finished run of a variant on a data set, so that means have a spread."""
    for data in summary.data_sets:
        for variant in run_scores.variants(summary, data.name):
            if len(run_scores.finished(summary, data.name, variant)) > 1:
                return True
    return False


def trials(summary: StudySummary) -> Table | None:
    """Return a search's trials with their mean scores, the best first; None without a search.

    Trials that were pruned come behind those with all their folds, with the mean of the folds that they have.
    """
    if not summary.trials:
        return None
    ranked, metric = scored_trials(summary), search_metric(summary)
    paths: dict[str, None] = {}
    for trial in ranked:
        paths |= dict.fromkeys(trial.params)
    columns = {f"mean {words(metric)}": [_mean_of(trial) for trial in ranked]}
    for score in BESIDE:
        cells = [_mean(score, trial.runs, intervals=False) for trial in ranked]
        if score != f"val_{metric}" and any(cells):
            columns[words(score)] = cells
    rows = []
    for place, trial in enumerate(ranked):
        scores = [cells[place] for cells in columns.values()]
        proposed = [short(trial.params.get(path)) for path in paths]
        rows.append((str(trial.number), str(trial.state), str(len(trial.runs) or ""), *scores, *proposed))
    pruned = sum(trial.state == "pruned" for trial in ranked)
    title = f"The best of {len(ranked)} trials ({pruned} pruned), over the folds"
    heads = ("trial", "state", "folds", *columns, *(path.removeprefix("learner.") for path in paths))
    best = next((str(trial.number) for trial in ranked if trial.is_best), "")
    return Table(title, heads, tuple(rows), frozenset({"state"}), best=best)


def _mean_of(trial: ScoredTrial) -> str:
    """Return the mean score of a trial with its standard deviation over the folds."""
    if trial.mean is None:
        return ""
    return number(trial.mean) if trial.sd is None else f"{number(trial.mean)} ± {trial.sd:.3f}"


def variants(summary: StudySummary, data: str, scores: Sequence[str], *, intervals: bool = False) -> Table:
    """Return the means of the variants on one data set, each with its standard deviation or its 95% interval.

    Args:
        summary: what the study ended with.
        data: the name of the data set.
        scores: the columns, of which those are left out that no variant has.
        intervals: whether the means have their 95% t intervals over the repeats instead of standard deviations.
    """
    runs = {}
    for name in run_scores.variants(summary, data):
        runs[name] = list(run_scores.finished(summary, data, name).values())
    columns = {}
    for score in scores:
        cells = [_mean(score, of_variant, intervals=intervals) for of_variant in runs.values()]
        if any(cells):
            columns[words(score)] = cells
    rows = []
    for place, (name, of_variant) in enumerate(runs.items()):
        rows.append((name, counted(of_variant), *(cells[place] for cells in columns.values())))
    spread = "mean [95% interval]" if intervals else "mean ± standard deviation"
    has_several = any(len(of_variant) > 1 for of_variant in runs.values())
    shown = f"{spread} over the {repeats(summary)}" if has_several else "one run of each"
    best = summary.best.get(data)
    return Table(
        f"Variants on {data}: {shown}",
        ("variant", "runs", *columns),
        tuple(rows),
        best="" if best is None else best.variant,
    )


def _mean(name: str, runs: Iterable[RunRecord], *, intervals: bool) -> str:
    """Return a score's mean with its deviation or interval, the mean alone of a single value, "" of none."""
    score = run_scores.score(name)
    values = run_scores.values(runs, score)
    if not values:
        return ""
    spread = spread_of(values, score.ends)
    if len(values) < 2 or (intervals and spread.ci95 is None):
        return number(spread.mean)
    if not intervals or spread.ci95 is None:
        return f"{number(spread.mean)} ± {spread.sd:.3f}"
    low, high = spread.ci95
    return f"{number(spread.mean)} [{number(low)}, {number(high)}]"


def compared_by(summary: StudySummary, metric: str | None) -> Sequence[Comparison]:
    """Return the comparisons of a study by one score, all of them for None.

    Raises:
        BadInputError: the study compares nothing by this score.
    """
    rows = [row for row in summary.comparisons if metric in (None, row.metric)]
    if metric is not None and not rows:
        compared = list(dict.fromkeys(row.metric for row in summary.comparisons))
        recorded = [*compared, *run_scores.names(summary)]
        why = "" if metric in recorded else f"{missing(metric, recorded)} "
        raise BadInputError(f"--metric {metric}: {why}{summary.study} compares by {', '.join(compared) or 'none'}.")
    return rows


def test_scores(data: str, best: BestRecord) -> Table | None:
    """Return the scores of the best variant on a data set's test set; None where there is no test set."""
    if not best.test:
        return None
    over, model = ("folds", "refit") if best.folds else ("seeds", "best run")
    has_one = not any(sd for _, sd in best.mean_sd.values()) and all(len(of) < 2 for of in best.tested.values())
    rows = []
    for metric, score in best.test.items():
        repeated = mean_sd(*best.mean_sd[metric]) if metric in best.mean_sd else ""
        ensemble = (best.ensemble or {}).get(metric)
        low, high = score.ci95
        interval, together = f"{low:.3f} to {high:.3f}", "" if ensemble is None else f"{ensemble.value:.3f}"
        rows.append((words(metric), repeated, f"{score.value:.3f}", interval, together))
    if has_one:
        title = f"{best.variant} on {data}: one run, on the validation set and on the test set"
        return Table(title, ("metric", "validation set", "test set", "95% interval"), tuple(row[:-1] for row in rows))
    title = f"{best.variant} on {data}: {over} (mean ± sd), then {model} and {over}' ensemble on the test set"
    return Table(title, ("metric", over, "test set", "95% interval", "ensemble"), tuple(rows))


test_scores.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's


def comparisons(summary: StudySummary, rows: Sequence[Comparison]) -> Table | None:
    """Return some of a study's comparisons; None for none."""
    if not rows:
        return None
    several = len(summary.data_sets) > 1
    cells = []
    for row in rows:
        name = f"{row.b} vs {row.a} on {row.data}" if several else f"{row.b} vs {row.a}"
        count, (low, high) = digits(row.metric), row.ci95
        least = ranges.detectable(summary, row.metric, row.detectable)  # older summaries know no limit
        cells.append(
            (
                name,
                str(row.verdict),
                words(row.metric),
                number(row.difference, count, signed=True) if row.n else "",
                f"{number(low, count, signed=True)} to {number(high, count, signed=True)}" if low < high else "",
                p_value(row.p_adjusted),
                str(row.n),
                "" if least is None else f"{least:.{count}f}",
            )
        )
    columns = ("compared", VERDICT, "score", "difference", "95% interval", "adjusted p", "pairs", "detectable")
    title = f"Comparisons, paired by {'fold' if summary.has_folds else 'seed'}"
    return Table(title, columns, tuple(cells), frozenset({VERDICT, "score"}))


def plain(value: Scalar) -> str:
    """Return a parameter's value as a table has it, "" for None; a function of ours as a search spells it, `cosine`."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    function = FUNCTION.fullmatch(str(value))
    return function[1] if function else str(value)


def short(value: Scalar) -> str:
    """Return a proposed value in three digits."""
    return f"{value:.3g}" if isinstance(value, float) else plain(value)
