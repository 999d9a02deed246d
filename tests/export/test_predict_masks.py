"""`medcls predict --mask`: masks at the images' own sizes, all or none, with a network that marks what is bright."""

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from export_commands import medcls
from numpy.typing import NDArray
from PIL import Image

SIZE = 16


def bright(shape: tuple[int, int, int] = (SIZE, SIZE, 1), columns: int = 1, activation: str | None = "sigmoid") -> Any:
    """Return a network that marks pixels above a half of white."""
    images = keras.Input(shape)
    head = keras.layers.Conv2D(columns, 1, activation=activation)
    network = keras.Model(images, head(keras.layers.Rescaling(1 / 255)(images)))
    head.set_weights([np.full((1, 1, shape[2], columns), 40.0), np.full(columns, -20.0)])
    return network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as `medcls export` makes it."""
    folder = tmp_path / "model"
    folder.mkdir()
    bright().save(folder / "model.keras")
    papers = {"size": [SIZE, SIZE], "channels": 1, "classes": ["foreground"]}
    (folder / "preprocessing.json").write_text(json.dumps(papers))
    return folder


def picture(path: Path, height: int, width: int, right: float = 0.5, **save: Any) -> Path:
    """Write an image that is bright to the right of a share of its width."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, round(right * width) :] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **save)
    return path


def read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert medcls("predict", *arguments) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err


def test_a_mask_is_of_its_images_own_size_black_and_white(folder: Path, tmp_path: Path, capsys):
    equal = picture(tmp_path / "equal.png", SIZE, SIZE, 0.25)
    wide, large = picture(tmp_path / "wide.png", 30, 100, 0.6), picture(tmp_path / "large.jpg", 200, 120, 0.5)
    assert medcls("predict", folder, equal, wide, large, "--mask", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert f"{tmp_path / 'out'} contains the masks of 3 images." in shown
    assert "75.00%" in shown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["equal.png", "large.png", "wide.png"]
    np.testing.assert_array_equal(read(tmp_path / "out" / "equal.png"), np.asarray(Image.open(equal)))
    for image, right in ((wide, 0.6), (large, 0.5)):
        mask = read(tmp_path / "out" / f"{image.stem}.png")
        with Image.open(image) as given:
            assert mask.shape == (given.height, given.width)
        assert set(np.unique(mask).tolist()) == {0, 255}
        edge = (mask == 0).sum(axis=1)  # the same in every line, within a pixel of the network's
        np.testing.assert_allclose(edge / mask.shape[1], right, atol=1 / SIZE)


def test_an_image_that_is_to_be_turned_has_a_turned_mask(folder: Path, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn: what is right in the file is shown at the bottom
    turned = picture(tmp_path / "turned.jpg", 20, 60, exif=exif)
    assert medcls("predict", folder, turned, "--mask", tmp_path / "out") == 0
    mask = read(tmp_path / "out" / "turned.png")
    assert mask.shape == (60, 20)
    assert (mask[:25].max(), mask[35:].min()) == (0, 255)


def test_shares_as_json_and_as_table(folder: Path, tmp_path: Path, capsys):
    half, quarter = picture(tmp_path / "half.png", SIZE, SIZE), picture(tmp_path / "quarter.png", SIZE, SIZE, 0.75)
    assert medcls("predict", folder, half, quarter, "--mask", tmp_path / "a", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"file": str(half), "mask": str(tmp_path / "a" / "half.png"), "share": 0.5},
        {"file": str(quarter), "mask": str(tmp_path / "a" / "quarter.png"), "share": 0.25},
    ]
    assert medcls("predict", folder, half, quarter, "--mask", tmp_path / "b", "--out", tmp_path / "t.csv") == 0
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["mask"], row["share"]) for row in rows] == [
        (str(tmp_path / "b" / "half.png"), "0.5"),
        (str(tmp_path / "b" / "quarter.png"), "0.25"),
    ]


def test_many_images_in_folders_keep_their_places(folder: Path, tmp_path: Path, capsys):
    for number in range(50):
        picture(tmp_path / "many" / f"patient{number}" / "film.png", SIZE, SIZE, number / 50)
    assert medcls("predict", folder, tmp_path / "many", "--mask", tmp_path / "out") == 0
    assert "100.00%" in capsys.readouterr().out
    for number in (0, 10, 49):
        mask = read(tmp_path / "out" / f"patient{number}" / "film.png")
        assert (mask[0] == 0).sum() == round(number / 50 * SIZE)


def test_a_keras_file_alone_will_do_and_an_empty_folder_is_taken(tmp_path: Path, capsys):
    bright((SIZE, SIZE, 3)).save(tmp_path / "alone.keras")
    (tmp_path / "out").mkdir()
    image = picture(tmp_path / "image.png", 20, 20)
    assert medcls("predict", tmp_path / "alone.keras", image, "--mask", tmp_path / "out") == 0
    assert capsys.readouterr().err == ""
    assert read(tmp_path / "out" / "image.png").shape == (20, 20)


def test_what_does_not_fit_together_is_refused(folder: Path, tmp_path: Path, capsys):
    image, out = picture(tmp_path / "image.png", 20, 20), tmp_path / "out"
    assert "predicts masks: name a new folder for them with --mask" in refused(capsys, folder, image)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    classifier.save(tmp_path / "classes.keras")
    assert "predicts classes, not masks" in refused(capsys, tmp_path / "classes.keras", image, "--mask", out)
    assert "not an empty folder" in refused(capsys, folder, image, "--mask", folder)
    assert "not an empty folder" in refused(capsys, folder, image, "--mask", image)
    other = picture(tmp_path / "elsewhere" / "image.bmp", 20, 20)
    said = refused(capsys, folder, image, other, "--mask", out)
    assert "same file name" in said
    assert str(other) in said
    for name, model in {"two": bright(columns=2), "logits": bright(activation=None)}.items():
        model.save(tmp_path / f"{name}.keras")
        assert "probabilities" in refused(capsys, tmp_path / f"{name}.keras", image, "--mask", out)
    assert not out.exists()


def test_bad_files_leave_no_mask_unless_they_are_skipped(folder: Path, tmp_path: Path, capsys):
    picture(tmp_path / "films" / "good.png", 20, 20)
    (tmp_path / "films" / "bad.png").write_text("no image")
    before = sorted(tmp_path.rglob("*"))
    assert "bad.png" in refused(capsys, folder, tmp_path / "films", "--mask", tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
    assert medcls("predict", folder, tmp_path / "films", "--mask", tmp_path / "out", "--skip-bad-files") == 0
    assert "bad.png" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_a_folder_that_cannot_be_written_is_refused(folder: Path, tmp_path: Path, capsys):
    image = picture(tmp_path / "image.png", 20, 20)
    assert "--mask" in refused(capsys, folder, image, "--mask", image / "below")
