"""The tables of finished studies to take away: as CSV for programs, in Markdown and LaTeX for documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.metrics import PAGE, words
from medcls.evaluation.run_record import DataSetRecord
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.verdict import Verdict
from medcls.evaluation.wording import asked, than
from medcls.report import tables
from medcls.report.latex import latex
from medcls.report.markdown import markdown
from medcls.report.tables import VERDICT, Table
from medcls.utils.lazy import pandas

LEGEND = "Bold: better than a variant that it was compared with by this score, and worse than none."
BOOKTABS = "% In the preamble: \\usepackage{booktabs}\n"


@dataclass(frozen=True)
class Selection:
    """What is taken of finished studies.

    Attributes:
        summaries: of the studies.
        metric: the name of the only score, None for all that tables have.
        intervals: whether means have their 95% intervals instead of standard deviations, where there is room for one.
    """

    summaries: Sequence[StudySummary]
    metric: str | None = None
    intervals: bool = False

    def scores(self, summary: StudySummary) -> list[str]:
        """Return the names of the scores of one study's variants: those that it compares come first."""
        if self.metric is not None:
            return [self.metric]
        return list(dict.fromkeys([*(row.metric for row in summary.comparisons), *PAGE]))


def as_csv(selection: Selection) -> str:
    """Return one row for each variant, score and comparison of the variant by this score, as CSV."""
    rows = []
    for summary in selection.summaries:
        compared = tables.compared_by(summary, selection.metric)
        for data in summary.data_sets:
            for variant in run_scores.variants(summary, data.name):
                for score in selection.scores(summary):
                    rows += _rows(summary, data, variant, score, compared)
    written: str = pandas.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    return written


def as_markdown(selection: Selection) -> str:
    """Return the tables of variants and of comparisons in Markdown."""
    parts = []
    for summary in selection.summaries:
        parts.append(f"## {summary.study}\n\n{asked(summary)}")
        for table in _tables(summary, selection):
            parts.append(f"{_caption(table)}\n\n{markdown(table)}")
    return "\n\n".join(parts) + "\n"


def as_latex(selection: Selection) -> str:
    """Return the tables of variants and of comparisons in LaTeX, each of which floats."""
    parts = [BOOKTABS]
    for summary in selection.summaries:
        for table in _tables(summary, selection):
            parts.append(latex(replace(table, title=f"{summary.study}. {_caption(table)}")))
    return "\n".join(parts)


def _caption(table: Table) -> str:
    return f"{table.title}. {LEGEND}" if table.strong else f"{table.title}."


def _tables(summary: StudySummary, selection: Selection) -> list[Table]:
    compared = tables.compared_by(summary, selection.metric)
    shown = [_variants(summary, data, selection, compared) for data in summary.data_sets]
    comparisons = tables.comparisons(summary, compared)
    return shown if comparisons is None else [*shown, comparisons]


def _variants(
    summary: StudySummary, data: DataSetRecord, selection: Selection, compared: Sequence[Comparison]
) -> Table:
    """Return the table of a study's variants on one data set with their verdicts, the scores of winners in bold.

    Args:
        summary: what the study ended with.
        data: the data set.
        selection: which scores are shown, and how they are spread.
        compared: the comparisons that count.
    """
    scores = selection.scores(summary)
    table = tables.variants(summary, data.name, scores, intervals=selection.intervals)
    here = [row for row in compared if row.data == data.name]
    names = [row[0] for row in table.rows]
    strong = set()
    for score in scores:
        if words(score) in table.columns:
            for name in _winners([row for row in here if row.metric == score]) & set(names):
                strong.add((names.index(name), table.columns.index(words(score))))
    several = len({row.metric for row in here}) > 1
    rows = []
    for row in table.rows:
        rows.append((*row, _verdicts([comparison for comparison in here if comparison.b == row[0]], several=several)))
    kind = " (a phantom, no real images)" if data.kind == "phantom" else ""
    smoke = "; a smoke run, whose scores mean nothing" if summary.smoke else ""
    title = table.title.replace(f"Variants on {data.name}:", f"Variants on {data.name}{kind}:", 1)
    return Table(f"{title}{smoke}", (*table.columns, VERDICT), tuple(rows), frozenset({VERDICT}), frozenset(strong))


def _winners(compared: Sequence[Comparison]) -> set[str]:
    """Return the variants that some verdict calls better than another, and that no verdict calls worse than any."""
    winners, losers = set(), set()
    for row in compared:
        if row.verdict in (Verdict.BETTER, Verdict.WORSE):
            winner, loser = (row.b, row.a) if row.verdict == Verdict.BETTER else (row.a, row.b)
            winners.add(winner)
            losers.add(loser)
    return winners - losers


def _verdicts(compared: Sequence[Comparison], *, several: bool) -> str:
    """Return the verdicts on one variant in words, with their scores where the table has several."""
    verdicts = []
    for row in compared:
        verdict = str(row.verdict) if row.verdict == Verdict.ONE_RUN else f"{row.verdict} {than(row.verdict)} {row.a}"
        verdicts.append(f"{words(row.metric)}: {verdict}" if several else verdict)
    return "; ".join(verdicts)


def _rows(
    summary: StudySummary, data: DataSetRecord, variant: str, score: str, compared: Sequence[Comparison]
) -> list[Mapping[str, Any]]:
    """Return the rows of one variant and score: one for each comparison of the variant by it, else one.

    Args:
        summary: what the study ended with.
        data: the data set.
        variant: the name of the variant.
        score: the name of the score.
        compared: the comparisons that count.
    """
    mine = [row for row in compared if (row.data, row.b, row.metric) == (data.name, variant, score)]
    measure = run_scores.score(score)
    values = run_scores.values(run_scores.finished(summary, data.name, variant).values(), measure)
    if not values and not mine:
        return []
    described: dict[str, Any] = {"study": summary.study, "smoke": summary.smoke, "data": data.name, "kind": data.kind}
    described |= {"variant": variant, "score": score, "n": len(values) or None}
    spread = spread_of(values, measure.ends) if values else None
    low, high = (spread.ci95 if spread else None) or (None, None)
    described["mean"] = spread.mean if spread else None
    described["sd"] = spread.sd if spread and len(values) > 1 else None
    described |= {"ci_low": low, "ci_high": high}
    return [described | _compared(row) for row in mine] or [described | _compared(None)]


def _compared(row: Comparison | None) -> dict[str, Any]:
    """Return the columns of a comparison, all empty for none."""
    names = ("compared_with", "difference", "difference_low", "difference_high", "p_adjusted", "pairs", "verdict")
    if row is None:
        return dict.fromkeys(names)
    low, high = row.ci95 if row.ci95[0] < row.ci95[1] else (None, None)
    return dict(zip(names, (row.a, row.difference, low, high, row.p_adjusted, row.n, str(row.verdict)), strict=True))
