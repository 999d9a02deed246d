"""The state of MLflow's run table and charts as its user interface keeps it, from a view in the words of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

TALL = MappingProxyType({"IMAGE": 620, "PARALLEL": 330})
"""Pixels of the height of charts that need the page's whole width."""


@dataclass(frozen=True)
class Chart:
    """A chart of a view.

    Attributes:
        kind: "LINE", "BAR", "SCATTER", "PARALLEL" or "IMAGE".
        section: the title of the section that it stands in.
        metrics: names of metrics; lines show all in one chart, bars and points the first. For images, their keys.
        params: names of parameters: all axes of parallel coordinates, the horizontal axis of points.
    """

    kind: str
    section: str
    metrics: tuple[str, ...]
    params: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """A view of an experiment's runs.

    Attributes:
        kind: a word for its key.
        name: that MLflow's menu shows.
        query: which runs are shown, in the language of MLflow's search field.
        order_by: the column by which the runs are sorted, the greatest value first.
        columns: the columns that are shown, as `metrics.`name``.
        charts: in their order.
        group_by: tags by whose values the runs are grouped in the table.
        widths: of columns, in pixels; others have the width that MLflow gives them.
    """

    kind: str
    name: str
    query: str
    order_by: str
    columns: tuple[str, ...]
    charts: tuple[Chart, ...] = ()
    group_by: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)


def metric_column(name: str) -> str:
    """Return the column of a metric."""
    return f"metrics.`{name}`"


def param_column(name: str) -> str:
    """Return the column of a parameter."""
    return f"params.`{name}`"


def tag_column(name: str) -> str:
    """Return the column of a tag."""
    return f"tags.`{name}`"


def state(view: View, charts: int) -> dict[str, Any]:
    """Return the state of a view, with so many of its charts.

    Charts show single runs also where the table groups them: a run has its own colour, a group has not.
    """
    shown = view.charts[:charts]
    sections = list(dict.fromkeys(chart.section for chart in shown))
    group_by = None
    if view.group_by:
        keys = [{"mode": "tag", "groupByData": tag} for tag in view.group_by]
        group_by = {"aggregateFunction": "average", "groupByKeys": keys}
    return {
        "searchFilter": view.query,
        "orderByKey": view.order_by,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(view.columns),
        "columnOrder": list(view.columns),
        "columnWidths": dict(view.widths),
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": False,
        "hideEmptyCharts": True,
        "autoRefreshEnabled": True,
        "groupBy": group_by,
        "groupsExpanded": {},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        "compareRunSections": [_section(title, sections, shown) for title in sections],
        "compareRunCharts": [_card(chart, number, sections) for number, chart in enumerate(shown)],
    }


def _section(title: str, sections: Sequence[str], charts: Sequence[Chart]) -> dict[str, Any]:
    """Return a section as the state has it; images and parallel coordinates get the page's whole width.

    Args:
        title: of the section.
        sections: the titles of all sections.
        charts: all charts of the view.
    """
    heights = [TALL[chart.kind] for chart in charts if chart.section == title and chart.kind in TALL]
    return {
        "uuid": f"section-{sections.index(title)}",
        "name": title,
        "display": True,
        "isReordered": True,
        "deleted": False,
        "isGenerated": False,
        **({"columns": 1, "cardHeight": max(heights)} if heights else {}),
    }


def _card(chart: Chart, number: int, sections: Sequence[str]) -> dict[str, Any]:
    """Return a chart as the state has it."""
    common = {
        "type": chart.kind,
        "uuid": f"chart-{number}",
        "metricSectionId": f"section-{sections.index(chart.section)}",
        "runsCountToCompare": 100,
        "deleted": False,
        "isGenerated": False,
    }
    return common | dict(_CARDS[chart.kind](chart))


def _line(chart: Chart) -> Mapping[str, Any]:
    return {
        "metricKey": chart.metrics[0],
        "selectedMetricKeys": list(chart.metrics),
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "selectedXAxisMetricKey": "",
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
        "selectedYAxisMetricKey": "metric",
    }


def _bar(chart: Chart) -> Mapping[str, Any]:
    return {"metricKey": chart.metrics[0]}


def _scatter(chart: Chart) -> Mapping[str, Any]:
    across = {"key": chart.params[0], "type": "PARAM"}
    return {"xaxis": across, "yaxis": {"key": chart.metrics[0], "type": "METRIC"}}


def _parallel(chart: Chart) -> Mapping[str, Any]:
    return {"selectedMetrics": list(chart.metrics), "selectedParams": list(chart.params), "showAllRuns": False}


def _image(chart: Chart) -> Mapping[str, Any]:
    return {"imageKeys": list(chart.metrics), "step": 0, "showRunParams": False}


_CARDS = MappingProxyType({"LINE": _line, "BAR": _bar, "SCATTER": _scatter, "PARALLEL": _parallel, "IMAGE": _image})
