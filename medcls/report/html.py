"""A study's report: one HTML page that needs nothing beside it."""

import base64
import re
from collections.abc import Mapping

from medcls.evaluation.answers import interim_look
from medcls.evaluation.metrics import PAGE, words
from medcls.evaluation.run_record import Scalar
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.wording import asked
from medcls.report import page_parts, tables
from medcls.report.page_parts import PageExtras
from medcls.utils.lazy import jinja2
from medcls.utils.texts import printable


def render(summary: StudySummary, extras: PageExtras) -> str:
    """Return a study's page."""
    params = _parameters(summary)
    names = [data.name for data in summary.data_sets]
    is_search = summary.trials is not None
    page = _template().render(
        summary=summary,
        question=asked(summary),
        extras=extras,
        answers=[(answer, tables.answer(answer)) for answer in summary.answers],
        warnings=page_parts.warnings(summary),
        winners=page_parts.winners(summary, extras.of_best),
        repeats=tables.repeats(summary),
        is_repeated=tables.is_repeated(summary),
        comparisons=tables.comparisons(summary, summary.comparisons),
        looked=interim_look(summary),
        trials=tables.trials(summary),
        elsewhere=page_parts.trials_elsewhere(summary),
        searched=page_parts.search_charts(summary),
        variants={} if is_search else {name: tables.variants(summary, name, PAGE) for name in names},
        charts=[page_parts.learning_curves(summary, name) for name in names],
        montages={name: _encoded(picture) for name, picture in extras.montages.items()},
        names=list(params),
        differing=[] if is_search else _differing(params),
        common=_common(params),
        provenance=_provenance(summary),
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
