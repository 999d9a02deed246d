"""studies/task3_transforms.py: figures of one image, what was measured of it, one entry in the store."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcls.cli.demonstration import main
from medcls.data import transforms
from studies.task3_transforms import STUDY

FIGURES = ["augmentations.png", "flip.png", "intensity.png", "rescale.png", "rotate.png"]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A grey ramp, wider than high."""
    ramp = np.add.outer(np.arange(40), 2 * np.arange(60)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    return tmp_path / "ramp.png"


def study(tmp_path: Path, *flags: Any) -> int:
    places = ["--work-dir", tmp_path / "work", "--tracking-uri", f"sqlite:///{tmp_path / 'store.db'}"]
    with pytest.raises(SystemExit) as ended:
        main(STUDY, [str(each) for each in [*places, *flags]])
    return int(ended.value.code or 0)


def test_figures_summary_and_one_entry_in_the_store_however_often(photograph: Path, tmp_path: Path, capsys) -> None:
    command = ["--image", photograph, "--out", tmp_path / "out", "--json", tmp_path / "summary.json"]
    flags = ["--scale", "0.5,2", "--angle", "-90,45", "--percentiles", "10,90"]

    assert study(tmp_path, *command, *flags) == 0
    assert study(tmp_path, *command, *flags) == 0

    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == FIGURES
    summary = json.loads((tmp_path / "summary.json").read_text())
    values = {each["question"]: each["values"] for each in summary["answers"]}
    assert values["What is rescaled by 0.5?"]["shape"] == [20, 30]
    assert values["What is rescaled by 2?"]["shape"] == [80, 120]
    assert values["What is rotated by 45°?"]["shape"] == [40, 60]
    assert sum("random" in name for name in values) == 5
    assert summary["data_sets"][0]["kind"] == "files"
    assert "60x40 pixels" in capsys.readouterr().out
    with sqlite3.connect(tmp_path / "store.db") as store:
        assert store.execute("select name from experiments where name like 'task3%'").fetchall() == [(STUDY.name,)]
        assert store.execute("select status from runs").fetchall() == [("FINISHED",)]
    store.close()
    assert len(list((tmp_path / "mlruns").rglob("rotate.png"))) == 1


def test_a_plan_draws_nothing(photograph: Path, tmp_path: Path, capsys) -> None:
    assert study(tmp_path, "--image", photograph, "--plan") == 0
    assert "5 figures" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["ramp.png"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--scale", "0"], "--scale 0"),
        (["--scale", "half"], "not a list of numbers"),
        (["--angle", "400"], "--angle 400"),
        (["--percentiles", "95,5"], "--percentiles 95,5"),
        (["--percentiles", "5"], "--percentiles 5"),
        (["--seed", "-1"], "--seed -1"),
        (["--image", "nothing.png"], "nothing.png cannot be read"),
        (["--image", "a.png", "--data", "xray"], "give one of the two"),
        (["--data", "nothing"], "'nothing'"),
        (["--scales", "1"], "--scales"),
    ],
)
def test_bad_flags_are_one_sentence_and_leave_the_store_alone(flags: list[str], words: str, tmp_path: Path, capsys):
    assert study(tmp_path, *flags) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "store.db").exists()


def test_a_rotation_loses_what_geometry_says() -> None:
    square = np.full((200, 200), 100, np.uint8)

    values = transforms.rotated(square, 45.0).values

    regular_octagon = 2 * (np.sqrt(2) - 1)  # what a square and the same turned by 45 degrees share
    np.testing.assert_allclose(values["pixels_lost"], 1 - regular_octagon, atol=0.01)
    np.testing.assert_allclose(values["pixels_black"], 1 - regular_octagon, atol=0.01)
    assert values["whole"] == [282, 282]  # 199 steps between the outermost pixels, times the root of 2, and one
    assert transforms.rotated(square, 90.0).values["pixels_lost"] == 0


def test_flips_move_values_and_intensity_changes_them() -> None:
    image = np.random.default_rng(0).integers(50, 150, (30, 40)).astype(np.uint8)

    flip, stretched = transforms.flipped(image, 1), transforms.intensified(image, 5, 95)

    assert flip.values["same_values"]
    assert flip.values["restored_by_itself"]
    np.testing.assert_array_equal(flip.image, image[:, ::-1])
    assert stretched.values["range"] == [0, 255]
    assert stretched.values["pixels_cut_off"] < 0.1
    assert "one value" in transforms.intensified(np.full((5, 5), 7, np.uint8), 5, 95).sentence


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_colour_and_grey_keep_their_channels(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    assert transforms.rescaled(image, 0.5).image.shape == (10, 15, *shape[2:])
    assert transforms.rotated(image, 30.0).image.shape == shape
