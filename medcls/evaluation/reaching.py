"""When curves reach a value: another variant's final one, or one that is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from medcls.evaluation import repeats
from medcls.evaluation.phrases import Summary, joined, names, on, when

REACHED = (("epoch", ""), ("smoothed", "smoothed over five epochs, "))

Answered = dict[str, Any]
Answer = Callable[[Summary], Mapping[str, Any]]


def reaches(variant: str, of: str, metric: str = "accuracy", question: str = "") -> Answer:
    """Return the answer that says when a variant first reaches another's final value, seed by seed."""
    asked = question or f"At which epoch does {variant} reach the final {repeats.words(metric)} of {of}?"

    def answer(summary: Summary) -> Answered:
        values, sentences = {}, []
        for data in names(summary):
            pairs = _reached(summary, data, variant, of, metric)
            values[data] = pairs
            sentences.append(on(summary, data, _reach_sentence(variant, pairs)))
        return {"question": asked, "answer": joined(sentences), "values": values}

    return answer


def until(metric: str, value: float, question: str = "") -> Answer:
    """Return the answer that gives the epoch at which each variant's curve first is as good as `value`."""
    least = "at most" if repeats.falls(metric) else "at least"
    asked = question or f"After how many epochs is {repeats.words(metric)} {least} {value:g}?"

    def answer(summary: Summary) -> Answered:
        values: dict[str, Any] = {}
        sentences = []
        for data in names(summary):
            curves = {
                name: [run["history"][metric] for run in repeats.finished(summary, data, name).values()]
                for name in repeats.variants(summary, data)
            }
            epochs = {
                name: [repeats.first_as_good(curve, value, metric) for curve in each] for name, each in curves.items()
            }
            values[data] = epochs
            sentences.append(on(summary, data, "; ".join(f"{name}: {when(each)}" for name, each in epochs.items())))
        return {"question": asked, "answer": joined([f"{each}." for each in sentences]), "values": values}

    return answer


def _reached(summary: Summary, data: str, variant: str, of: str, metric: str) -> list[dict[str, Any]]:
    runs, others = repeats.finished(summary, data, variant), repeats.finished(summary, data, of)
    rows = []
    for pair in sorted(runs.keys() & others.keys(), key=str):
        curve, goal = runs[pair]["history"].get(metric, []), others[pair]["history"].get(metric, [])
        if curve and goal:
            smooth = repeats.first_as_good(repeats.smoothed(curve), repeats.smoothed(goal)[-1], metric)
            plain = repeats.first_as_good(curve, goal[-1], metric)
            rows.append({"seed": pair[0], "fold": pair[1], "goal": goal[-1], "epoch": plain, "smoothed": smooth})
    return rows


def _reach_sentence(variant: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"{variant} has no finished pair of runs to tell from."
    goal = repeats.spread([row["goal"] for row in rows])["mean"]
    told = [f"{words}{when([row[name] for row in rows])}" for name, words in REACHED]
    return f"{variant} reaches {goal:.3f} {'; '.join(told)}."
