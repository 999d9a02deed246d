"""A study's report: one HTML page that needs nothing beside it."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.answers import looked
from medcls.evaluation.metrics import PAGE, digits, words
from medcls.evaluation.wording import counted, mean_sd, p_value
from medcls.report.figures import study_curves
from medcls.utils.lazy import jinja2
from medcls.utils.texts import printable

Summary = Mapping[str, Any]


def render(
    summary: Summary,
    *,
    notes: Sequence[str],
    command: str,
    version: str,
    day: str,
    montages: Mapping[str, bytes],
    sheets: Mapping[str, bytes] = MappingProxyType({}),
    left_out: Sequence[str] = (),
) -> str:
    """Return the page.

    Args:
        summary: what the study ended with.
        notes: paragraphs about the study, from its file's docstring.
        command: what repeats it.
        version: of medcls.
        day: of the report, in words.
        montages: data set -> a PNG of examples; may lack some.
        sheets: title -> a PNG of where networks look.
        left_out: files that the summary names as figures and that are none of the study's.
    """
    names, params = [each["name"] for each in summary["data_sets"]], _parameters(summary)
    page = _template().render(
        study=summary["study"],
        question=summary["question"],
        smoke=summary["smoke"],
        runs=len(summary["runs"]),
        failed=sum(run["status"] == "failed" for run in summary["runs"]),
        folds=any(run["params"].get("folds") for run in summary["runs"]),
        answers=summary["answers"],
        comparisons=summary["comparisons"],
        looked=looked(summary),
        remarks=[row["sentence"] for row in summary.get("remarks", ())],
        trials=_trials(summary),
        variants=[_variants(summary, name) for name in names],
        held_out=[_held_out(name, best) for name, best in summary["best"].items() if best["test"]],
        charts=[_charts(summary, name) for name in names],
        data_sets=[_data(each, montages) for each in summary["data_sets"]],
        left_out=left_out,
        sheets=[{"title": title, "picture": base64.b64encode(sheet).decode()} for title, sheet in sheets.items()],
        notes=notes,
        names=list(params),
        differing=_differing(params),
        common=_common(params),
        command=command,
        provenance=_provenance(summary),
        version=version,
        day=day,
    )
    return str(page)


def _template() -> Any:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medcls.report", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"words": words, "digits": digits, "p_value": p_value}
    environment.filters |= {"signed": _signed, "number": _number, "parts": _parts}
    return environment.get_template("page.html")


def _visible(value: Any) -> Any:
    """Return what the page shows of a value: of a text that comes from outside, no characters that are none to see."""
    return printable(value) if type(value) is str else value  # markup, which is no plain str, is the page's own


def _trials(summary: Summary) -> dict[str, Any]:
    """Return a search's trials as a table, the best first; {} without a search.

    Those without a run here were carried out by other commands that share the search.
    """
    trials = sorted(summary.get("trials", ()), key=lambda each: (each["value"] is None, -(each["value"] or 0)))
    if not trials:
        return {}
    here = {run["variant"] for run in summary["runs"]}
    paths = dict.fromkeys(path for each in trials for path in each["params"])
    metric = next((best["metric"] for best in summary["best"].values()), "score")
    return {
        "metric": f"mean {words(metric)}",
        "paths": [path.removeprefix("learner.") for path in paths],
        "rows": [
            [
                each["number"],
                each["state"],
                _number(each["value"]),
                *(_short(each["params"].get(path)) for path in paths),
            ]
            for each in trials
        ],
        "elsewhere": sorted(each["number"] for each in trials if f"trial {each['number']}" not in here),
    }


def _variants(summary: Summary, data: str) -> dict[str, Any]:
    found = {name: run_scores.finished(summary, data, name) for name in run_scores.variants(summary, data)}
    table = [[_mean_sd(run_scores.score(column), runs.values()) for column in PAGE] for runs in found.values()]
    filled = [place for place in range(len(PAGE)) if any(row[place] for row in table)]
    rows = [
        {"name": name, "runs": counted(list(runs.values())), "cells": [row[place] for place in filled]}
        for (name, runs), row in zip(found.items(), table, strict=True)
    ]
    return {"name": data, "columns": [PAGE[place] for place in filled], "rows": rows}


def _mean_sd(score: run_scores.Score, runs: Iterable[run_scores.RunRecord]) -> str:
    known = run_scores.values(runs, score)
    if not known:
        return ""
    found = run_scores.spread(known)
    return f"{found['mean']:.3f} ± {found['sd']:.3f}" if len(known) > 1 else f"{found['mean']:.3f}"


def _held_out(data: str, best: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for metric, score in best["test"].items():
        mean, sd = best["mean_sd"].get(metric, (None, None))
        together = (best.get("ensemble") or {}).get(metric)
        low, high = score["ci95"]
        folds = "" if mean is None else mean_sd(mean, sd)
        ensemble = f"{together['value']:.3f}" if together else ""
        rows.append([words(metric), folds, f"{score['value']:.3f}", f"{low:.3f} to {high:.3f}", ensemble])
    return {"data": data, "variant": best["variant"], "rows": rows}


def _charts(summary: Summary, data: str) -> dict[str, Any]:
    marked, variants = study_curves.foremost(summary, data), run_scores.variants(summary, data)
    drawn = study_curves.charts(summary, data, marked)
    return {"name": data, "charts": drawn, "coloured": len(marked), "variants": len(variants)}


def _data(data: Mapping[str, Any], montages: Mapping[str, bytes]) -> dict[str, Any]:
    picture = montages.get(data["name"])
    return {**data, "montage": base64.b64encode(picture).decode() if picture else ""}


def _parameters(summary: Summary) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of each variant's first run."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in summary["runs"]:
        found.setdefault(run["variant"], run["params"])
    return found


def _differing(params: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    paths = dict.fromkeys(path for each in params.values() for path in each)
    rows = [(path, [_plain(each.get(path)) for each in params.values()]) for path in paths]
    return [(path, row) for path, row in rows if len(set(row)) > 1]


def _common(params: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    apart = {path for path, _ in _differing(params)} | {"seed", "fold"}
    first = next(iter(params.values()), {})
    return [(path, _plain(value)) for path, value in first.items() if path not in apart]


def _provenance(summary: Summary) -> str:
    commit = summary["git_commit"]
    changed = " with changes that were not committed" if summary["git_dirty"] else ""
    code = f"Code: commit {commit[:12]}{changed}. " if commit else ""
    keys = [run["key"] for run in summary["runs"]]
    return f"{code}{len(keys)} runs, whose folders bear their keys: {', '.join(sorted(set(keys))[:12])}" + (
        " and more." if len(set(keys)) > 12 else "."
    )


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else _plain(value)


def _parts(text: str) -> list[str]:
    """Return a parameter's path or value in parts between which a line may break."""
    return [text] if text[:1].isdigit() else re.split(r"(?<=[._(,])(?=\D)", text)


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
