"""Summaries of studies for tests, from the few values that a test cares about."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from medcls.evaluation.answers import Answer, comparisons
from medcls.evaluation.summary import StudySummary, read_summary

STUDY = {"study": "made_up", "question": "?", "smoke": False, "answers": [], "best": {}}
DATA_SET = {"kind": "phantom", "findings": []}
RUN = {"key": "0123", "status": "finished"}
BEST = {"key": "0123", "metric": "accuracy", "value": 0.5}


def typed(plain: Mapping[str, Any]) -> StudySummary:
    """Return a summary of plain values, with what is needed beside them."""
    best = {name: {**BEST, **record} for name, record in plain.get("best", {}).items()}
    data_sets = [{**DATA_SET, **data} for data in plain["data_sets"]]
    runs = [{**RUN, **run} for run in plain["runs"]]
    whole = {**STUDY, **plain, "best": best, "data_sets": data_sets, "runs": runs}
    return read_summary(json.dumps(whole).encode())


def answered(summary: StudySummary, answers: Sequence[Answer]) -> StudySummary:
    """Return a summary with the comparisons among some answers, and the answers."""
    compared = replace(summary, comparisons=comparisons(summary, answers))
    return replace(compared, answers=tuple(answer(compared) for answer in answers))
