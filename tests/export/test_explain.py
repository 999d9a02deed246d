"""`medcls explain` on files and folders, with models that were never trained."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from export_commands import medcls
from PIL import Image

from medcls import BadInputError, explain
from medcls.cli.commands.explain import NAMES
from medcls.data.readers.images import decode
from medcls.explain.layer_probe import opened, probabilities
from medcls.explain.methods import METHODS
from medcls.explain.overlays import overlay
from medcls.export.formats.keras import of_all_classes
from medcls.inference.explanations import BY_NAME
from medcls.training.saved_weights import digest_of

CLASSES = ["cyst", "naevus", "wart"]


def built(answers: int = 3, channels: int = 1) -> Any:
    keras.utils.set_random_seed(2)
    images = keras.Input((16, 16, channels))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(
        keras.layers.Rescaling(1 / 255)(images)
    )
    x = keras.layers.Conv2D(6, 3, padding="same", strides=2, name="second")(x)
    x = keras.layers.Flatten(name="flat")(keras.layers.ReLU()(x))
    activation = "sigmoid" if answers == 1 else "softmax"
    return keras.Model(images, keras.layers.Dense(answers, activation=activation)(x))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as `medcls export` makes it."""
    folder = tmp_path / "model"
    folder.mkdir()
    built().save(folder / "model.keras")
    (folder / "preprocessing.json").write_text(json.dumps({"size": [16, 16], "channels": 1, "classes": CLASSES}))
    return folder


@pytest.fixture
def pictures(tmp_path: Path, draw) -> Path:
    return draw(tmp_path / "pictures", "a.png", "below/a.png", "with space.png")


def numbers(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "explanations.json").read_text())
    return found


