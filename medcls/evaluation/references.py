"""Answers that compare with a reference: a ratio of two variants, a test score beside a published one."""

import math

from medcls.evaluation import run_scores
from medcls.evaluation.comparisons import Answer
from medcls.evaluation.run_scores import Score
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import AnswerRecord, BestRecord, StudySummary
from medcls.evaluation.wording import data_names

__all__ = ["beside_published", "ratio"]


def ratio(a: str, b: str, score: Score, question: str) -> Answer:
    """Return the answer that says how many times variant `a`'s score variant `b`'s is, seed by seed.

    The mean is geometric, and so is its 95% t interval: b against a is one over a against b.

    Args:
        a: the name of a variant.
        b: the name of the variant whose score is divided by that of `a`.
        score: a positive number a run.
        question: as the study asks it.
    """

    def answer(summary: StudySummary) -> AnswerRecord:
        sentences, values = [], {}
        for data in data_names(summary):
            pairs = [pair for pair in run_scores.paired(summary, data, a, b, score) if min(pair) > 0]
            if not pairs:
                sentences.append(f"{b} and {a} have no finished pair of runs to compare.")
                continue
            logarithms = spread_of([math.log(of_b / of_a) for of_a, of_b in pairs])
            times = math.exp(logarithms.mean)
            ends = None if logarithms.ci95 is None else tuple(math.exp(end) for end in logarithms.ci95)
            values[data] = {"ratio": times, "ci95": ends, "pairs": pairs}
            mean_a = sum(of_a for of_a, _ in pairs) / len(pairs)
            mean_b = sum(of_b for _, of_b in pairs) / len(pairs)
            within = ""
            if ends is not None and ends[1] - ends[0] > 1e-9:
                within = f"95% interval {ends[0]:.2f} to {ends[1]:.2f}, "
            sentences.append(
                f"{b} has {times:.2f} times the {score.words} of {a} "
                f"({_number(mean_b)} vs {_number(mean_a)}; {within}n = {len(pairs)})."
            )
        return AnswerRecord(question, " ".join(sentences), values)

    return answer


def beside_published(metric: str, published: float, whose: str, question: str = "") -> Answer:
    """Return the answer that gives the best variant's test score beside a published one.

    Args:
        metric: e.g. "accuracy".
        published: the value that others reached.
        whose: whose value it is, for the sentence: "the report says", and under which conditions.
        question: as the study asks it.
    """
    asked = question or f"What is the {run_scores.words(metric)} on the test set?"

    def answer(summary: StudySummary) -> AnswerRecord:
        sentences, values = [], {}
        for data, best in summary.best.items():
            score = (best.test or {}).get(metric)
            if score is None:
                sentences.append(f"{data} has no test set.")
                continue
            seeds = best.tested.get(metric, ())
            values[data] = {"value": score.value, "ci95": score.ci95, "seeds": seeds, "published": published}
            sentences.append(f"{_test_sentence(best, metric)}. Published: {published:.4f}, {whose}.")
        return AnswerRecord(asked, " ".join(sentences), values)

    return answer


def _test_sentence(best: BestRecord, metric: str) -> str:
    """Return a variant's score on the test set with its intervals over images and over seeds."""
    assert best.test is not None
    score, seeds = best.test[metric], best.tested.get(metric, ())
    low, high = score.ci95
    sentence = (
        f"{best.variant}, the run with the best validation score: {score.value:.4f} "
        f"(95% interval {low:.4f} to {high:.4f} over the images)"
    )
    if len(seeds) < 2:
        return sentence
    spread = spread_of(seeds, run_scores.score(metric).ends)
    if spread.ci95 is None:
        return f"{sentence}; the same for all {len(seeds)} seeds"
    low, high = spread.ci95
    return f"{sentence}; over {len(seeds)} seeds {spread.mean:.4f} ± {spread.sd:.4f} ({low:.4f} to {high:.4f})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
