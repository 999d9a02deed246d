"""A summary from elsewhere: its report holds nothing of this machine but the study's own pictures."""

import base64
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from summaries import summary

from medcls.report.study_report import rewrite_report

FOREIGN = (
    "../../../secret.png",
    "{top}/secret.png",
    "link.png",
    "below/inner.png",
    "notes.txt",
    "text.png",
    "below",
    "..",
)
SECRET = b"\x89PNG\r\n\x1a\n a picture of someone else's"


def png(path: Path) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (3, 3)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a study's folder with one picture, beside files that are none of its business."""
    folder = tmp_path / "work" / "studies" / "key"
    folder.mkdir(parents=True)
    png(folder / "heat_maps_1.png")
    (tmp_path / "secret.png").write_bytes(SECRET)
    (folder / "below").mkdir()
    (folder / "below" / "inner.png").write_bytes(SECRET)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "notes.txt").write_text("a password")
    (folder / "text.png").write_text("a password")
    return folder


def holds(page: str, content: bytes) -> bool:
    return base64.b64encode(content).decode().rstrip("=")[:-1] in page


@pytest.mark.parametrize("file", FOREIGN)
def test_a_figure_that_is_none_of_the_studys_is_left_out_and_named(folder: Path, tmp_path: Path, file: str) -> None:
    file = file.format(top=tmp_path)
    figures = [{"title": "own", "file": "heat_maps_1.png"}, {"title": "theirs", "file": file}]
    page = rewrite_report(folder, summary(figures=figures)).read_text()
    assert holds(page, (folder / "heat_maps_1.png").read_bytes())
    assert not holds(page, SECRET)
    assert not holds(page, b"a password")
    assert "theirs" not in page
    assert f"Left out, for they are no pictures in the study's own folder: {file}." in page


def test_neither_do_the_names_of_data_sets_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "montage_x").mkdir()
    found = summary()
    data = replace(found.data_sets[0], name="x/../../../../secret")
    found = replace(found, data_sets=(data,), best={}, comparisons=(), answers=())
    page = rewrite_report(folder, found).read_text()
    assert not holds(page, SECRET)


def test_a_figure_that_is_gone_is_only_missing(folder: Path) -> None:
    page = rewrite_report(folder, summary(figures=[{"title": "gone", "file": "heat_maps_2.png"}])).read_text()
    assert "Left out" not in page


def test_the_command_says_so_and_texts_of_the_summary_are_only_shown(folder: Path, tmp_path: Path) -> None:
    figures = [{"title": "theirs", "file": "../../../secret.png"}]
    found = summary(figures=figures, document="", question="What\x1b[31m<script>alert(1)</script>?")
    (folder / "summary.json").write_text(json.dumps(found.as_plain()))
    command = [sys.executable, "-m", "medcls", "report", found.study, "--work-dir", tmp_path / "work"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stderr.count("\n") == 2  # the outcome, and what was left out
    assert "../../../secret.png" in ended.stderr
    page = (folder / "report.html").read_text()
    assert "<script" not in page
    assert "What\\x1b[31m&lt;script&gt;" in page
