"""`medcls predict` on files and folders, with models that were never trained."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from export_commands import medcls
from PIL import Image

from medcls.data.readers.images import decode

CLASSES = ["cyst", "naevus", "wart"]


@pytest.fixture(scope="module")
def network() -> Any:
    """Return a network whose answers differ from image to image."""
    return built((10, 10, 3))


def built(shape: tuple[int, ...], answers: int = 3, activation: str | None = "softmax") -> Any:
    keras.utils.set_random_seed(0)
    images = keras.Input(shape)
    pooled = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.Dense(answers, activation=activation)(pooled))


@pytest.fixture
def folder(network: Any, tmp_path: Path) -> Path:
    """Return a folder as `medcls export` makes it."""
    folder = tmp_path / "model"
    folder.mkdir()
    network.save(folder / "model.keras")
    (folder / "preprocessing.json").write_text(json.dumps({"size": [10, 10], "channels": 3, "classes": CLASSES}))
    return folder


@pytest.fixture
def pictures(tmp_path: Path, draw) -> Path:
    return draw(
        tmp_path / "pictures", "a.png", "below/deeper/b.jpg", "with space.png", *(f"many/{n}.png" for n in "12")
    )


def answers(network: Any, files: Iterable[Path], size: int = 10, channels: int = 3) -> Any:
    """Return what the network itself says of images decoded one by one."""
    return np.concatenate([network(decode(file, size, channels)[None].astype(np.float32)) for file in files])


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return the one sentence with which a command was refused, having printed nothing else."""
    capsys.readouterr()
    assert medcls("predict", *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("medcls: ")
    return said.err


def rows(shown: str) -> list[list[str]]:
    """Return the rows of a table on the screen, long names put together again."""
    found: list[list[str]] = []
    for line in shown.splitlines():
        cells = [cell.strip() for cell in line.split("│")[1:-1]]
        if cells and cells[-1]:
            found.append(cells)
        elif cells:
            found[-1] = [before + more for before, more in zip(found[-1], cells, strict=True)]
    return found


@pytest.mark.parametrize("below", ["", f"{'a' * 100}/{'b' * 100}"])
def test_a_table_on_the_screen(folder: Path, pictures: Path, network: Any, tmp_path: Path, capsys, below: str):
    deep = shutil.copytree(pictures, tmp_path / "deep" / below)
    files = [deep / name for name in ("a.png", "with space.png")]
    assert medcls("predict", folder, *files) == 0
    expected = [
        [str(file), CLASSES[probabilities.argmax()], f"{probabilities.max():.3f}"]
        for file, probabilities in zip(files, answers(network, files), strict=True)
    ]
    found = [[row[0].replace(" ", ""), *row[1:]] for row in rows(capsys.readouterr().out)]
    assert found == [[row[0].replace(" ", ""), *row[1:]] for row in expected]  # a line may end before a space


def test_a_folder_with_all_below_it_as_csv(folder: Path, pictures: Path, network: Any, tmp_path: Path, capsys):
    table = tmp_path / "table.csv"
    assert medcls("predict", folder, pictures, "--out", table) == 0
    assert "5 images" in capsys.readouterr().out
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    files = [Path(row["file"]) for row in rows]
    assert sorted(files) == sorted(path for path in pictures.rglob("*") if path.is_file())
    found = np.array([[float(row[name]) for name in CLASSES] for row in rows])
    assert np.abs(found - answers(network, files)).max() <= 1e-6
    for row, probabilities in zip(rows, found, strict=True):
        assert (row["class"], float(row["probability"])) == (CLASSES[probabilities.argmax()], probabilities.max())


def test_json_is_a_list_and_nothing_else(folder: Path, pictures: Path, network: Any, capsys):
    assert medcls("predict", folder, pictures / "many", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    files = [Path(each["file"]) for each in found]
    assert files == [pictures / "many" / "1.png", pictures / "many" / "2.png"]
    assert [list(each["probabilities"]) for each in found] == [CLASSES, CLASSES]
    values = np.array([list(each["probabilities"].values()) for each in found])
    assert np.abs(values - answers(network, files)).max() <= 1e-6


def test_many_images_are_counted_by_class(folder: Path, tmp_path: Path, draw, network: Any, capsys):
    many = draw(tmp_path / "many", *(f"{number}.png" for number in range(70)))  # more than one batch
    assert medcls("predict", folder, many) == 0
    out = capsys.readouterr().out
    counts = np.bincount(answers(network, many.iterdir()).argmax(axis=1), minlength=3)
    for name, count in zip(CLASSES, counts, strict=True):
        (line,) = [line for line in out.splitlines() if name in line]
        assert f" {count} " in line
    assert "--out" in out


def test_a_keras_file_alone_has_numbered_classes(network: Any, tmp_path: Path, pictures: Path, capsys):
    network.save(tmp_path / "alone.keras")
    assert medcls("predict", tmp_path / "alone.keras", pictures / "a.png", "--json") == 0
    said = capsys.readouterr()
    assert list(json.loads(said.out)[0]["probabilities"]) == ["0", "1", "2"]
    assert "numbered" in said.err


def test_a_single_answer_is_the_second_class(tmp_path: Path, pictures: Path, capsys):
    single = built((9, 9, 1), answers=1, activation="sigmoid")
    single.save(tmp_path / "single.keras")
    assert medcls("predict", tmp_path / "single.keras", pictures / "a.png", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    expected = float(answers(single, [pictures / "a.png"], 9, 1)[0, 0])
    assert found["probabilities"] == pytest.approx({"0": 1 - expected, "1": expected}, abs=1e-6)


def test_no_cell_of_the_table_is_a_formula(network: Any, tmp_path: Path, draw, monkeypatch: pytest.MonkeyPatch):
    names = ["=1+1", "@risk", "-wart"]
    network.save(tmp_path / "model.keras")
    (tmp_path / "preprocessing.json").write_text(json.dumps({"size": [10, 10], "channels": 3, "classes": names}))
    files = ["+a.png", "=cmd|'x'!A0.png", "plain.png"]
    draw(tmp_path / "pictures", *files)
    monkeypatch.chdir(tmp_path / "pictures")
    assert medcls("predict", tmp_path, *files, "--out", tmp_path / "table.csv") == 0
    with (tmp_path / "table.csv").open(newline="") as table:
        head, *rows = csv.reader(table)
    assert head == ["file", "class", "probability", *(f"'{name}" for name in names)]
    assert [row[0] for row in rows] == ["'+a.png", "'=cmd|'x'!A0.png", "plain.png"]
    assert {row[1] for row in rows} <= set(head[3:])
    found = [list(map(float, row[2:])) for row in rows]  # numbers stay numbers
    expected = answers(network, [tmp_path / "pictures" / file for file in files])
    np.testing.assert_allclose(found, np.concatenate([expected.max(1, keepdims=True), expected], 1), atol=1e-6)


def test_bad_files_are_all_named_unless_they_are_skipped(folder: Path, pictures: Path, tmp_path: Path, capsys):
    (pictures / "empty.png").touch()
    (pictures / "text.jpg").write_text("no image")
    cut = pictures / "many" / "2.png"
    cut.write_bytes(cut.read_bytes()[:-40])
    table = tmp_path / "table.csv"
    sentence = complaint(capsys, folder, pictures, "--out", table)
    for word in ("3 of 7", "empty.png (empty file)", "text.jpg", "2.png", "--skip-bad-files"):
        assert word in sentence
    assert not table.exists()
    assert medcls("predict", folder, pictures, "--out", table, "--skip-bad-files") == 0
    said = capsys.readouterr()
    assert len(table.read_text().splitlines()) == 5
    assert said.err.count("\n") == 1
    assert "text.jpg" in said.err


def test_what_is_no_image_folder_or_place_is_refused(folder: Path, pictures: Path, tmp_path: Path, capsys):
    (tmp_path / "nothing").mkdir()
    assert "gone.png" in complaint(capsys, folder, tmp_path / "gone.png")
    assert "nothing" in complaint(capsys, folder, tmp_path / "nothing")
    assert "--out" in complaint(capsys, folder, pictures, "--out", tmp_path)
    assert "--out" in complaint(capsys, folder, pictures, "--out", tmp_path / "gone" / "table.csv")


def test_what_is_no_model_is_refused(folder: Path, pictures: Path, network: Any, tmp_path: Path, capsys):
    assert "gone.keras" in complaint(capsys, tmp_path / "gone.keras", pictures)
    assert "pictures" in complaint(capsys, pictures, pictures)
    assert "damaged, or of another kind" in complaint(capsys, pictures / "a.png", pictures)
    for name, model in {
        "wide": built((8, 9, 1)),
        "four": built((8, 8, 4)),
        "any": keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D()]),
        "map": keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 1)]),
        "logits": built((8, 8, 1), activation=None),
    }.items():
        model.save(tmp_path / f"{name}.keras")
        assert "probabilities" in complaint(capsys, tmp_path / f"{name}.keras", pictures)


