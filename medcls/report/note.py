"""The note that the MLflow UI shows beside a study, in Markdown: its question, its answer, and what repeats it."""

from collections.abc import Sequence

from medcls.evaluation.metrics import words
from medcls.evaluation.run_record import DataSetRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.evaluation.wording import asked, mean_sd
from medcls.report import tables
from medcls.report.markdown import markdown
from medcls.report.tables import Table
from medcls.utils.texts import printable


def opening(question: str, command: str) -> str:
    """Return the note of a study that is under way."""
    return f"**{question}**\n\nUnder way. The command:\n\n    {command}\n"


def note(summary: StudySummary, command: str) -> str:
    """Return a study's question, answers, verdicts and best scores, and the command that repeats it, in Markdown."""
    paragraphs = [f"**{asked(summary)}**"]
    for answer in summary.answers:
        table = tables.answer(answer)
        text = answer.answer if table is None else ""
        paragraphs.append(text if answer.question == asked(summary) and text else f"{answer.question} {text}".strip())
        paragraphs += _tables(table)
    paragraphs += _tables(tables.comparisons(summary, summary.comparisons))
    paragraphs += _bullets([remark.sentence for remark in summary.remarks])
    for data in summary.data_sets:
        best = summary.best.get(data.name)
        if best is None:
            paragraphs.append(f"No variant was finished on {data.name}.")
        else:
            paragraphs.append(_best(data, best, tables.repeats(summary)))
            paragraphs += _tables(tables.test_scores(data.name, best))
        if data.findings:
            paragraphs.append("Found in its images:")
            paragraphs += _bullets([finding.sentence for finding in data.findings])
    if summary.failed:
        paragraphs.append(f"{len(summary.failed)} of {len(summary.runs)} runs failed.")
    paragraphs.append(f"The command:\n\n    {command}")
    return printable("\n\n".join(paragraphs) + "\n", keep="\n")


def _best(data: DataSetRecord, best: BestRecord, repeats: str) -> str:
    """Return the best variant on a data set and its score, in a sentence."""
    kind = " (a phantom, no real images)" if data.kind == "phantom" else ""
    mean, sd = best.mean_sd[best.metric]
    over = f" over the {repeats}" if sd else ""
    score = f"{words(best.metric)} {mean_sd(mean, sd)}{over}"
    sentence = f"Best on {data.name}{kind}: **{best.variant}**, {score}"
    tested = (best.test or {}).get(best.metric)
    if tested is None:
        return f"{sentence}."
    low, high = tested.ci95
    return f"{sentence}; {tested.value:.3f} on the test set (95% interval {low:.3f} to {high:.3f})."


def _bullets(sentences: Sequence[str]) -> list[str]:
    """Return sentences as one list of Markdown, nothing for none."""
    return ["\n".join(f"- {sentence}" for sentence in sentences)] if sentences else []


def _tables(table: Table | None) -> list[str]:
    """Return a table in Markdown, nothing for none."""
    return [] if table is None else [markdown(table)]
