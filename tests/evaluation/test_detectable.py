"""No difference is called detectable that the score cannot have."""

from dataclasses import replace
from typing import Any

import pytest
from typed_summaries import answered, typed

from medcls.evaluation.answers import Answer, compare, converges
from medcls.evaluation.summary import StudySummary
from medcls.report import tables


def run(variant: str, seed: int, curve: list[float]) -> dict[str, Any]:
    """Return a run whose training accuracy follows a curve and whose validation accuracy stays."""
    history = {"accuracy": curve, "val_accuracy": [0.5] * len(curve), "loss": [5 * value for value in curve]}
    return {
        "data": "skin",
        "variant": variant,
        "seed": seed,
        "best_epoch": len(curve) - 1,
        "metrics": {"gap": curve[-1] - 0.5},
        "history": history,
    }


def compared(question: Answer) -> StudySummary:
    """Return two variants over two seeds, one of which says the contrary of the other."""
    curves = {"a": ([0.1, 0.2, 0.9], [0.9, 0.1, 0.0]), "b": ([0.9, 0.2, 0.1], [0.1, 0.2, 0.9])}
    runs = [run(variant, seed, curves[variant][seed]) for variant in curves for seed in (0, 1)]
    return answered(typed({"data_sets": [{"name": "skin"}], "runs": runs}), [question])


@pytest.mark.parametrize(
    "question", [compare("a", "b", "accuracy"), compare("a", "b", "gap"), converges("a", "b", "accuracy")]
)
def test_a_difference_beyond_the_score_is_not_called_detectable(question: Answer) -> None:
    summary = compared(question)
    (row,) = summary.comparisons
    assert row.n == 2
    assert row.ci95[0] < row.ci95[1]
    assert row.detectable is None
    assert "no difference that is possible would be found" in summary.answers[0].answer
    assert "detectable" not in summary.answers[0].answer
    older = tables.comparisons(summary, [replace(row, detectable=17.5)])
    assert older is not None
    assert older.rows[0][older.columns.index("detectable")] == ""


def test_a_score_without_a_limit_has_a_detectable_difference() -> None:
    summary = compared(compare("a", "b", "loss"))
    (row,) = summary.comparisons
    assert row.detectable is not None
    assert row.detectable > 5
    assert f"{row.detectable:.3f} or more are detectable" in summary.answers[0].answer
    table = tables.comparisons(summary, [row])
    assert table is not None
    assert table.rows[0][table.columns.index("detectable")] == f"{row.detectable:.3f}"
