"""Saved views of MLflow's run table and charts: what its "Views" menu lists, written as tags of the experiment.

A view is an experiment tag whose value is an object with a name and the packed state of the user interface, as MLflow
3.17 reads it. MLflow 3.10 has no menu of views, only links to them, and takes the same object for the state itself: so
the object has the state's own keys, too.
"""

import base64
import json
import re
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medcls.tracking.view_state import View, state
from medcls.utils.lazy import mlflow
from medcls.utils.texts import printable

TAG = "mlflow.sharedViewState."
KEY = "medcls-"  # the keys of our own views begin with it
NOTE = "mlflow.note.content"
LONGEST = 5000  # characters of an experiment's tag in MLflow 3.10; later versions take more


@dataclass(frozen=True)
class Views:
    """The saved views of one outcome of a study: of its runs on some data, tiny or not.

    Attributes:
        outcome: the name of the outcome, such as "xray (phantom)".
        rank: outcomes with a larger one come first: they are what one looks at.
        views: the first is the one to open.
        question: the study's, which the experiment's description begins with.
    """

    outcome: str
    rank: int
    views: tuple[View, ...]
    question: str

    def key(self, view: View) -> str:
        """Return the key of a view, which stands in links to it and never changes."""
        outcome = re.sub(r"[^A-Za-z0-9._-]+", "-", self.outcome).strip("-")
        if outcome != self.outcome.replace(" ", "-"):
            outcome = f"{outcome}-{zlib.crc32(self.outcome.encode('utf-8', 'surrogatepass')):08x}"
        return f"{KEY}{view.kind}-{outcome}"


@dataclass(frozen=True)
class SavedView:
    """A view that an experiment has.

    Attributes:
        study: the experiment's name.
        outcome: the name of the outcome that it shows.
        name: of the view.
        page: where the view is, behind the address of MLflow's server.
        updated: when it was written, in milliseconds since 1970.
        place: its place among the views that were written together; 0 is the one to open.
    """

    study: str
    outcome: str
    name: str
    page: str
    updated: int
    place: int


def page(experiment: str, key: str = "") -> str:
    """Return where an experiment's run table is, behind the address of MLflow's server; with a key a view of it."""
    table = f"/#/experiments/{experiment}/runs?workflowType=machine_learning"
    return f"{table}&viewStateShareKey={key}" if key else table


def save(client: Any, experiment: str, views: Views) -> None:
    """Write the views of an outcome, name those of other outcomes after these, and link all in the description.

    Args:
        client: MLflow's client.
        experiment: the experiment's id.
        views: of the outcome.
    """
    tags = client.get_experiment(experiment).tags
    records = _records(tags)
    for place, view in enumerate(views.views):
        key, packed = views.key(view), _packed(view)
        before = records.get(key, {"createdAt": _now(), "updatedAt": _now()})
        ours = {"view": view.name, "outcome": views.outcome, "rank": views.rank, "place": place}
        updated = before["updatedAt"] if before.get("state") == packed else _now()
        records[key] = _with_plain_state(
            {"medcls": ours, "createdAt": before["createdAt"], "updatedAt": updated, "state": packed}, view
        )
    for record in records.values():
        _name(record, _first(records.values()))
    for key, record in records.items():
        value = json.dumps(record, sort_keys=True)
        if tags.get(f"{TAG}{key}") != value:
            client.set_experiment_tag(experiment, f"{TAG}{key}", value)
    description = _description(views.question, experiment, records)
    if tags.get(NOTE) != description and _is_ours(tags.get(NOTE, ""), views.question):
        client.set_experiment_tag(experiment, NOTE, description)


def of_store(uri: str) -> list[SavedView]:
    """Return the views that medcls has saved in a store, those written last first; it raises MLflow's exceptions."""
    views = []
    for experiment in mlflow.MlflowClient(uri).search_experiments():
        for key, record in _records(experiment.tags).items():
            ours = record["medcls"]
            where, updated = page(experiment.experiment_id, key), int(record["updatedAt"])
            name, outcome = str(record["name"]), str(ours["outcome"])
            views.append(SavedView(experiment.name, outcome, name, where, updated, int(ours["place"])))
    return sorted(views, key=lambda view: (-view.updated, view.place))


def _now() -> int:
    return int(time.time() * 1000)


def _records(tags: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the views that medcls has written, by key."""
    records: dict[str, dict[str, Any]] = {}
    for tag, value in tags.items():
        if not tag.startswith(f"{TAG}{KEY}"):
            continue
        try:
            record = json.loads(value)
        except ValueError:
            continue
        if isinstance(record, dict) and "medcls" in record:
            records[tag.removeprefix(TAG)] = record
    return records


def _packed(view: View) -> str:
    """Return the state of a view as MLflow stores it; charts at its end are left out if it gets too long."""
    for count in range(len(view.charts), -1, -1):
        text = json.dumps(state(view, count), sort_keys=True)
        packed = "deflate;" + base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        if len(packed) < LONGEST - 400:  # the name and the times are in the tag, too
            return packed
    raise AssertionError(f"the view {view.name} has too many columns")


def _with_plain_state(record: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Return a record with the state's own keys, with as many of its charts as there is room for."""
    for count in range(len(view.charts), -1, -1):
        whole = {**state(view, count), **record}
        if len(json.dumps(whole)) < LONGEST - 150:  # the name comes, too
            return whole
    return dict(record)


def _first(records: Iterable[Mapping[str, Any]]) -> str:
    """Return the outcome whose views have plain names: of the largest rank the one written last."""
    latest = max(records, key=lambda record: (record["medcls"]["rank"], record["updatedAt"]))
    return str(latest["medcls"]["outcome"])


def _name(record: dict[str, Any], first: str) -> None:
    """Name a view: plainly if it belongs to the first outcome, else with its outcome."""
    ours = record["medcls"]
    plain = str(ours["view"])
    record["name"] = plain if ours["outcome"] == first else f"{plain} · {ours['outcome']}"


def _description(question: str, experiment: str, records: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the experiment's description: the question, and a link to each view of the first outcome."""
    first = _first(records.values())
    links = []
    for key, record in records.items():
        if record["medcls"]["outcome"] == first:
            links.append((record["medcls"]["place"], f"[{record['name']}]({page(experiment, key).removeprefix('/')})"))
    return f"{printable(question)} {' · '.join(link for _, link in sorted(links))}"


def _is_ours(description: str, question: str) -> bool:
    """Tell whether the description is as medcls wrote it: what a user wrote stays."""
    return description in ("", question) or description.startswith(f"{printable(question)} [")
