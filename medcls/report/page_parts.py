"""The parts of a study's page beside its tables: banners, the best networks, learning curves, figures of a search."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from medcls.data.finding import LEAKS, TWO_CLASSES
from medcls.evaluation import run_scores
from medcls.evaluation.metrics import words
from medcls.evaluation.run_record import FindingRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.evaluation.wording import mean_sd
from medcls.report import search_report, tables
from medcls.report.figures import study_curves, svg_curves
from medcls.report.figures.inline_svg import inline_svg
from medcls.report.figures.svg_curves import LegendEntry
from medcls.report.tables import Table
from medcls.utils.lazy import PIL

CSS_DOTS = 96  # an inch
SEARCH_TITLES = MappingProxyType(
    {
        "history": "the trials in their order",
        "importances": "which parameters mattered",
        "parallel_coordinates": "what each trial was made of",
    }
)


@dataclass(frozen=True)
class Picture:
    """A PNG of the page with its title."""

    title: str
    content: bytes

    @property
    def encoded(self) -> str:
        """The file in base64."""
        return base64.b64encode(self.content).decode()

    @property
    def width(self) -> int:
        """How wide the page shows it, in CSS pixels, where there is room."""
        with PIL.Image.open(io.BytesIO(self.content)) as image:
            dots = float(image.info.get("dpi", (CSS_DOTS, CSS_DOTS))[0])
            return round(image.width * CSS_DOTS / max(dots, 1))


@dataclass(frozen=True)
class Warned:
    """A banner about a data set because of which scores cannot be trusted: a leak or a contradiction."""

    head: str
    sentence: str


@dataclass(frozen=True)
class Winner:
    """The best variant on a data set.

    Attributes:
        data: the name of the data set.
        variant: its name.
        score: its mean and deviation by the study's metric, in words.
        test: its score on the test set with the interval, in words; "" where there is no test set.
        link: its run in MLflow's user interface, "" where there is none.
        table: its scores on the test set, None where there is no test set.
        figures: what it gets right and wrong.
    """

    data: str
    variant: str
    score: str
    test: str
    link: str
    table: Table | None
    figures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Charts:
    """The learning curves on one data set: charts as SVG, their legend, how many of its variants have a colour."""

    name: str
    charts: Sequence[str]
    legend: Sequence[LegendEntry]
    coloured: int
    variants: int


@dataclass(frozen=True)
class SearchChart:
    """A figure of a search as SVG, and the width in CSS pixels below which it is scrolled rather than shrunk."""

    title: str
    svg: str
    least: int = 0


@dataclass(frozen=True)
class PageExtras:
    """What a study's page shows beside its summary.

    Attributes:
        notes: paragraphs about the study, from its file's docstring.
        command: what repeats it.
        version: of medcls.
        day: of the report, in words.
        montages: data set -> a PNG of examples; may lack some.
        sheets: pictures of where networks look.
        of_best: data set -> pictures of what its best network gets right and wrong.
        left_out: files that the summary names as figures and that are none of the study's.
    """

    notes: Sequence[str]
    command: str
    version: str
    day: str
    montages: Mapping[str, bytes] = field(default_factory=dict)
    sheets: Sequence[Picture] = ()
    of_best: Mapping[str, Sequence[Picture]] = field(default_factory=dict)
    left_out: Sequence[str] = ()


def warnings(summary: StudySummary) -> list[Warned]:
    """Return the leaks and contradictions of a study's data sets."""
    banners = []
    for data in summary.data_sets:
        for finding in data.findings or ():
            if finding.kind == TWO_CLASSES:
                banners.append(Warned(f"{data.name} contradicts itself: no network can be right.", finding.sentence))
            elif _is_leak(finding):
                banners.append(Warned(f"{data.name} has a leak: its scores may be too good.", finding.sentence))
    return banners


def _is_leak(finding: FindingRecord) -> bool:
    return finding.kind in LEAKS or finding.kind.endswith("_across_parts")  # also the kinds of older summaries


def winners(summary: StudySummary, pictures: Mapping[str, Sequence[Picture]]) -> list[Winner]:
    """Return the best variant on each data set.

    Args:
        summary: what the study found.
        pictures: data set -> pictures of its best network.
    """
    return [_winner(summary, data, best, pictures.get(data, ())) for data, best in summary.best.items()]


def _winner(summary: StudySummary, data: str, best: BestRecord, pictures: Sequence[Picture]) -> Winner:
    runs = len(run_scores.finished(summary, data, best.variant))
    mean, sd = best.mean_sd.get(best.metric, (best.value, 0.0))
    score = f"{words(best.metric)} {mean_sd(mean, sd) if runs > 1 else f'{mean:.3f}'}"
    if runs > 1:
        score += f" over {runs} {tables.repeats(summary)}"
    tested, test = (best.test or {}).get(best.metric), ""
    if tested is not None:
        low, high = tested.ci95
        test = f"{tested.value:.3f} on the test set (95% interval {low:.3f} to {high:.3f})"
    link = _link(summary, best)
    return Winner(data, best.variant, score, test, link, tables.test_scores(data, best), pictures)


def _link(summary: StudySummary, best: BestRecord) -> str:
    """Return the address of the best network's run in MLflow's user interface, "" where it has none."""
    run_id = next((run.mlflow_run_id for run in summary.runs if run.key == best.key), "")
    if summary.store is None or not run_id or not summary.store.is_linkable:
        return ""
    return f"{summary.store.page}/runs/{run_id}"


def learning_curves(summary: StudySummary, data: str) -> Charts:
    """Return the learning curves of the variants on a data set."""
    marked, variants = study_curves.foremost(summary, data), run_scores.variants(summary, data)
    drawn = study_curves.charts(summary, data, marked)
    legend = svg_curves.legend(variants, study_curves.colours(summary, marked))
    return Charts(data, drawn, legend, len(marked), len(variants))


def search_charts(summary: StudySummary) -> list[SearchChart]:
    """Return the figures of a search; none without one."""
    made = search_report.search_figures(summary)
    charts = []
    for name, title in SEARCH_TITLES.items():
        if name in made:
            figure = made[name]()
            is_wide = name == "parallel_coordinates"
            least = round(figure.get_figwidth() * CSS_DOTS) if is_wide else 0
            charts.append(SearchChart(title, inline_svg(figure), least))
    return charts


def trials_elsewhere(summary: StudySummary) -> list[int]:
    """Return the trials without a run here: other commands that share the search have carried them out."""
    here = {run.variant for run in summary.runs}
    return sorted(trial.number for trial in summary.trials or () if f"trial {trial.number}" not in here)
