"""What MLflow says of a variant or trial in a few words: how it compares with the others."""

from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.metrics import digits, words
from medcls.evaluation.summary import StudySummary, TrialRecord
from medcls.evaluation.verdict import Verdict
from medcls.evaluation.wording import number, p_value
from medcls.utils.statuses import TrialState


def of_variant(summary: StudySummary, data: str, variant: str) -> str:
    """Return the verdicts on a variant against those that it was compared with.

    Args:
        summary: what the study found.
        data: the name of the data set.
        variant: the name of the variant.
    """
    rows = [row for row in summary.comparisons if row.data == data]
    verdicts = [_compared(row, rows) for row in rows if row.b == variant]
    if verdicts:
        return "; ".join(dict.fromkeys(verdicts))
    return "reference" if any(row.a == variant for row in rows) else "not compared"


def of_trial(trial: TrialRecord, folds: int, best: float | None) -> str:
    """Return how a trial ended, and how far its score is from that of the best.

    Args:
        trial: of the search.
        folds: on how many folds it was scored.
        best: the score of the best trial, None if no trial was completed.
    """
    if trial.state == TrialState.PRUNED:
        return f"pruned after {folds} {'fold' if folds == 1 else 'folds'}"
    if trial.value is None or best is None:
        return str(trial.state)
    return "the best" if trial.value == best else f"{best - trial.value:.3f} below the best"


def _compared(row: Comparison, rows: list[Comparison]) -> str:
    """Return a verdict with its numbers: "better than plain: +0.031 [+0.012, +0.050], p = 0.016"."""
    if row.verdict == Verdict.ONE_RUN or row.n == 0:
        return f"{row.verdict}, against {row.a}"
    count, (low, high) = digits(row.metric), row.ci95
    preposition = "from" if row.verdict == Verdict.UNDECIDED else "than"
    sentence = f"{row.verdict} {preposition} {row.a}: {number(row.difference, count, signed=True)}"
    if low < high:
        sentence += f" [{number(low, count, signed=True)}, {number(high, count, signed=True)}]"
    if row.p_adjusted is not None:
        sentence += f", p {p_value(row.p_adjusted, '= ')}"
    several = len({other.metric for other in rows}) > 1
    return f"{sentence} ({words(row.metric)})" if several else sentence
