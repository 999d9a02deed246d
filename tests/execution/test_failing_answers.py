"""An answer that fails costs that answer: tables, report, best model and the other answers are all there."""

import subprocess
import sys
from pathlib import Path

import pytest

from medcls.evaluation.summary import read_summary

TINY = Path(__file__).parents[1] / "cli" / "tiny_study.py"
OWN = '''
def breaks(summary):
    """Which run is the worst?"""
    return AnswerRecord("?", summary.runs[1000].variant)  # here


def forgets(summary):
    summary.finished


def counts(summary):
    return AnswerRecord("How many?", "n runs", {"n": {1, 2, 3}})


def own_score(run):
    return run.metrics["no_such"]  # and here


def good(summary):
    return AnswerRecord("How many runs?", f"{len(summary.finished)} runs.")


STUDY = Study(
    answers=(breaks, compare("narrow", "wide", Score("mine", own_score), "By mine?"), forgets, counts, good),
'''


def line_of(mark: str, lines: list[str]) -> int:
    (number,) = (number for number, line in enumerate(lines, 1) if line.endswith(mark))
    return number


@pytest.mark.slow
def test_answers_fail_alone(tmp_path: Path) -> None:
    script, work = tmp_path / "asked.py", tmp_path / "work"
    imports = (
        "from medcls.evaluation.answers import AnswerRecord, compare\nfrom medcls.evaluation.run_scores import Score\n"
    )
    text = TINY.read_text().replace("\n\nSTUDY = Study(\n", OWN).replace('"tiny_study"', '"asked"')
    script.write_text(text.replace("from medcls.tasks", f"{imports}from medcls.tasks", 1))
    command = [sys.executable, script, "--smoke", "--offline", "--work-dir", work, "--json", tmp_path / "s.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stderr) == (0, "")
    written = script.read_text().splitlines()
    summary = read_summary((tmp_path / "s.json").read_bytes())
    breaks, compared, forgets, counts, good = (answer.answer for answer in summary.answers)
    assert f"{script}, line {line_of(' # here', written)}, in breaks: IndexError" in breaks
    assert f"{script}, line {line_of('# and here', written)}, in own_score: KeyError" in compared
    for sentence, error in ((breaks, "IndexError"), (compared, "KeyError")):
        file = Path(sentence.partition("(the traceback is in ")[2].rstrip(".").rstrip(")"))
        assert file.is_relative_to(work)
        assert error in file.read_text()
    assert "forgets" in forgets
    assert "NoneType" in forgets
    assert "set" in counts
    assert good == "2 runs."
    assert [answer.question for answer in summary.answers][1] == "By mine?"
    assert summary.best
    assert all(answer.answer.split(":")[0] in done.stdout for answer in summary.answers)
    (report,) = work.glob("studies/*/report.html")
    assert "2 runs." in report.read_text()
