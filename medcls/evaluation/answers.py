"""What a study asks of its runs: each answer is a sentence with its numbers, from the summary alone."""

from collections.abc import Sequence
from typing import Any

from medcls.evaluation import repeats
from medcls.evaluation.comparing import Answer, Answered, Compare, compare, comparisons, decided, looked
from medcls.evaluation.converging import converges, sooner
from medcls.evaluation.metrics import missing
from medcls.evaluation.phrases import Summary, joined, names, on, said
from medcls.evaluation.reaching import reaches, until
from medcls.evaluation.repeats import Score

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
    scores = [repeats.score(each) if isinstance(each, str) else each for each in metrics]
    asked = question or f"What are the final values of {' and '.join(each.words for each in scores)}?"

    def answer(summary: Summary) -> Answered:
        return _for_every_variant(summary, asked, scores)

    return answer


def overfitting(question: str = "Where does overfitting start?") -> Answer:
    """Return the answer that gives the epoch of the least validation loss, and training less validation accuracy."""

    def answer(summary: Summary) -> Answered:
        return _for_every_variant(summary, question, [repeats.best_epoch(), repeats.score("gap")])

    return answer


def _for_every_variant(summary: Summary, question: str, scores: Sequence[Score]) -> Answered:
    values: dict[str, Any] = {}
    sentences = []
    for data in names(summary):
        values[data] = {}
        parts = []
        for variant in repeats.variants(summary, data):
            found = {one.name: _spread(summary, data, variant, one) for one in scores}
            values[data][variant] = found
            told = [f"{repeats.words(name)} {said(each, repeats.digits(name))}" for name, each in found.items() if each]
            parts.append(f"{variant}: {', '.join(told) or _without(summary, scores)}")
        sentences.append(on(summary, data, "; ".join(parts) + "."))
    return {"question": question, "answer": joined(sentences), "values": values}


def _without(summary: Summary, scores: Sequence[Score]) -> str:
    """Return why a variant has none of some scores."""
    there_are = repeats.names(summary)
    absent = [one.name for one in scores if one.by_name and one.name not in there_are]
    return missing(absent[0], there_are) if absent else "nothing of that is known"


def _spread(summary: Summary, data: str, variant: str, one: Score) -> dict[str, Any] | None:
    known = repeats.values(repeats.finished(summary, data, variant).values(), one)
    return repeats.spread(known, one.ends) if known else None
