"""A work folder in which much is damaged, or somebody else's: every run ends as before, and each fault is a line."""

from pathlib import Path
from typing import Any

import pytest

DEEP = "[" * 100_000


def flip(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) * 2 // 5] ^= 1
    path.write_bytes(damaged)


@pytest.mark.slow
def test_a_damaged_work_folder(finished: Any) -> None:
    before, place = finished.results(), finished
    first, second, third, fourth = place.run_folders()
    (first / "result.json").write_text("[]")
    flip(first / "checkpoint.npz")
    (second / "journal.jsonl").write_text('{"epoch": 0, "metrics": {"loss": NaN}}\n' * 2)
    (third / "run.json").write_text(DEEP)
    (fourth / "predictions.npz").write_bytes(b"PK")
    (fourth / ".ipynb_checkpoints").mkdir()
    (fourth / ".DS_Store").write_text("somebody's")
    (place.work / ".ipynb_checkpoints").mkdir()
    (place.work / "studies" / ".DS_Store").touch()
    (place.work / "cache" / "networks.json").write_text("[]")
    for path in place.work.glob("studies/*/summary.json"):
        path.write_text(DEEP)
    (images,) = place.work.glob("cache/*-8x8x1/images.npy")
    with images.open("r+b") as file:
        file.seek(300)
        file.write(bytes(500))
    ended = place.run(place.TINY, "--data", place.images, "--offline")
    assert (ended.code, ended.err) == (0, "")
    assert "Traceback" not in ended.out
    assert place.results() == before
    broken = [first / "result.json", first / "checkpoint.npz", second / "journal.jsonl"]
    for told in (*broken, third / "run.json", fourth / "predictions.npz"):
        assert f"{told} is damaged (" in ended.out
    assert f"The decoded images in {images.parent} are damaged" in ended.out
    assert (fourth / ".DS_Store").read_text() == "somebody's"


@pytest.mark.slow
@pytest.mark.parametrize("content", ["[]", "{}", '{"created": NaN}', DEEP, ""])
def test_what_a_study_remembers_is_refused_where_it_is_damaged(finished: Any, content: str) -> None:
    (home,) = (finished.work / "studies").iterdir()
    (home / "study.json").write_text(content)
    ended = finished.run(finished.TINY, "--data", finished.images, "--offline")
    ended.check_complaint(2, str(home / "study.json"), "remove it and run the same command again")
