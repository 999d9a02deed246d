"""Which outcome of a study a name means, and what `medcls studies`, report and compare make of it."""

import json
import os
from pathlib import Path

import pytest
from typed_summaries import typed

from medcls import BadInputError
from medcls.cli.main import main
from medcls.tracking.outcomes import labels, matching, outcomes

RUN = {"variant": "plain", "seed": 0}


def ended(work: Path, key: str, minute: int, *data: tuple[str, str], smoke: bool = False, study: str = "mine") -> None:
    """Write the summary of a study with one run on each data set, given as name and kind, at a minute of the day."""
    summary = typed(
        {
            "study": study,
            "question": f"What is {key}?",
            "smoke": smoke,
            "data_sets": [{"name": name, "kind": kind} for name, kind in data],
            "runs": [{**RUN, "key": f"{key}-{name}", "data": name} for name, _ in data],
            "best": {name: {"key": f"{key}-{name}", "variant": "plain"} for name, _ in data},
        }
    )
    path = work / "studies" / key / "summary.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(summary.as_plain()))
    os.utime(path, (60 * minute, 60 * minute))


def taken(name: str, work: Path) -> str:
    return matching(name, work)[0].folder.name


def test_a_study_is_its_newest_on_real_data_then_a_phantom_and_smoke_is_last(tmp_path: Path):
    ended(tmp_path, "drawn", 9, ("xray", "phantom"))
    assert taken("mine", tmp_path) == "drawn"
    ended(tmp_path, "first", 1, ("films", "files"))
    assert taken("mine", tmp_path) == "first"
    ended(tmp_path, "second", 2, ("scans", "files"))
    ended(tmp_path, "tried", 8, ("scans", "files"), smoke=True)
    assert taken("mine", tmp_path) == "second"
    ended(tmp_path, "digits", 3, ("mnist", "toolkit"))  # real ones, from a library
    assert taken("mine", tmp_path) == "digits"
    names = {name: taken(f"mine@{name}", tmp_path) for name in ("xray", "films", "scans")}
    assert names == {"xray": "drawn", "films": "first", "scans": "second"}


def test_real_images_under_the_name_of_a_phantom_come_before_it(tmp_path: Path):
    ended(tmp_path, "real", 1, ("xray", "files"))
    ended(tmp_path, "drawn", 2, ("xray", "phantom"))
    assert taken("mine@xray", tmp_path) == "real"
    assert taken("mine@xray#draw", tmp_path) == "drawn"


def test_every_outcome_has_a_name_that_means_it_alone(tmp_path: Path):
    for minute, key in enumerate(("abcdef", "abcdxy", "abcdxz", "f")):
        ended(tmp_path, key, minute, ("films@2", "files"), ("bone", "phantom"))
    ended(tmp_path, "other", 9, ("films", "files"), study="mine@films")
    every = outcomes(tmp_path)
    assert len(set(labels(every))) == len(every) == 9
    for outcome, name in zip(every, labels(every), strict=True):
        assert matching(name, tmp_path)[0] == outcome


def test_what_is_not_there_is_refused_with_the_names_that_are(tmp_path: Path):
    with pytest.raises(BadInputError, match="run its file first"):
        matching("mine", tmp_path)
    ended(tmp_path, "real", 1, ("films", "files"))
    for name in ("mine@scans", "yours", "mine@films#0"):
        with pytest.raises(BadInputError, match=f"no results of {name} in .*mine@films"):
            matching(name, tmp_path)


def test_studies_lists_the_names_of_outcomes_those_without_a_file_too(tmp_path: Path, capsys):
    folder, work = tmp_path / "files", tmp_path / "work"
    folder.mkdir()
    (folder / "mine.py").write_text('"""Is it mine?"""\nSTUDY = Study(name="mine")\n')
    ended(work, "drawn", 9, ("xray", "phantom"))
    ended(work, "1234567", 1, ("films", "files"))
    ended(work, "8901234", 2, ("films", "files"))
    ended(work, "elsewhere", 3, ("films", "files"), study="ours")
    assert main(["studies", str(folder), "--work-dir", str(work)]) == 0
    told = [line.split(" of 19")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == [
        "mine",
        "    Is it mine?",
        "    mine@films",
        "    mine@films#1234",
        "    mine@xray",
        "ours",
        "    What is elsewhere?",
        "    ours@films",
    ]


@pytest.mark.parametrize(
    ("name", "key", "data"),
    [("mine", "real", "films"), ("mine@films", "real", "films"), ("mine@xray", "drawn", "xray")],
)
def test_report_and_compare_say_which_outcome_they_took(tmp_path: Path, capsys, name: str, key: str, data: str):
    ended(tmp_path, "real", 1, ("films", "files"))
    ended(tmp_path, "drawn", 2, ("xray", "phantom"))
    assert main(["report", name, "--work-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(tmp_path / "studies" / key / "report.html")
    assert said.err.startswith(f"medcls: mine@{data} of 19")
    assert main(["compare", name, "--work-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"mine@{data} of 19")
    assert f"mine: What is {key}?" in said.out


def test_compare_shows_the_data_set_that_the_name_has(tmp_path: Path, capsys):
    ended(tmp_path, "both", 1, ("films", "files"), ("scans", "files"))
    shown = {}
    for name in ("mine", "mine@scans"):
        assert main(["compare", name, "--work-dir", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        shown[name] = [data for data in ("films", "scans") if data in out]
    assert shown == {"mine": ["films", "scans"], "mine@scans": ["scans"]}
