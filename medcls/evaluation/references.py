"""Answers that set numbers beside others: a ratio of two variants, a score on the test part beside a published one."""

import math
from collections.abc import Mapping
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.run_scores import Score

Summary = Mapping[str, Any]
Answered = dict[str, Any]

__all__ = ["beside_published", "ratio"]


def ratio(a: str, b: str, score: Score, question: str) -> Any:
    """Return the answer that says how many times variant `a`'s score variant `b`'s is, seed by seed.

    The mean is geometric, and so is its 95% t interval: b against a is one over a against b.
    """

    def answer(summary: Summary) -> Answered:
        sentences, values = [], {}
        for data in (each["name"] for each in summary["data_sets"]):
            pairs = [each for each in run_scores.paired(summary, data, a, b, score) if min(each) > 0]
            if not pairs:
                sentences.append(f"{b} and {a} have no finished pair of runs to compare.")
                continue
            found = run_scores.spread([math.log(second / first) for first, second in pairs])
            mean, ends = math.exp(found["mean"]), found["ci95"] and [math.exp(end) for end in found["ci95"]]
            values[data] = {"ratio": mean, "ci95": ends, "pairs": pairs}
            first, second = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
            within = f" (95% interval {ends[0]:.2f} to {ends[1]:.2f})" if ends and ends[1] - ends[0] > 1e-9 else ""
            said = f"{score.words} {_number(second)} of {b} are {mean:.2f} times the {_number(first)} of {a}{within}"
            sentences.append(f"{said}, n = {len(pairs)}.")
        return {"question": question, "answer": " ".join(sentences), "values": values}

    return answer


def beside_published(metric: str, published: float, whose: str, question: str = "") -> Any:
    """Return the answer that gives the best variant's score on the test part beside a published one.

    Args:
        metric: e.g. "accuracy".
        published: the value that others reached.
        whose: it is, for the sentence: "the report says", and under which conditions.
        question: as the study asks it.
    """
    asked = question or f"What is the {run_scores.words(metric)} on the test part?"

    def answer(summary: Summary) -> Answered:
        sentences, values = [], {}
        for data, best in summary["best"].items():
            found = (best["test"] or {}).get(metric)
            if found is None:
                sentences.append(f"{data} has no test part.")
                continue
            low, high = found["ci95"]
            seeds = best["tested"].get(metric, [])
            values[data] = {**found, "seeds": seeds, "published": published}
            run = f"{best['variant']}, the run with the best validation score: {found['value']:.4f}"
            text = f"{run} (95% interval {low:.4f} to {high:.4f} over the images)"
            if len(seeds) > 1:
                over = run_scores.spread(seeds, run_scores.score(metric).ends)
                if over["ci95"] is None:
                    text += f"; the same in all {len(seeds)} seeds"
                else:
                    ends = " to ".join(f"{end:.4f}" for end in over["ci95"])
                    text += f"; over {len(seeds)} seeds {over['mean']:.4f} ± {over['sd']:.4f} ({ends})"
            sentences.append(f"{text}. Beside it: {published:.4f}, {whose}.")
        return {"question": asked, "answer": " ".join(sentences), "values": values}

    return answer


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
