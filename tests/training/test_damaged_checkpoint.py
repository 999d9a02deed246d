"""A damaged checkpoint: the same bits in the end, or a start as the variant declares it, and never another one."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tiny_network import Fit, features

from medcls import BadInputError, training
from medcls.execution.planning.weights import kept
from medcls.tracking.record_faults import faults
from medcls.tracking.run_dir import RunDir
from medcls.training.feature_cache import features as computed
from medcls.training.network import save
from medcls.training.saved_weights import content, digest
from medcls.utils.records import DamagedError

STILL = {"model": partial(features, norm=False), "optimizer": partial(training.sgd, learning_rate=1e-30)}


@pytest.fixture
def weights(fit: Fit, tmp_path: Path) -> str:
    """Return the digest of saved weights that lie where runs find them."""
    before, _ = fit("before", model=STILL["model"], epochs=2)
    save(before.model, tmp_path / "model.keras")
    saved = content(tmp_path / "model.keras")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / f"{digest(saved)}.weights.h5").write_bytes(saved)
    return digest(saved)


def state(folder: RunDir) -> Any:
    epochs, remembered, arrays = folder.read_checkpoint()
    return epochs, remembered, {name: array.tobytes() for name, array in arrays.items()}, folder.history()


def flipped(path: Path, position: int, bit: int = 0) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= 1 << bit
    path.write_bytes(damaged)


def test_one_flipped_bit_anywhere_is_noticed_or_changes_nothing_that_is_read(fit: Fit, tmp_path: Path):
    _, folder = fit("run", epochs=2)
    sound, size = state(folder), folder.checkpoint.stat().st_size
    copy = RunDir(shutil.copytree(folder.path, tmp_path / "copy"))
    noticed = 0
    for number, position in enumerate(range(0, size, 7)):
        shutil.copy(folder.checkpoint, copy.checkpoint)
        flipped(copy.checkpoint, position, number % 8)
        found = faults(copy, whole=True)
        noticed += bool(found)
        if not found:
            assert state(copy) == sound
    assert noticed > size / 7 / 2


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_run_whose_checkpoint_is_damaged_begins_with_its_saved_weights(
    fit: Fit, weights: str, share: float, capsys: pytest.CaptureFixture[str]
):
    whole, _ = fit("whole", weights=weights, epochs=3, **STILL)
    _, folder = fit("cut", weights=weights, epochs=2, **STILL)
    flipped(folder.checkpoint, int(share * folder.checkpoint.stat().st_size))
    again, folder = fit("cut", weights=weights, epochs=3, **STILL)
    assert again.weights_sha256 == whole.weights_sha256
    assert [row.epoch for row in folder.rows()] == [0, 1, 2]
    assert "checkpoint.npz is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut off", "empty", "a table of another kind", "no archive", "another network"])
def test_what_is_no_checkpoint_of_the_run_is_never_gone_on_from(fit: Fit, weights: str, damage: str):
    whole, _ = fit("whole", weights=weights, epochs=3, **STILL)
    _, folder = fit("cut", weights=weights, epochs=2, **STILL)
    sound = folder.checkpoint.read_bytes()
    epochs, remembered, arrays = folder.read_checkpoint()
    if damage == "another network":
        arrays["model/0"] = arrays["model/0"][:, :2]
        folder.write_checkpoint(epochs, remembered, arrays)
        with pytest.raises(DamagedError, match=r"checkpoint.npz is damaged \(of another network: .*: remove it"):
            fit("cut", weights=weights, epochs=3, **STILL)
        return
    if damage == "a table of another kind":
        np.savez(folder.checkpoint, rows=np.arange(3))
    else:
        folder.checkpoint.write_bytes({"cut off": sound[:-30], "empty": b"", "no archive": b"\x93NUMPY"}[damage])
    assert faults(folder)
    again, _ = fit("cut", weights=weights, epochs=3, **STILL)
    assert again.weights_sha256 == whole.weights_sha256


def test_a_callback_that_is_not_the_runs_is_refused(fit: Fit):
    fit("run", epochs=1, stop=training.keep_best)
    with pytest.raises(BadInputError, match="callbacks"):
        fit("run", epochs=3, stop=partial(training.early, patience=4), watch=training.held_out)


def test_saved_weights_that_were_damaged_in_the_work_folder_are_noticed(weights: str, tmp_path: Path):
    copy = tmp_path / "weights" / f"{weights}.weights.h5"
    sound = copy.read_bytes()
    assert kept(weights, tmp_path) == weights
    copy.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(BadInputError, match=r"is damaged: give its file again with --weights"):
        kept(weights, tmp_path)
    assert kept(str(tmp_path / "model.keras"), tmp_path) == weights
    assert copy.read_bytes() == sound


def test_features_that_were_damaged_are_computed_again(decoded: Any, tmp_path: Path):
    body = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    path, told = tmp_path / "features" / "some.npy", list[int]()
    once = np.array(computed(lambda: body, decoded, path, lambda done, _: told.append(done)))
    count = len(told)
    for _ in range(2):
        computed(lambda: body, decoded, path, lambda done, _: told.append(done))
    assert len(told) == count
    with path.open("r+b") as file:
        file.seek(-100, 2)
        file.write(bytes(50))
    assert np.array_equal(computed(lambda: body, decoded, path, lambda done, _: told.append(done)), once)
    assert len(told) == 2 * count
