"""What a study asks of its runs: each answer is a sentence with its numbers, from the summary alone."""

from collections.abc import Sequence
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.comparisons import Answer, Answered, Compare, compare, comparisons, decided, looked
from medcls.evaluation.convergence import converges, reaches, sooner, until
from medcls.evaluation.metrics import missing
from medcls.evaluation.run_scores import Score
from medcls.evaluation.wording import Summary, joined, names, on, said

__all__ = [
    "Answer",
    "Compare",
    "compare",
    "comparisons",
    "converges",
    "decided",
    "final",
    "looked",
    "overfitting",
    "reaches",
    "sooner",
    "until",
]


def final(*metrics: str | Score, question: str = "") -> Answer:
    """Return the answer that gives every variant's scores at the epoch that its runs keep."""
    scores = [run_scores.score(each) if isinstance(each, str) else each for each in metrics]
    asked = question or f"What are the final values of {' and '.join(each.words for each in scores)}?"

    def answer(summary: Summary) -> Answered:
        return _for_every_variant(summary, asked, scores)

    return answer


def overfitting(question: str = "Where does overfitting start?") -> Answer:
    """Return the answer that gives the epoch of the least validation loss, and training less validation accuracy."""

    def answer(summary: Summary) -> Answered:
        return _for_every_variant(summary, question, [run_scores.best_epoch(), run_scores.score("gap")])

    return answer


def _for_every_variant(summary: Summary, question: str, scores: Sequence[Score]) -> Answered:
    values: dict[str, Any] = {}
    sentences = []
    for data in names(summary):
        values[data] = {}
        parts = []
        for variant in run_scores.variants(summary, data):
            found = {one.name: _spread(summary, data, variant, one) for one in scores}
            values[data][variant] = found
            told = [
                f"{run_scores.words(name)} {said(each, run_scores.digits(name))}"
                for name, each in found.items()
                if each
            ]
            parts.append(f"{variant}: {', '.join(told) or _without(summary, scores)}")
        sentences.append(on(summary, data, "; ".join(parts) + "."))
    return {"question": question, "answer": joined(sentences), "values": values}


def _without(summary: Summary, scores: Sequence[Score]) -> str:
    """Return why a variant has none of some scores."""
    there_are = run_scores.names(summary)
    absent = [one.name for one in scores if one.by_name and one.name not in there_are]
    return missing(absent[0], there_are) if absent else "nothing of that is known"


def _spread(summary: Summary, data: str, variant: str, one: Score) -> dict[str, Any] | None:
    known = run_scores.values(run_scores.finished(summary, data, variant).values(), one)
    return run_scores.spread(known, one.ends) if known else None
