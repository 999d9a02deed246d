"""Decoded images on disk: whole or not there, right, and made once."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec, Images
from medcls.data.loading import decoded_cache

Draw = Callable[..., Path]
NAMES = [f"{part}/{label}/{number}.png" for part in ("train", "test") for label in ("A", "B") for number in range(5)]
PREPARE = """
import dataclasses, json, pathlib, resource, sys, time
from medcls import data
from medcls.data.loading import decoded_cache as cache
from medcls import data
source, folder, told = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])
if "bytes" in told:
    resource.setrlimit(resource.RLIMIT_FSIZE, (told["bytes"], told["bytes"]))
bundle = data.folder(data.Hashes(source.parent / "hashes"), source=str(source), size=told["size"])
def progress(done, total):
    if done == told.get("stop_after"):
        print("stopped", flush=True)
        time.sleep(60)
try:
    print(cache.prepare(bundle, folder, progress))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def source(tmp_path: Path, draw: Draw) -> Path:
    return draw(tmp_path / "source", *NAMES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def describe(source: Path, size: int = 8, channels: int = 1) -> DatasetSpec:
    return data.folder(data.Hashes(source.parent / "hashes"), source=str(source), size=size, channels=channels)


def start(source: Path, folder: Path, **told: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PREPARE, str(source), str(folder), json.dumps({"size": 8, **told})]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def undecodable(row: int, size: int, channels: int) -> Images:
    raise AssertionError(f"image {row} was decoded")


def left_in(folder: Path) -> list[str]:
    """Return what lies in the cache beside its lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != "lock") if folder.exists() else []


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ahead", [1, 700, decoded_cache.AT_ONCE])
def test_what_is_opened_is_what_was_described(
    source: Path, folder: Path, channels: int, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoded_cache, "AT_ONCE", ahead)
    bundle = describe(source, channels=channels)
    path = decoded_cache.prepare(bundle, folder)
    decoded = decoded_cache.open_decoded(path)
    assert path == folder / f"{bundle.fingerprint[7:23]}-8x8x{channels}"
    np.testing.assert_array_equal(decoded.images, [bundle.decode(row) for row in range(len(NAMES))])
    np.testing.assert_array_equal(decoded.labels, bundle.labels)
    np.testing.assert_array_equal(decoded.parts, bundle.parts)
    assert (decoded.patients, decoded.names, decoded.classes) == (None, bundle.names, bundle.classes)
    assert isinstance(decoded.images, np.memmap)
    assert not decoded.images.flags.writeable
    assert decoded.labels.dtype == np.int64


def test_patients_are_kept(source: Path, folder: Path) -> None:
    patients = np.array([f"p{number}" for number in range(len(NAMES))])
    decoded = decoded_cache.open_decoded(decoded_cache.prepare(replace(describe(source), patients=patients), folder))
    np.testing.assert_array_equal(decoded.patients, patients)


def test_images_are_decoded_once(source: Path, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    path = decoded_cache.prepare(describe(source), folder, lambda done, total: told.append((done, total)))
    assert told == [(done, len(NAMES)) for done in range(1, len(NAMES) + 1)]
    assert decoded_cache.prepare(replace(describe(source), render=undecodable), folder) == path
    assert decoded_cache.prepare(describe(source, size=9), folder) != path


def test_after_renaming_files_pixels_and_labels_still_belong_together(source: Path, folder: Path) -> None:
    before = describe(source)
    path = decoded_cache.prepare(before, folder)
    for number in range(5):
        (source / f"train/A/{number}.png").rename(source / f"train/A/z{9 - number}.png")
    after = describe(source)
    assert decoded_cache.prepare(replace(after, render=undecodable), folder) == path
    decoded = decoded_cache.open_decoded(path)
    described = {after.decode(row).tobytes(): (after.labels[row], after.parts[row]) for row in range(len(NAMES))}
    assert len(described) == len(NAMES)
    for image, label, part in zip(decoded.images, decoded.labels, decoded.parts, strict=True):
        assert described[image.tobytes()] == (label, part)


def test_all_bad_files_are_named_at_once_and_nothing_is_left(source: Path, folder: Path) -> None:
    (source / "train/A/0.png").write_text("text")
    (source / "train/B/1.png").write_bytes(b"")
    (source / "test/A/2.png").unlink()
    (source / "test/A/2.png").symlink_to("nowhere.png")
    whole = (source / "test/B/3.png").read_bytes()
    (source / "test/B/3.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError) as refusal:
        decoded_cache.prepare(describe(source), folder)
    message = str(refusal.value)
    assert message.startswith(f"4 of 20 images in {source} ")
    for named in (
        "train/A/0.png (not a PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM image)",
        "train/B/1.png (empty file)",
        "test/A/2.png (missing",
        "3.png (",
    ):
        assert named in message
    assert "\n" not in message
    assert left_in(folder) == []
    for bad in ("train/A/0.png", "train/B/1.png", "test/B/3.png"):
        (source / bad).write_bytes(whole)
    (source / "test/A/2.png").unlink()
    assert len(decoded_cache.open_decoded(decoded_cache.prepare(describe(source), folder)).labels) == 19


def test_ten_bad_files_are_named_and_the_others_counted(source: Path, folder: Path) -> None:
    for name in NAMES[:13]:
        (source / name).write_text("text")
    with pytest.raises(BadInputError, match=r"13 of 20 .* and 3 more; repair or remove them") as refusal:
        decoded_cache.prepare(describe(source), folder)
    assert str(refusal.value).count("not a PNG") == 10


def test_a_killed_process_leaves_nothing_that_is_taken_for_whole(source: Path, folder: Path) -> None:
    with start(source, folder, stop_after=12) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(signal.SIGKILL)
    assert [name for name in left_in(folder) if not name.endswith(".unfinished")] == []
    assert left_in(folder) != []
    bundle = describe(source)
    path = decoded_cache.prepare(bundle, folder)
    np.testing.assert_array_equal(decoded_cache.open_decoded(path).images[-1], bundle.decode(len(NAMES) - 1))
    assert left_in(folder) == [path.name]


def test_two_processes_may_prepare_the_same_data(source: Path, folder: Path) -> None:
    processes = [start(source, folder, size=64) for _ in range(3)]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert {out for out, _ in outputs} == {f"{decoded_cache.prepare(describe(source, size=64), folder)}\n"}
    assert {errors for _, errors in outputs} == {""}
    assert len(left_in(folder)) == 1


@pytest.mark.parametrize("damage", ["images cut off", "images gone", "rows cut off", "rows gone", "other decoder"])
def test_a_damaged_cache_is_made_again(
    source: Path, folder: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = describe(source)
    path = decoded_cache.prepare(bundle, folder)
    damaged = path / ("images.npy" if damage.startswith("images") else "rows.npz")
    if damage.endswith("cut off"):
        damaged.write_bytes(damaged.read_bytes()[:-100])
    elif damage.endswith("gone"):
        damaged.unlink()
    else:
        monkeypatch.setattr(decoded_cache, "DECODER", decoded_cache.DECODER + 1)
    told: list[int] = []
    assert decoded_cache.prepare(bundle, folder, lambda done, _: told.append(done)) == path
    assert len(told) == len(NAMES)
    np.testing.assert_array_equal(decoded_cache.open_decoded(path).images[7], bundle.decode(7))


def test_a_folder_that_cannot_be_written_is_named(source: Path, folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(BadInputError, match=f"{folder} cannot take the decoded images"):
        decoded_cache.prepare(describe(source), folder)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(source: Path, folder: Path) -> None:
    out, errors = start(source, folder, size=64, bytes=50_000).communicate(timeout=300)
    assert out.startswith(f"BadInputError {folder} cannot take the decoded images (")
    assert errors == ""
    assert left_in(folder) == []


def test_interrupting_is_quick_and_leaves_nothing(source: Path, folder: Path) -> None:
    decoded: list[int] = []

    def slowly(row: int, size: int, channels: int) -> Images:
        time.sleep(0.002)
        decoded.append(row)
        return np.zeros((8, 8, 1), np.uint8)

    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    large = replace(describe(source), labels=np.zeros(5000, np.int64), render=slowly)
    with pytest.raises(KeyboardInterrupt):
        decoded_cache.prepare(large, folder, interrupt)
    assert len(decoded) < 2500
    assert left_in(folder) == []
