"""medcls report and medcls compare, from the summaries that studies leave."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from summaries import summary


def medcls(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a work folder in which a whole run and a later smoke run have ended."""
    for key, found in (("whole", summary()), ("smoke", summary(smoke=True, question="Smoke?"))):
        (tmp_path / "studies" / key).mkdir(parents=True)
        (tmp_path / "studies" / key / "summary.json").write_text(json.dumps(found.as_plain()))
    return tmp_path


def test_report_writes_the_page_of_the_whole_run(work: Path) -> None:
    done = medcls("report", "task1a_dropout", "--work-dir", work)
    assert done.returncode == 0
    assert done.stderr.startswith("medcls: task1a_dropout@skin of ")
    assert len(done.stderr.splitlines()) == 1
    path = Path(done.stdout.strip())
    assert path == work / "studies" / "whole" / "report.html"
    assert "--seeds 0,1,2" in path.read_text()


def test_compare_prints_variants_and_verdicts(work: Path) -> None:
    done = medcls("compare", "studies/task1a_dropout.py", "--metric", "gap", "--work-dir", work)
    assert done.returncode == 0, done.stderr
    assert "dropout vs plain" in done.stdout
    assert "better" in done.stdout
    assert "Does <dropout> help?" not in done.stdout


@pytest.mark.parametrize("command", [("report", "nothing"), ("compare", "task1a_dropout", "--metric", "nothing")])
def test_what_is_not_there_is_one_sentence(work: Path, command: tuple[str, ...]) -> None:
    done = medcls(*command, "--work-dir", work)
    assert done.returncode == 2
    assert "nothing" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_score_that_does_not_exist_is_named_with_the_nearest(work: Path) -> None:
    done = medcls("compare", "task1a_dropout", "--metric", "val_acuracy", "--work-dir", work)
    assert done.returncode == 2
    assert "no score 'val_acuracy' (did you mean val_accuracy" in done.stderr
    there_but_not_compared = medcls("compare", "task1a_dropout", "--metric", "val_loss", "--work-dir", work)
    assert there_but_not_compared.returncode == 2
    assert "did you mean" not in there_but_not_compared.stderr
