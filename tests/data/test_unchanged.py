"""What is trained on is what was fingerprinted: files that change in between are refused, damaged caches made again."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec
from medcls.data.loading import decoded_cache
from medcls.data.quality.scan import survey

Draw = Callable[..., Path]
NAMES = [f"{part}/{label}/{number}.png" for part in ("train", "test") for label in ("A", "B") for number in range(3)]
CHANGED = "changed while it was read: run the command again"


def paint(path: Path, grey: int = 0) -> None:
    Image.fromarray(np.full((12, 10), grey, np.uint8)).save(path)


def describe(source: Path) -> DatasetSpec:
    return data.folder(data.Hashes(source.parent / "hashes"), source=str(source), size=8)


def arrays(seed: int, **changes: Any) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    images = {f"x_{part}": generator.integers(0, 256, (6, 9, 9), np.uint8) for part in ("train", "test")}
    return {**images, "y_train": np.arange(6) % 2, "y_test": np.arange(6) % 2, **changes}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def swap(path: Path) -> None:
    other = path.with_name("2.png")
    path.unlink()
    path.symlink_to(other)


@pytest.mark.parametrize("change", [paint, truncate, Path.unlink, swap])
def test_an_image_that_changed_after_its_fingerprint_is_refused(source: Path, tmp_path: Path, change: Any) -> None:
    bundle = describe(source)
    change(source / "train/B/1.png")
    with pytest.raises(BadInputError, match=f"train/B/1.png {CHANGED}"):
        decoded_cache.prepare(bundle, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]
    if change is paint:
        again = decoded_cache.prepare(describe(source), tmp_path / "cache")
        assert (decoded_cache.open_decoded(again).images == 0).all(axis=(1, 2, 3)).sum() == 1


def test_an_image_that_changes_while_it_is_decoded_is_refused(source: Path, tmp_path: Path) -> None:
    bundle = describe(source)

    def render(row: int, size: int, channels: int) -> Any:
        pixels = bundle.render(row, size, channels)
        if row == 4:
            paint(source / bundle.names[row])
        return pixels

    with pytest.raises(BadInputError, match=CHANGED):
        decoded_cache.prepare(replace(bundle, render=render), tmp_path / "cache")


def test_no_change_is_missed_where_times_are_set_back(source: Path, tmp_path: Path) -> None:
    path = source / "train/A/0.png"
    bundle, before = describe(source), path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(BadInputError, match=CHANGED):
        decoded_cache.prepare(bundle, tmp_path / "cache")


def test_what_was_seen_of_a_changed_image_is_not_remembered_as_the_first(source: Path, tmp_path: Path) -> None:
    path = source / "train/A/0.png"
    bundle, content = describe(source), path.read_bytes()
    Image.new("RGB", (20, 20)).save(path)
    with pytest.raises(BadInputError, match=CHANGED):
        survey(bundle, tmp_path / "cache")
    path.write_bytes(content)
    assert set(survey(describe(source), tmp_path / "cache").stored) == {("grey", (10, 12))}


@pytest.mark.parametrize("changed", ["images/1.png", "masks/1.png"])
def test_masks_count_as_images_do(tmp_path: Path, changed: str) -> None:
    generator = np.random.default_rng(0)
    for number in range(6):
        for kind, pixels in (("images", generator.integers(0, 256, (12, 12))), ("masks", np.eye(12) * 255)):
            path = tmp_path / "set" / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(np.roll(pixels, number), np.uint8)).save(path)
    bundle = data.lungs(data.Hashes(tmp_path / "hashes"), source=str(tmp_path / "set"), size=8)
    paint(tmp_path / "set" / changed)
    with pytest.raises(BadInputError, match=f"{changed} {CHANGED}"):
        decoded_cache.prepare(bundle, tmp_path / "cache")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_in_a_file_count_as_images_do(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "set.npz"
    save(path, **arrays(0))
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=str(path), size=8)
    save(path, **arrays(1))
    with pytest.raises(BadInputError, match=f"set.npz {CHANGED}"):
        decoded_cache.prepare(bundle, tmp_path / "cache")


def test_a_file_of_arrays_that_shrinks_is_refused_and_ends_no_process(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, **arrays(0))
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=str(path), size=8)
    bundle.decode(0)
    os.truncate(path, 0)
    with pytest.raises(BadInputError, match=CHANGED):
        decoded_cache.prepare(bundle, tmp_path / "cache")


def test_idx_files_count_as_images_do(tmp_path: Path) -> None:
    def write(seed: int) -> None:
        generator = np.random.default_rng(seed)
        for name in ("train", "t10k"):
            images = bytes([0, 0, 8, 3]) + np.array([6, 9, 9], ">u4").tobytes() + generator.bytes(6 * 81)
            labels = bytes([0, 0, 8, 1]) + np.array([6], ">u4").tobytes() + bytes([0, 1] * 3)
            (tmp_path / "set" / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
            (tmp_path / "set" / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))

    (tmp_path / "set").mkdir()
    write(0)
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=str(tmp_path / "set"), size=8)
    write(1)
    with pytest.raises(BadInputError, match=CHANGED):
        decoded_cache.prepare(bundle, tmp_path / "cache")


@pytest.mark.parametrize("where", [0, 200, -1])
def test_damaged_pixels_in_the_cache_are_decoded_again_and_said(source: Path, tmp_path: Path, where: int) -> None:
    bundle, said = describe(source), list[str]()
    path = decoded_cache.prepare(bundle, tmp_path / "cache")
    whole = (path / "images.npy").read_bytes()
    damaged = bytearray(whole)
    damaged[where] ^= 1
    (path / "images.npy").write_bytes(damaged)
    assert decoded_cache.prepare(bundle, tmp_path / "cache", say=said.append) == path
    assert (path / "images.npy").read_bytes() == whole
    assert len(said) == 1
    assert "damaged" in said[0]
    decoded_cache.prepare(bundle, tmp_path / "cache", say=said.append)
    assert len(said) == 1


def test_a_cache_that_was_used_and_then_zeroed_is_noticed(source: Path, tmp_path: Path) -> None:
    bundle, said = describe(source), list[str]()
    for _ in range(2):
        path = decoded_cache.prepare(bundle, tmp_path / "cache", say=said.append)
    whole = (path / "images.npy").read_bytes()
    with (path / "images.npy").open("r+b") as file:
        file.seek(len(whole) // 2)
        file.write(bytes(100))
    assert said == []
    decoded_cache.prepare(bundle, tmp_path / "cache", say=said.append)
    assert (path / "images.npy").read_bytes() == whole
    assert len(said) == 1


def test_a_cache_of_an_earlier_version_without_digests_is_made_again_without_a_word(
    source: Path, tmp_path: Path
) -> None:
    bundle, said = describe(source), list[str]()
    path = decoded_cache.prepare(bundle, tmp_path / "cache")
    with np.load(path / "rows.npz") as saved:
        rows = {name: saved[name] for name in saved.files if name != "digests"}
    np.savez(path / "rows.npz", **rows)
    np.save(path / "images.npy", np.zeros((len(NAMES), 8, 8, 1), np.uint8))
    decoded_cache.prepare(bundle, tmp_path / "cache", say=said.append)
    assert decoded_cache.open_decoded(path).images.any()
    assert said == []


@pytest.fixture
def source(tmp_path: Path, draw: Draw) -> Path:
    return draw(tmp_path / "source", *NAMES)
