"""medcls figures: the figures of a finished study as files, the same bytes every time."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas
import pytest
from figure_parts import check_texts, ticks, title
from PIL import Image
from summaries import summary
from typed_summaries import typed

from medcls import results
from medcls.report.study_figures import study_figures

TINY = Path(__file__).parent.parent / "tiny" / "tiny_tables.py"
CURVES = ("curves_accuracy", "curves_loss", "gap")
BEST = ("confusion_matrix", "roc", "precision_recall", "calibration", "class_scores", "certain_errors")


def medcls(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a work directory with the summary of a study whose runs and images are gone."""
    (tmp_path / "studies" / "one").mkdir(parents=True)
    (tmp_path / "studies" / "one" / "summary.json").write_text(json.dumps(summary().as_plain()))
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of three variants over two seeds that were trained."""
    folder, generator = tmp_path_factory.mktemp("trained"), np.random.default_rng(0)
    for part, count in (("train", 12), ("validation", 8), ("test", 8)):
        for level, name in ((160, "bright"), (90, "dark")):
            (folder / "images" / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.normal(level, 60, (16, 16)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "images" / part / name / f"{part}{number}.png")
    flags = ("--offline", "--set", "learner.epochs=3", "--seeds", "0,1", "--work-dir", folder / "work")
    command = [sys.executable, TINY, "--data", folder / "images", *flags]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return folder / "work"


@pytest.mark.slow
def test_a_trained_study_has_all_figures_in_all_formats(trained: Path, tmp_path: Path) -> None:
    flags = ("tiny_tables", "--work-dir", trained, "--format", "pdf,svg,png")
    first, second = (
        medcls("figures", *flags, "--out", tmp_path / "a"),
        medcls("figures", *flags, "--out", tmp_path / "b"),
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    names = {*CURVES, "confusion_matrices", *(f"best_{name}" for name in BEST)}
    paths = [Path(line) for line in first.stdout.splitlines()]
    assert {path.stem for path in paths} == names
    assert len(paths) == 3 * len(names)
    for path in paths:
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    for name in names:
        assert (tmp_path / "a" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert ET.parse(tmp_path / "a" / f"{name}.svg").getroot().tag.endswith("svg")
        with Image.open(tmp_path / "a" / f"{name}.png") as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=1)


@pytest.mark.slow
def test_matrices_hold_the_validation_images_of_all_seeds(trained: Path) -> None:
    ended = results("tiny_tables", trained)
    assert ended.found is not None
    figure = study_figures(ended.found, trained).by_name["confusion_matrices"]()
    check_texts(figure)
    assert [axes.get_title() for axes in figure.axes] == [f"{name} (n = 2)" for name in ("cannot", "small", "wide")]
    for axes, variant in zip(figure.axes, ("cannot", "small", "wide"), strict=True):
        counts = [int(text.get_text().split("\n")[0]) for text in axes.texts]
        assert sum(counts) == 2 * 16
        right = ended.runs[ended.runs["variant"] == variant]["accuracy"].mean()
        assert (counts[0] + counts[3]) / sum(counts) == pytest.approx(right)
    assert ticks(figure.axes[0].yaxis) == ["bright", "dark"]


@pytest.mark.slow
def test_tables_of_a_trained_study_agree(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "tables.csv"
    assert medcls("compare", "tiny_tables", "--csv", file, "--work-dir", trained).returncode == 0
    table = pandas.read_csv(file).query("score == 'val_accuracy'").drop_duplicates("variant").set_index("variant")
    ended = results("tiny_tables", trained)
    kept = ended.epochs[ended.epochs["kept"]].groupby("variant")["val_accuracy"]
    assert table["mean"].to_dict() == pytest.approx(kept.mean().to_dict())
    tested = ended.runs.dropna(subset=["test_accuracy"])
    assert len(set(tested["variant"])) == 1
    assert len(tested) == 2


def test_without_images_the_curves_are_drawn_and_the_rest_is_said(work: Path, tmp_path: Path) -> None:
    done = medcls("figures", "task1a_dropout", "--work-dir", work, "--out", tmp_path / "out", "--format", "svg")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.svg" for name in CURVES}
    assert "decoded images of skin" in done.stderr


def test_curves_name_variants_beside_them(work: Path) -> None:
    figure = study_figures(summary(), work).by_name["curves_accuracy"]()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["plain", "dropout", "training", "validation"]
    assert "mean ± standard deviation over the seeds" in title(figure)
    assert "no real images" in title(figure)
    single = study_figures(summary(seeds=1, smoke=True), work).by_name["curves_accuracy"]()
    assert "one run of each" in title(single)
    assert "a smoke run" in title(single)


def test_a_search_is_drawn() -> None:
    trials = [
        {"number": 0, "state": "complete", "value": 0.5, "params": {"learner.lr": 0.001}},
        {"number": 1, "state": "pruned", "value": None, "params": {"learner.lr": 0.5}},
        {"number": 2, "state": "complete", "value": 0.8, "params": {"learner.lr": 0.1}},
    ]
    found = typed({"data_sets": [{"name": "skin"}], "runs": [], "trials": trials})
    figures = study_figures(found, Path(os.devnull)).by_name
    assert set(figures) == {"search_history", "search_parallel_coordinates"}
    (axes,) = figures["search_history"]().axes
    assert axes.get_xlabel() == "trial"


@pytest.mark.parametrize(("flag", "value"), [("--format", "pdf,gif"), ("--out", "file/figures")])
def test_what_cannot_be_drawn_is_one_sentence(work: Path, tmp_path: Path, flag: str, value: str) -> None:
    (tmp_path / "file").touch()
    value = value if flag == "--format" else str(tmp_path / value)
    flags = {"--format": "pdf", "--out": str(tmp_path / "out"), flag: value}
    done = medcls("figures", "task1a_dropout", "--work-dir", work, *(word for item in flags.items() for word in item))
    assert done.returncode == 2
    assert f"{flag} {value}" in done.stderr
    assert not (tmp_path / "out").exists()
