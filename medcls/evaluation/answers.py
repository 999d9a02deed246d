"""What a study asks of its runs: each answer is a sentence with its numbers, from the summary alone."""

from collections.abc import Sequence
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.comparisons import (
    Answer,
    Compare,
    Comparing,
    compare,
    comparisons,
    decided,
    interim_look,
    questions,
)
from medcls.evaluation.convergence import converges, reaches, sooner, until
from medcls.evaluation.metrics import missing
from medcls.evaluation.run_scores import Score
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import AnswerRecord, AnswerTable, StudySummary
from medcls.evaluation.wording import data_names, joined, on, spread_in_words
from medcls.utils.typed_json import as_plain

__all__ = [
    "Answer",
    "AnswerRecord",
    "Compare",
    "Comparing",
    "StudySummary",
    "compare",
    "comparisons",
    "converges",
    "decided",
    "final",
    "interim_look",
    "overfitting",
    "questions",
    "reaches",
    "sooner",
    "until",
]

IN_A_SENTENCE = 3  # variants


def final(*metrics: str | Score, question: str = "") -> Answer:
    """Return the answer that gives every variant's scores at the epoch that its runs keep.

    Args:
        metrics: names in the history or among the final scores, or scores of `run_scores`.
        question: as the study asks it.
    """
    scores = [run_scores.score(metric) if isinstance(metric, str) else metric for metric in metrics]
    asked = question or f"What are the final values of {' and '.join(score.words for score in scores)}?"

    def answer(summary: StudySummary) -> AnswerRecord:
        return _for_every_variant(summary, asked, scores)

    return answer


def overfitting(question: str = "Where does overfitting start?") -> Answer:
    """Return the answer that gives the epoch of the least validation loss, and training less validation accuracy."""

    def answer(summary: StudySummary) -> AnswerRecord:
        return _for_every_variant(summary, question, [run_scores.best_epoch(), run_scores.score("gap")])

    return answer


def _for_every_variant(summary: StudySummary, question: str, scores: Sequence[Score]) -> AnswerRecord:
    values: dict[str, Any] = {}
    sentences: list[str] = []
    rows: list[tuple[str, ...]] = []
    for data in data_names(summary):
        values[data] = {}
        variants = []
        for variant in run_scores.variants(summary, data):
            runs = run_scores.finished(summary, data, variant).values()
            values[data][variant] = {}
            numbers = []
            cells = [data, variant]
            for score in scores:
                repeats = run_scores.values(runs, score)
                spread = spread_of(repeats, score.ends) if repeats else None
                values[data][variant][score.name] = as_plain(spread)
                cells.append("" if spread is None else spread_in_words(spread, run_scores.digits(score.name)))
                if spread is not None:
                    numbers.append(f"{score.words} {cells[-1]}")
            variants.append(f"{variant}: {', '.join(numbers) or _why_none(summary, scores)}")
            rows.append(tuple(cells))
        sentences.append(on(summary, data, "; ".join(variants) + "."))
    columns = ("data", "variant", *(score.words for score in scores))
    return AnswerRecord(question, joined(sentences), values, _table(columns, rows))


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> AnswerTable | None:
    """Return an answer as a table; None for a few variants, which a sentence can say.

    Args:
        columns: the data set, the variant, and the scores.
        rows: one for each variant on each data set.
    """
    if len(rows) <= IN_A_SENTENCE:
        return None
    if len({row[0] for row in rows}) == 1:
        columns, rows = columns[1:], [row[1:] for row in rows]
    return AnswerTable(columns, tuple(rows))


def _why_none(summary: StudySummary, scores: Sequence[Score]) -> str:
    """Return why a variant has none of some scores."""
    recorded = run_scores.names(summary)
    for score in scores:
        if score.by_name and score.name not in recorded:
            return missing(score.name, recorded)
    return "none of these scores was recorded"
