"""How far two values of a score can lie apart: a difference beyond that can never be found."""

import math

from medcls.evaluation import metrics
from medcls.evaluation.summary import StudySummary

MEASURES = ("accuracy", "dice")  # of which the gap between training and validation is a difference


def widest_difference(summary: StudySummary, score: str) -> float:
    """Return the largest difference of two values of a score that is possible in a study, infinity without a limit.

    Args:
        summary: of the study; it says how many epochs its runs have, and what their gap is a gap of.
        score: its name, as comparisons have it.
    """
    if score.startswith(metrics.EPOCHS_OF_A_CURVE):
        lengths = [len(curve) for run in summary.finished for curve in run.history.values()]
        return max(lengths) - 1.0 if lengths else math.inf
    if score == "gap":
        recorded = any(run.history.get(measure) for run in summary.finished for measure in MEASURES)
        return 2.0 if recorded else math.inf
    row = metrics.metric(score)
    return math.inf if row is None else row.ends[1] - row.ends[0]


def detectable(summary: StudySummary, score: str, least: float | None) -> float | None:
    """Return the smallest difference that a comparison could find, None where no possible difference is large enough.

    Args:
        summary: of the study.
        score: the name of the score that is compared.
        least: the smallest difference that would be found, whether it is possible or not; None where it is not known.
    """
    return None if least is None or least > widest_difference(summary, score) else least