def complaint(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    """Return the one sentence with which a command was refused, having written nothing."""
    capsys.readouterr()
    there = out.exists()
    assert medcls("explain", *arguments, "--out", out) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("medcls")
    assert out.exists() == there
    return said.err


def test_an_overlay_a_line_and_the_numbers_of_each_image(folder: Path, pictures: Path, tmp_path: Path) -> None:
    """In a process of its own, as a user has it, with all that might be said on standard error."""
    out = tmp_path / "out" / "new"
    command = [sys.executable, "-m", "medcls", "explain", str(folder), str(pictures), "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines, found = ended.stdout.splitlines(), numbers(out)
    assert len(lines) == 4
    assert len(found) == 3
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["explanations.json", "a_1_heat.png", "a_2_heat.png", "with space_heat.png"]
    )
    network = keras.saving.load_model(folder / "model.keras")
    for line, each in zip(lines, found, strict=False):
        image = decode(Path(each["file"]), 16, 1)
        said = network(image[None].astype(np.float32)).numpy()[0]
        assert each["class"] == each["explained"] == CLASSES[said.argmax()]
        assert each["probability"] == pytest.approx(float(said.max()), abs=1e-6)
        assert line.startswith(f"{each['file']}: {each['class']} {each['probability']:.3f}")
        heat = explain.grad_cam(network, image[None], int(said.argmax()))[0]
        drawn = np.asarray(Image.open(out / each["overlay"]))
        expected = np.concatenate([overlay(image, heat), overlay(image, heat, "viridis")], axis=1)
        assert np.abs(drawn.astype(int) - expected).mean() < 1
        if heat.any():
            column, row = (int(place * 16) for place in each["warmest"])
            assert heat[row, column] == pytest.approx(1, abs=1e-4)
            assert 0 < each["half_of_the_heat"] <= 0.5


@pytest.mark.parametrize("method", NAMES)
def test_every_method_any_layer_and_any_class(
    folder: Path, pictures: Path, tmp_path: Path, method: str, capsys
) -> None:
    flags = ["--method", method, "--layer", "first", "--class", "wart"]
    assert medcls("explain", folder, pictures / "a.png", "--out", tmp_path / "out", *flags) == 0
    (each,) = numbers(tmp_path / "out")
    assert (each["method"], each["layer"], each["explained"]) == (BY_NAME[method], "first", "wart")
    assert "(wart " in capsys.readouterr().out


def test_images_of_one_name_have_overlays_of_their_own(folder: Path, draw, tmp_path: Path) -> None:
    long = ["d/" + "x" * 245 + ".png", "e/" + "x" * 244 + "y.png"]
    places = ["a.png", "b/a.png", "c/A.png", "a_1.png", "a_2.png", *long]
    images, out = draw(tmp_path / "images", *places), tmp_path / "out"
    assert medcls("explain", folder, images, "--out", out) == 0
    found = {each["file"]: each["overlay"] for each in numbers(out)}
    assert len({overlay.casefold() for overlay in found.values()}) == len(found) == len(places)
    assert {path.name for path in out.glob("*.png")} == set(found.values())
    assert found[str(images / "a_1.png")] == "a_1_heat.png"


def test_the_methods_of_the_command_line_are_those_there_are() -> None:
    assert tuple(BY_NAME) == NAMES


def test_a_sigmoid_in_a_file_of_its_own(pictures: Path, tmp_path: Path) -> None:
    built(answers=1, channels=3).save(tmp_path / "single.keras")
    image = pictures / "a.png"
    assert medcls("explain", tmp_path / "single.keras", image, "--out", tmp_path / "out", "--class", "0") == 0
    (each,) = numbers(tmp_path / "out")
    second = float(built(answers=1, channels=3)(decode(image, 16, 3)[None].astype(np.float32)).numpy()[0, 0])
    assert each["probability_explained"] == pytest.approx(1 - second, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_sigmoid_that_tells_of_both_classes_is_looked_at_as_it_was(name: str) -> None:
    network, images = built(answers=1), np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1)).astype(np.float32)
    exported = of_all_classes(network)
    for label in (0, 1):
        maps = [METHODS[BY_NAME[name]](each, images, label, layer="second") for each in (network, exported)]
        np.testing.assert_allclose(*maps, atol=1e-5)
    second = network.predict(images, verbose=0)
    np.testing.assert_allclose(probabilities(exported, images), np.concatenate([1 - second, second], 1), atol=1e-6)
    assert digest_of(exported) == digest_of(network)


def test_another_end_of_two_answers_is_refused_in_a_sentence() -> None:
    network = built(answers=1)
    for rest in (1 - network.output, keras.layers.Dense(1, "sigmoid")(network.layers[-2].output)):
        other = keras.Model(network.input, keras.layers.Concatenate()([rest, network.output]))
        with pytest.raises(BadInputError, match="end it with softmax"):
            opened(other, "second")


def test_what_cannot_be_explained_is_refused_before_anything_is_written(
    folder: Path, pictures: Path, tmp_path: Path, capsys
) -> None:
    image, out = pictures / "a.png", tmp_path / "out"
    assert "no layer secnd" in complaint(capsys, out, folder, image, "--layer", "secnd")
    assert "flat puts out no maps" in complaint(capsys, out, folder, image, "--layer", "flat")
    assert "Did you mean wart" in complaint(capsys, out, folder, image, "--class", "warts")
    assert "--method" in complaint(capsys, out, folder, image, "--method", "magic")
    assert "gone.png" in complaint(capsys, out, folder, pictures / "gone.png")
    assert "gone.keras" in complaint(capsys, out, tmp_path / "gone.keras", image)
    (pictures / "text.png").write_text("no image")
    assert "1 of 4 images" in complaint(capsys, out, folder, pictures)
    assert "is a file" in complaint(capsys, image, folder, image)
    assert "cannot be written" in complaint(capsys, image / "below", folder, image)
    plain = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )
    plain.save(tmp_path / "plain.keras")
    assert "no convolution" in complaint(capsys, out, tmp_path / "plain.keras", image)
