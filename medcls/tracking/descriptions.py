"""What the store says of a study in words: its question, its answer, and the command that repeats it."""

from collections.abc import Mapping, Sequence
from typing import Any

from medcls.evaluation.metrics import words
from medcls.evaluation.wording import mean_sd, p_value
from medcls.utils.texts import printable


def opening(question: str, command: str) -> str:
    """Return a study's description while it is under way, in Markdown."""
    return f"**{question}**\n\nUnder way. The command:\n\n    {command}\n"


def closing(summary: Mapping[str, Any], command: str) -> str:
    """Return a study's description from its summary, in Markdown."""
    parts = [f"**{summary['question']}**"]
    parts += [f"{each['question']} {each['answer']}" for each in summary["answers"]]
    if summary["comparisons"]:
        parts.append(_verdicts(summary["comparisons"]))
    if summary.get("remarks"):
        parts.append("\n".join(f"- {row['sentence']}" for row in summary["remarks"]))
    for data in summary["data_sets"]:
        best = summary["best"].get(data["name"])
        parts.append(_best(data, best) if best else f"No variant was finished on {data['name']}.")
        if best and best["test"]:
            parts.append(_table(best))
        if data["findings"]:
            parts.append(
                "\n".join(["Found in its images:", "", *(f"- {each['sentence']}" for each in data["findings"])])
            )
    failed = sum(run["status"] == "failed" for run in summary["runs"])
    if failed:
        parts.append(f"{failed} of {len(summary['runs'])} runs failed.")
    parts.append(f"The command:\n\n    {command}")
    text = "\n\n".join(parts) + "\n"
    return printable(text, keep="\n")


def _best(data: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    metric = best["metric"]
    mean, sd = best["mean_sd"][metric]
    kind = " (a phantom, no real images)" if data["kind"] == "phantom" else ""
    repeats = f" ± {sd:.3f} over the folds" if best["folds"] and sd else ""
    text = f"Best on {data['name']}{kind}: **{best['variant']}**, {words(metric)} {mean:.3f}{repeats}"
    tested = (best["test"] or {}).get(metric)
    if tested is None:
        return text + "."
    low, high = tested["ci95"]
    return f"{text}; {tested['value']:.3f} on the held-out part (95% interval {low:.3f} to {high:.3f})."


def _verdicts(comparisons: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        "| | score | difference [95% interval] | adjusted p | pairs | verdict |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for each in comparisons:
        low, high = each["ci95"]
        interval = f" [{low:+.3f}, {high:+.3f}]" if low < high else ""
        difference = f"{each['difference']:+.3f}{interval}" if each["n"] else ""
        name, score = _cell(f"{each['b']} against {each['a']} ({each['data']})"), _cell(words(each["metric"]))
        rows.append(
            f"| {name} | {score} | {difference} | {p_value(each['p_adjusted'])} | {each['n']} | {each['verdict']} |"
        )
    return "\n".join(rows)


def _cell(text: str) -> str:
    """Return a text as a table of Markdown holds it: in one line, without bars."""
    return printable(text).replace("|", "\\|")


def _table(best: Mapping[str, Any]) -> str:
    over = "folds" if best["folds"] else "seeds"
    rows = [f"| metric | {over}, mean ± sd | held-out part [95% interval] |", "| --- | ---: | ---: |"]
    for metric, score in best["test"].items():
        mean, sd = best["mean_sd"].get(metric, (None, None))
        folds = "" if mean is None else mean_sd(mean, sd)
        low, high = score["ci95"]
        rows.append(f"| {_cell(words(metric))} | {folds} | {score['value']:.3f} [{low:.3f}, {high:.3f}] |")
    return "\n".join(rows)
