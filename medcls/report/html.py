"""A study's report: one HTML page that needs nothing beside it."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medcls.evaluation import run_scores
from medcls.evaluation.answers import interim_look
from medcls.evaluation.metrics import PAGE, words
from medcls.evaluation.run_record import Scalar
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.wording import asked
from medcls.report import tables
from medcls.report.figures import study_curves, svg_curves
from medcls.report.figures.svg_curves import LegendEntry
from medcls.utils.lazy import jinja2
from medcls.utils.texts import printable
from medcls.utils.typed_json import nothing


@dataclass(frozen=True)
class PageExtras:
    """What a study's page shows beside its summary.

    Attributes:
        notes: paragraphs about the study, from its file's docstring.
        command: what repeats it.
        version: of medcls.
        day: of the report, in words.
        montages: data set -> a PNG of examples; may lack some.
        sheets: title -> a PNG of where networks look.
        left_out: files that the summary names as figures and that are none of the study's.
    """

    notes: Sequence[str]
    command: str
    version: str
    day: str
    montages: Mapping[str, bytes] = field(default_factory=nothing)
    sheets: Mapping[str, bytes] = field(default_factory=nothing)
    left_out: Sequence[str] = ()


def render(summary: StudySummary, extras: PageExtras) -> str:
    """Return a study's page."""
    params = _parameters(summary)
    names = [data.name for data in summary.data_sets]
    tested = {name: tables.test_scores(name, best) for name, best in summary.best.items() if best.test}
    page = _template().render(
        study=summary.study,
        question=asked(summary),
        smoke=summary.smoke,
        runs=len(summary.runs),
        failed=len(summary.failed),
        repeats=tables.repeats(summary),
        answers=summary.answers,
        comparisons=tables.comparisons(summary, summary.comparisons),
        looked=interim_look(summary),
        remarks=summary.remarks,
        trials=tables.trials(summary),
        elsewhere=_trials_elsewhere(summary),
        variants={name: tables.variants(summary, name, PAGE) for name in names},
        best=summary.best,
        tested=tested,
        charts=[_charts(summary, name) for name in names],
        data_sets=summary.data_sets,
        montages={name: _encoded(picture) for name, picture in extras.montages.items()},
        left_out=extras.left_out,
        sheets={title: _encoded(sheet) for title, sheet in extras.sheets.items()},
        notes=extras.notes,
        names=list(params),
        differing=_differing(params),
        common=_common(params),
        command=extras.command,
        provenance=_provenance(summary),
        version=extras.version,
        day=extras.day,
    )
    return str(page)


def _template() -> "jinja2.Template":
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medcls.report", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"words": words, "minus": _with_minus, "parts": _parts}
    return environment.get_template("page.html")


def _visible(value: object) -> object:
    """Return what the page shows of a value: of a text that comes from outside, no characters that are none to see."""
    return printable(value) if type(value) is str else value  # markup, which is no plain str, is the page's own


@dataclass(frozen=True)
class Charts:
    """The learning curves on one data set: charts as SVG, their legend, how many of its variants have a colour."""

    name: str
    charts: Sequence[str]
    legend: Sequence[LegendEntry]
    coloured: int
    variants: int


def _charts(summary: StudySummary, data: str) -> Charts:
    marked, variants = study_curves.foremost(summary, data), run_scores.variants(summary, data)
    drawn, legend = (
        study_curves.charts(summary, data, marked),
        svg_curves.legend(variants, study_curves.colours(summary, marked)),
    )
    return Charts(data, drawn, legend, len(marked), len(variants))


def _trials_elsewhere(summary: StudySummary) -> list[int]:
    """Return the trials without a run here: other commands that share the search have carried them out."""
    here = {run.variant for run in summary.runs}
    return sorted(trial.number for trial in summary.trials or () if f"trial {trial.number}" not in here)


def _encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def _parameters(summary: StudySummary) -> dict[str, Mapping[str, Scalar]]:
    """Return the parameters of each variant's first run."""
    params: dict[str, Mapping[str, Scalar]] = {}
    for run in summary.runs:
        params.setdefault(run.variant, run.params)
    return params


def _differing(params: Mapping[str, Mapping[str, Scalar]]) -> list[tuple[str, list[str]]]:
    """Return the parameters in which variants differ: path, and one value a variant."""
    paths: dict[str, None] = {}
    for of_variant in params.values():
        paths |= dict.fromkeys(of_variant)
    differing = []
    for path in paths:
        values = [tables.plain(of_variant.get(path)) for of_variant in params.values()]
        if len(set(values)) > 1:
            differing.append((path, values))
    return differing


def _common(params: Mapping[str, Mapping[str, Scalar]]) -> list[tuple[str, str]]:
    """Return the parameters that all variants share, without seed and fold."""
    differing = {path for path, _ in _differing(params)} | {"seed", "fold"}
    first = next(iter(params.values()), {})
    return [(path, tables.plain(value)) for path, value in first.items() if path not in differing]


def _provenance(summary: StudySummary) -> str:
    commit = summary.git_commit
    changed = " with changes that were not committed" if summary.git_dirty else ""
    code = f"Code: commit {commit[:12]}{changed}. " if commit else ""
    keys = sorted({run.key for run in summary.runs})
    more = " and more." if len(keys) > 12 else "."
    return f"{code}{len(summary.runs)} runs, whose run directories bear their keys: {', '.join(keys[:12])}{more}"


def _parts(text: str) -> list[str]:
    """Return a parameter's path or value in parts between which a line may break."""
    return [text] if text[:1].isdigit() else re.split(r"(?<=[._(,])(?=\D)", text)


def _with_minus(text: str) -> str:
    """Return numbers with the sign that typesetters use for minus."""
    return re.sub(r"(?<!\S)-(?=\d)", "\N{MINUS SIGN}", text)
