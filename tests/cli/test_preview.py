"""`medcls data preview`: a sheet of random augmentations, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcls import BadInputError
from medcls.cli.commands.preview import BORDER, COLUMNS, parse_augmentation
from medcls.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six colour images of two classes, all of them different."""
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    for name in ("ill", "well"):
        (folder / name).mkdir()
        for number in range(3):
            small = generator.integers(0, 256, (6, 6, 3)).astype(np.uint8)
            Image.fromarray(small).resize((40, 40)).save(folder / name / f"{number}.png")
    return folder


def preview(folder: Path, out: Path, *flags: str) -> int:
    return main(["data", "preview", str(folder), "--work-dir", str(out.parent), "--out", str(out), *flags])


def test_a_sheet_shows_every_image_with_its_draws_and_depends_on_the_seed_alone(folder: Path, tmp_path: Path, capsys):
    sheets = [tmp_path / f"{number}.png" for number in range(4)]
    augment = ("--augment", "rotation=20,zoom_range=[0.8,1.2],horizontal_flip=true")

    assert preview(folder, sheets[0], *augment, "--count", "3") == 0
    assert f"3 images of {folder}, each as it is and {COLUMNS} times" in capsys.readouterr().out
    assert preview(folder, sheets[1], *augment, "--count", "3") == 0
    assert preview(folder, sheets[2], *augment, "--count", "3", "--seed", "1") == 0
    assert preview(folder, sheets[3], *augment, "--count", "2") == 0

    pixels = []
    for sheet in sheets:
        with Image.open(sheet) as image:
            pixels.append(np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels[0], pixels[1])
    assert pixels[0].shape == pixels[2].shape
    assert not np.array_equal(pixels[0], pixels[2])
    assert pixels[3].shape[0] < pixels[0].shape[0]


def test_nothing_but_the_answer_is_said(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "medcls", "data", "preview", str(folder), "--out", str(tmp_path / "sheet.png")]
    done = subprocess.run([*command, "--work-dir", str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("augment", ["mixup,alpha=1,first=standard,first.rotation=20", "randaugment,magnitude=20"])
def test_any_augmentation_can_be_shown(augment: str, folder: Path, tmp_path: Path) -> None:
    assert preview(folder, tmp_path / "sheet.png", "--augment", augment) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 800


@pytest.mark.parametrize(
    "text",
    [
        "rotation=10, zoom_range=[0.9,1.1],fill_mode=reflect,vertical_flip=true",
        "standard(rotation=10, zoom_range=(0.9, 1.1), fill_mode='reflect', vertical_flip=True)",
    ],
)
def test_the_text_is_read_by_the_functions_signature(text: str) -> None:
    chosen = parse_augmentation(text)

    assert chosen.func.__name__ == "standard"
    assert chosen.keywords == {
        "rotation": 10.0,
        "zoom_range": (0.9, 1.1),
        "fill_mode": "reflect",
        "vertical_flip": True,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotaton=10", r"'learner\.augment\.rotaton'. Did you mean .*learner\.augment\.rotation"),
        ("mixdown,alpha=1", r"'learner\.augment=mixdown'"),
        ("rotation=ten", "does not fit"),
        ("rotation=200", r"learner\.augment\.rotation=200\.0 must be from 0 to 180"),
        ("rotation", "'learner.augment=rotation'"),
        ("rotation=10,", "write PARAMETER=VALUE"),
        ("zoom_range=[0.9", "does not fit"),
    ],
)
def test_what_no_augmentation_understands_is_refused_as_set_refuses_it(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        parse_augmentation(text)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--count", "0"], "--count 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--augment", "rotaton=1"], "rotaton"),
        (["--out", "/nowhere/sheet.png"], "--out"),
    ],
)
def test_bad_flags_are_one_sentence_and_write_nothing(
    flags: list[str], words: str, folder: Path, tmp_path: Path, capsys
):
    assert preview(folder, tmp_path / "sheet.png", *flags) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()


def test_a_source_that_is_not_there_is_named(tmp_path: Path, capsys) -> None:
    assert preview(tmp_path / "nothing", tmp_path / "sheet.png") == 2
    assert "nothing" in capsys.readouterr().err


def test_masks_are_shown_moved_with_their_images(tmp_path: Path, capsys) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["data", "preview", "glands", "--work-dir", str(tmp_path), "--out", str(sheet), "--size", "64"]) == 0
    with Image.open(sheet) as image:
        colours = {tuple(pixel) for row in np.asarray(image.convert("RGB")) for pixel in row}
    assert BORDER in colours
    assert main(["data", "preview", "glands", "--work-dir", str(tmp_path), "--augment", "mixup,alpha=1"]) == 2
    assert "mixup mixes labels" in capsys.readouterr().err
