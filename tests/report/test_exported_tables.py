"""medcls compare --csv, --latex, --markdown: the tables of finished studies as files."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from scipy import stats
from summaries import ANSWERS, summary
from typed_summaries import answered, typed

from medcls.evaluation.answers import compare
from medcls.evaluation.summary import StudySummary

ODD = "50% & more_of {all} $5 <ü>"


def medcls(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def ended(work: Path, found: StudySummary) -> Path:
    """Write a summary into a work directory, as its study does when it ends."""
    folder = work / "studies" / found.study
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(found.as_plain()))
    return work


def three(**more: Any) -> StudySummary:
    """Return three variants over folds with their refits: "best" beats "plain", "odd" is like it."""
    runs = []
    for variant, scores in (("plain", (0.6, 0.62, 0.61)), ("best", (0.8, 0.83, 0.81)), (ODD, (0.6, 0.63, 0.6))):
        for fold, value in enumerate([*scores, 0.0]):  # the last is the refit, whose score is far away
            place = None if fold == 3 else fold
            params = {"folds": 3, "seed": 0, "fold": place}
            metrics = {"balanced_accuracy": value}
            runs.append(
                {"data": "skin", "variant": variant, "seed": 0, "fold": place, "params": params, "metrics": metrics}
            )
    found = typed({"data_sets": [{"name": "skin"}], "runs": runs, **more})
    questions = [compare("plain", "best", "balanced_accuracy"), compare("plain", ODD, "balanced_accuracy")]
    return answered(found, questions)


def test_csv_has_means_deviations_intervals_and_verdicts_of_the_folds(tmp_path: Path) -> None:
    found, file = three(), tmp_path / "tables.csv"
    done = medcls("compare", "made_up", "--csv", file, "--work-dir", ended(tmp_path, found))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    rows = pandas.read_csv(file).set_index("variant")
    assert rows["score"].unique().tolist() == ["balanced_accuracy"]
    scores = [0.8, 0.83, 0.81]
    assert rows["n"].tolist() == [3, 3, 3]
    assert rows["mean"]["best"] == pytest.approx(np.mean(scores))
    assert rows["sd"]["best"] == pytest.approx(np.std(scores, ddof=1))
    interval = stats.t.interval(0.95, 2, np.mean(scores), stats.sem(scores))
    assert (rows["ci_low"]["best"], rows["ci_high"]["best"]) == pytest.approx(interval)
    assert rows["verdict"].fillna("").tolist() == ["", "better", "not distinguishable"]
    assert rows["compared_with"].fillna("").tolist() == ["", "plain", "plain"]
    assert rows["difference"]["best"] == pytest.approx(0.61 / 3 + 0.0, abs=0.01)
    assert rows["difference_low"]["best"] == pytest.approx(found.comparisons[0].ci95[0])


def test_markdown_is_bold_by_verdict_alone(tmp_path: Path) -> None:
    """The variant with the odd name is better than plain by its mean, but no verdict says so."""
    file = tmp_path / "tables.md"
    done = medcls("compare", "made_up", "--markdown", file, "--work-dir", ended(tmp_path, three()))
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert re.findall(r"\*\*(.*?)\*\*", text) == ["0.813 ± 0.015"]
    assert "a phantom, no real images" in text
    assert "| plain | 3 | 0.610 ± 0.010 |  |" in text
    assert "| best | 3 | **0.813 ± 0.015** | better than plain |" in text
    assert "not distinguishable from plain" in text
    assert "best vs plain" in text


def test_intervals_replace_deviations(tmp_path: Path) -> None:
    file = tmp_path / "tables.md"
    done = medcls("compare", "made_up", "--markdown", file, "--intervals", "--work-dir", ended(tmp_path, three()))
    assert done.returncode == 0, done.stderr
    low, high = stats.t.interval(0.95, 2, 0.61, 0.01 / 3**0.5)
    assert f"0.610 [{low:.3f}, {high:.3f}]" in file.read_text()
    assert "±" not in file.read_text()


def test_latex_has_no_character_that_means_something_else(tmp_path: Path) -> None:
    file = tmp_path / "tables.tex"
    done = medcls("compare", "made_up", "--latex", file, "--work-dir", ended(tmp_path, three()))
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert text.startswith("% In the preamble: \\usepackage{booktabs}")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert r"\textbf{0.813 $\pm$ 0.015}" in text
    assert r"50\% \& more\_of \{all\} \$5 $<$ü$>$" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {3, 7}
    assert "$-$0.0" in text  # the lower end of an interval


def test_one_value_has_no_deviation_and_no_verdict(tmp_path: Path) -> None:
    work = ended(tmp_path, answered(summary(seeds=1), ANSWERS))
    csv, markdown = tmp_path / "tables.csv", tmp_path / "tables.md"
    done = medcls("compare", "task1a_dropout", "--csv", csv, "--markdown", markdown, "--work-dir", work)
    assert done.returncode == 0, done.stderr
    rows = pandas.read_csv(csv)
    assert rows["sd"].isna().all()
    assert rows["ci_low"].isna().all()
    assert set(rows["verdict"].dropna()) == {"one run only"}
    assert "±" not in markdown.read_text()
    assert "one run of each" in markdown.read_text()
    assert "**" not in markdown.read_text()


def test_one_score_of_two_studies(tmp_path: Path) -> None:
    ended(tmp_path, three(study="other"))
    ended(tmp_path, three())
    arguments = ("compare", "made_up", "other", "--metric", "balanced_accuracy", "--csv", "/dev/stdout")
    done = medcls(*arguments, "--work-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["study", *["made_up"] * 3, *["other"] * 3]


@pytest.mark.parametrize("flag", ["--csv", "--latex", "--markdown"])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, flag: str) -> None:
    done = medcls("compare", "made_up", flag, tmp_path / "no" / "file", "--work-dir", ended(tmp_path, three()))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"{flag} {tmp_path / 'no' / 'file'}" in done.stderr
    file = tmp_path / "file"
    done = medcls("compare", "made_up", "--metric", "acuracy", flag, file, "--work-dir", tmp_path)
    assert done.returncode == 2
    assert not file.exists()
