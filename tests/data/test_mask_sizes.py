"""Targets that are lost when masks are resized to a study's size: counted, named, refused, with the size that helps."""

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from medcls import BadInputError, Variant, data, models, training
from medcls.data.checks import Policy, checked, examine
from medcls.data.finding import Finding
from medcls.data.masks import mask_files
from medcls.execution.planning.datasets import describe
from medcls.tasks import SEGMENTATION
from medcls.tracking.work_dir import WorkDir

HEIGHT, WIDTH = 240, 300
Mask = NDArray[np.bool_]


def lesion(number: int, height: int = 5, width: int = 6) -> Mask:
    """Return a mask of a small rectangle, somewhere else for each number."""
    row, column = np.random.default_rng(number).integers(20, 200, 2)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[row : row + height, column : column + width] = True
    return mask


def vessel(number: int) -> Mask:
    """Return a mask of a line of three pixels across the image."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[50 + 7 * number : 53 + 7 * number, 10:-10] = True
    return mask


def large(number: int) -> Mask:
    return lesion(number, 90, 90)


def folder_of(folder: Path, **parts: list[Mask]) -> Path:
    for part, drawn in parts.items():
        for name in ("images", "masks"):
            (folder / part / name).mkdir(parents=True)
        for number, mask in enumerate(drawn):
            noise = np.random.default_rng([len(part), number]).integers(0, 255, mask.shape, dtype=np.uint8)
            Image.fromarray(noise).save(folder / part / f"images/{number}.png")
            Image.fromarray(mask).save(folder / part / f"masks/{number}.png")
    return folder


def found(folder: Path, size: int) -> list[Finding]:
    """Return what a study of a size says of targets that are lost."""
    hashes = data.Hashes(folder.parent / "cache/hashes.sqlite")
    bundle = data.lungs(hashes, source=str(folder), size=size)
    findings = checked(bundle, hashes, Policy(), folds=None, split_seeds={0}, tell=lambda *_: None).findings
    return [finding for finding in findings if finding.kind == "lost_targets"]


def smallest(drawn: list[Mask], size: int, step: int = 1) -> int:
    """Return the smallest size at which no mask is without a target or without a ground, by trying all."""
    first = (size // step + 1) * step
    tried = ([mask_files.fit(mask, side).mean() for mask in drawn] for side in range(first, 2 * WIDTH, step))
    return first + step * next(number for number, shares in enumerate(tried) if all(0 < share < 1 for share in shares))


SMALL = {
    "lesions": [lesion(number) for number in range(4)],
    "vessels": [vessel(number) for number in range(4)],
    "one pixel": [lesion(number, 1, 1) for number in range(4)],
    "holes": [~lesion(number, 9, 4) for number in range(4)],
}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("size", [16, 40])
def test_what_is_lost_is_counted_and_the_size_that_helps_is_the_smallest(tmp_path: Path, kind: str, size: int):
    drawn = [*SMALL[kind], *(large(number) for number in range(6))]
    folder = folder_of(tmp_path / "set", train=drawn, validation=[large(7), large(8)])
    names = [number for number, mask in enumerate(drawn) if not 0 < mask_files.fit(mask, size).mean() < 1]
    assert names
    (finding,) = found(folder, size)
    assert sorted(finding.names) == [f"train/images/{number}.png" for number in names]
    what = "everything" if kind == "holes" else "nothing"
    assert re.match(rf"{len(names)} of 12 masks? marks? {what} at data\.size={size} ", finding.sentence)
    everything = [*drawn, large(7), large(8)]
    best, even = smallest(everything, size), smallest(everything, size, 16)
    assert f"data.size={best} is the smallest" in finding.sentence
    assert f"{even} the smallest multiple of 16" in finding.sentence or even == best
    assert not found(folder, best)
    assert not found(folder, even)


def test_all_targets_of_a_part_lost_is_a_refusal(tmp_path: Path):
    small = SMALL["lesions"]
    folder = folder_of(tmp_path / "set", train=[*small, large(5)], validation=[lesion(8), lesion(9)])
    best = smallest([*small, lesion(8), lesion(9)], 24)
    with pytest.raises(BadInputError, match=rf"all 2 targets of validation .*size=24; data\.size={best} "):
        found(folder, 24)


def test_masks_that_are_empty_in_their_files_are_not_lost(tmp_path: Path):
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    folder = folder_of(tmp_path / "set", train=[large(1), nothing], validation=[large(2), nothing])
    assert not found(folder, 16)


def test_a_part_without_any_target_is_refused(tmp_path: Path):
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    folder = folder_of(tmp_path / "set", train=[large(1), nothing], validation=[nothing])
    with pytest.raises(BadInputError, match="no mask of validation marks anything"):
        found(folder, 64)


def test_every_size_of_a_study_is_looked_at(tmp_path: Path):
    drawn = [*SMALL["lesions"], *(large(number) for number in range(4))]
    folder = folder_of(tmp_path / "set", train=drawn, validation=[large(7)])
    learner = partial(training.gradient, model=partial(models.unet, base=4))
    variants = [
        Variant(data=partial(data.lungs, source=str(folder), size=size), learner=learner, task=SEGMENTATION)
        for size in (240, 32)
    ]
    asked = {"folds": None, "split_seeds": {0}, "few": False, "tell": lambda *_: None}
    sources = describe(variants, {}, WorkDir(tmp_path / "work"), Policy(), **asked)
    (source,) = sources.by_name.values()
    sentences = [finding.sentence for finding in source.findings if finding.kind == "lost_targets"]
    assert len(sentences) == 1
    assert "nothing at data.size=32 " in sentences[0]


def test_the_check_of_data_looks_at_the_size_that_it_is_given(tmp_path: Path):
    folder = folder_of(tmp_path / "set", train=SMALL["lesions"], validation=[large(7)])
    hashes = data.Hashes(tmp_path / "cache/hashes.sqlite")
    assert not examine(str(folder), hashes).complaint
    assert "all 4 targets of train are lost" in examine(str(folder), hashes, size=24).complaint
    command = [sys.executable, "-m", "medcls", "data", "check", str(folder), "--work-dir", str(tmp_path / "work")]
    ended = subprocess.run([*command, "--size", "24"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "are lost in resizing to data.size=24; data.size=" in ended.stderr
    assert "masks        0 is ground, 1 is the target" in ended.stdout


def test_a_second_look_decodes_nothing(tmp_path: Path):
    folder = folder_of(tmp_path / "set", train=[*SMALL["lesions"], large(1)], validation=[large(7)])
    first = found(folder, 24)
    store = (tmp_path / "cache/survey.sqlite").read_bytes()
    assert json.dumps([finding.sentence for finding in found(folder, 24)]) == json.dumps(
        [finding.sentence for finding in first]
    )
    assert (tmp_path / "cache/survey.sqlite").read_bytes() == store