def test_papers_of_another_model_are_refused(folder: Path, pictures: Path, capsys):
    papers = json.loads((folder / "preprocessing.json").read_text())
    for change in ({"size": [12, 12]}, {"channels": 1}, {"classes": CLASSES[:2]}):
        (folder / "preprocessing.json").write_text(json.dumps({**papers, **change}))
        assert "preprocessing.json is of another model" in complaint(capsys, folder, pictures)


def test_no_tensorflow_before_there_is_something_to_predict(folder: Path, tmp_path: Path):
    code = "import sys, medcls.cli.main as c; print(c.main(sys.argv[1:]), 'tensorflow' in sys.modules)"
    command = [sys.executable, "-c", code, "predict", str(folder), str(tmp_path / "gone.png")]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "2 False\n"


def test_nothing_but_the_answer_is_said(folder: Path, pictures: Path):
    """In a process of its own, where TensorFlow greets on standard error."""
    command = [sys.executable, "-m", "medcls", "predict", str(folder), str(pictures), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(json.loads(ended.stdout)) == 5


@pytest.mark.slow
def test_a_large_folder_takes_no_more_memory_than_a_small_one(tmp_path: Path):
    built((128, 128, 3)).save(tmp_path / "large.keras")
    first = tmp_path / "images" / "0.png"
    first.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).save(first)
    for number in range(1, 3000):  # decoded at once, as floats: 590 MB
        os.link(first, first.with_name(f"{number}.png"))
    small = tmp_path / "small"
    small.mkdir()
    for number in range(128):
        shutil.copy(first, small / f"{number}.png")
    rising = (
        "import resource, sys, medcls.cli.main as c\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000\n"
        "model, small, large = sys.argv[1:]\n"
        "c.main(['predict', model, small]); before = peak()\n"
        "c.main(['predict', model, large]); print('rise', peak() - before)\n"
    )
    command = [sys.executable, "-c", rising, str(tmp_path / "large.keras"), str(small), str(first.parent)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(ended.stdout.split("rise")[1]) < 150  # megabytes


@pytest.mark.parametrize("levels", [{"black": 100.0, "white": 4095.0}, {"percentiles": [0.5, 99.5]}])
def test_deep_images_are_shown_as_the_model_saw_them(
    folder: Path, network: Any, tmp_path: Path, levels: dict[str, Any], capsys: pytest.CaptureFixture[str]
):
    papers = json.loads((folder / "preprocessing.json").read_text())
    (folder / "preprocessing.json").write_text(json.dumps(papers | {"levels": levels}))
    stored = np.random.default_rng(0).integers(100, 4096, (10, 10)).astype(np.uint16)
    Image.fromarray(stored).save(tmp_path / "deep.png")
    black, white = np.percentile(stored, (0.5, 99.5)) if "percentiles" in levels else (100, 4095)
    pixels = np.rint(np.clip((stored - float(black)) / (white - black) * 255, 0, 255))
    expected = network(np.repeat(pixels[None, :, :, None], 3, axis=3).astype(np.float32)).numpy()[0]
    capsys.readouterr()
    assert medcls("predict", folder, tmp_path / "deep.png", "--json") == 0
    (answered,) = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(list(answered["probabilities"].values()), expected, atol=1e-5)
