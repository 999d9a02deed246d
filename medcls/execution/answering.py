"""Comparisons and answers of a study: an error in one answer costs that answer, never what the study has found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medcls.evaluation.answers import Answer, comparisons, decided
from medcls.evaluation.summary import AnswerRecord, StudySummary
from medcls.utils.files import as_json
from medcls.utils.tracing import defined_at, kept
from medcls.utils.typed_json import as_plain, from_json

FILES = "answer_*_traceback.txt"


def with_answers(summary: StudySummary, answers: Sequence[Answer], folder: Path) -> StudySummary:
    """Return a summary with its comparisons and answers; an answer that fails says where and why.

    Args:
        summary: what the study ended with.
        answers: of the study.
        folder: where tracebacks are kept, the study's directory.
    """
    for file in folder.glob(FILES):
        file.unlink()  # of answers that failed earlier
    files = {place: folder / FILES.replace("*", str(place)) for place in range(1, len(answers) + 1)}
    failed: dict[int, AnswerRecord] = {}
    sound = []
    for place, answer in enumerate(answers, start=1):
        try:
            comparisons(summary, [answer])
        except Exception as error:  # noqa: BLE001 - a score of the user's own may raise anything
            failed[place] = _failed(answer, kept(error, files[place]))
        else:
            sound.append(answer)
    summary = replace(summary, comparisons=comparisons(summary, sound))
    records = []
    for place, answer in enumerate(answers, start=1):
        records.append(failed[place] if place in failed else _answered(summary, answer, files[place]))
    return replace(summary, answers=tuple(records))


def is_decided(summary: StudySummary, answers: Sequence[Answer]) -> bool:
    """Tell whether more seeds are of no use to the first comparison, also because it fails: its answer says why."""
    try:
        return decided(summary, answers)
    except Exception:  # noqa: BLE001 - a score of the user's own may raise anything
        return True


def _answered(summary: StudySummary, answer: Answer, file: Path) -> AnswerRecord:
    """Return an answer, or the record of its failure; the traceback goes into the file."""
    try:
        record: object = answer(summary)
        if isinstance(record, AnswerRecord):
            from_json(AnswerRecord, as_json(as_plain(record)))
            return record
    except Exception as error:  # noqa: BLE001 - an answer of the user's own may raise anything
        return _failed(answer, kept(error, file))
    name = getattr(answer, "__name__", type(answer).__name__)
    returned = type(record).__name__
    return _failed(answer, f"{name}{defined_at(answer)} returned a {returned}, no AnswerRecord(question, answer).")


def _failed(answer: Answer, why: str) -> AnswerRecord:
    """Return the record of an answer that failed, under its own question, else under its function's name."""
    asked = getattr(answer, "question", None)
    if not isinstance(asked, str):
        asked = f"{getattr(answer, '__name__', type(answer).__name__)}:"
    return AnswerRecord(asked, f"This answer failed: {why}")
