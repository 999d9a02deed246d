"""The shape of the summary that --json writes, as users' own programs rely on it."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema

from medcls.evaluation.summary import summary_schema

Check = Callable[[Any], bool]


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def scalar(value: Any) -> bool:
    return value is None or text(value) or flag(value) or number(value)


def word(*words: str) -> Check:
    return lambda value: value in words


def digits(count: int, prefix: str = "") -> Check:
    def check(value: Any) -> bool:
        rest = value.removeprefix(prefix)
        return value.startswith(prefix) and len(rest) == count and set(rest) <= set("0123456789abcdef")

    return check


def optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def several(check: Check, count: int | None = None) -> Check:
    return lambda value: isinstance(value, list) and count in (None, len(value)) and all(map(check, value))


def table(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def record(fields: Mapping[str, Check], **further: Check) -> Check:
    """All of the fields, and perhaps the further ones; the first that is wrong is named."""

    def check(value: Any) -> bool:
        assert set(fields) <= set(value) <= set(fields) | set(further), sorted(set(value) ^ set(fields))
        for name, each in value.items():
            assert {**fields, **further}[name](each), f"{name}: {each!r}"
        return True

    return check


DATA_SET = record(
    {
        "name": text,
        "source": text,
        "kind": word("files", "phantom", "toolkit"),
        "fingerprint": digits(64, "sha256:"),
        "n": table(whole),
        "classes": several(text),
        "findings": several(record({"kind": text, "sentence": text, "count": whole})),
        "skipped": several(text),
        "counts": table(table(whole)),
    },
    instead_of=text,
    judged=record({"split_seed": whole, "labels": several(whole), "patients": optional(several(whole))}),
)
RUN = record(
    {
        "key": text,
        "data": text,
        "variant": text,
        "seed": whole,
        "fold": optional(whole),
        "status": word("finished", "failed", "pruned", "interrupted"),
        "reused": flag,
        "shared_epochs": whole,
        "epochs": whole,
        "params": table(scalar),
        "parameters": table(whole),
        "metrics": table(number),
        "history": table(several(number)),
        "weights_sha256": text,
        "threads": whole,
        "mlflow_run_id": text,
        "error": optional(text),
    },
    best_epoch=optional(whole),
    seconds_per_epoch=optional(number),
    right=optional(text),
    predictions_sha256=text,
    remark=text,
    environment=lambda value: isinstance(value, dict),
    earlier_environments=lambda value: isinstance(value, list),
    refit=flag,
)
COMPARISON = record(
    {
        "data": text,
        "metric": text,
        "a": text,
        "b": text,
        "difference": number,
        "ci95": several(number, 2),
        "p_adjusted": optional(number),
        "n": whole,
        "verdict": word("better", "worse", "not distinguishable", "one run only"),
    },
    p=optional(number),
    detectable=optional(number),
    mcnemar=optional(number),
    runs=whole,
    judged_on=record({"images": whole, "patients": optional(whole), "share": number, "df": number}),
)
SCORE = record({"value": number, "ci95": several(number, 2)})
BEST = record(
    {
        "key": text,
        "variant": text,
        "metric": text,
        "value": number,
        "params": table(scalar),
        "mean_sd": table(several(number, 2)),
        "folds": optional(table(several(number))),
        "test": optional(table(SCORE)),
    },
    ensemble=optional(table(SCORE)),
    tested=table(several(number)),
)
ANSWER = record(
    {"question": text, "answer": text, "values": lambda value: isinstance(value, dict)},
    table=lambda value: set(value) == {"columns", "rows"},
)
SUMMARY = record(
    {
        "study": text,
        "question": text,
        "smoke": flag,
        "wall_seconds": number,
        "git_commit": optional(digits(40)),
        "git_dirty": flag,
        "data_sets": several(DATA_SET),
        "runs": several(RUN),
        "comparisons": several(COMPARISON),
        "answers": several(ANSWER),
        "best": table(BEST),
    },
    trials=lambda value: isinstance(value, list),
    importances=table(number),
    figures=several(record({"title": text, "file": text, "best_on": text})),
    store=record({"page": text, "command": text}),
    remarks=several(record({"data": text, "variant": text, "sentence": text})),
    command=text,
    directory=text,
    document=text,
)


def read_summary(path: Path) -> dict[str, Any]:
    """Return a summary whose shape is right, down to what must agree with what."""
    summary: dict[str, Any] = json.loads(path.read_text(), parse_constant=lambda name: float("nan"))
    assert SUMMARY(summary)
    jsonschema.validate(summary, summary_schema(), jsonschema.Draft202012Validator)
    names = {each["name"] for each in summary["data_sets"]}
    assert set(summary["best"]) <= names
    for run in summary["runs"]:
        assert run["data"] in names
        finished = run["status"] == "finished"
        assert (run["error"] is None) == finished
        assert {len(values) for values in run["history"].values()} <= {run["epochs"]}
        if finished:
            measure = "dice" if run["params"]["task"] == "segmentation" else "accuracy"
            assert {"loss", "val_loss", measure, f"val_{measure}", "learning_rate"} <= set(run["history"])
            assert digits(64)(run["weights_sha256"])
            assert set(run["parameters"]) == {"total", "trainable"}
    return summary
