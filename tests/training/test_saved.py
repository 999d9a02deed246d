"""A training that begins with saved weights, whole or in part, or is refused."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from tiny_network import Fit, features

from medcls import BadInputError, training
from medcls.tasks import MULTICLASS
from medcls.training.network import network, save
from medcls.training.saved_weights import begin_with, content, digest, fit_of

STILL = {"model": partial(features, norm=False), "optimizer": partial(training.sgd, learning_rate=1e-30)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights").mkdir()
    return tmp_path


def kept(net: Any, folder: Path) -> tuple[str, Path]:
    """Save a network's weights where runs find them; return their digest and the file."""
    save(net, folder / "model.keras")
    weights = content(folder / "model.keras")
    path = folder / "weights" / f"{digest(weights)}.weights.h5"
    path.write_bytes(weights)
    return digest(weights), path


def built(model: Any = features, shape: tuple[int, ...] = (8, 8, 1), classes: int = 3, seed: int = 5) -> Any:
    keras.utils.set_random_seed(seed)
    return network(model, MULTICLASS, shape, classes)


def test_training_begins_with_the_very_bits(fit: Fit, folder: Path):
    before, _ = fit("before", model=STILL["model"], epochs=2)
    weights, _ = kept(before.model, folder)
    after, _ = fit("after", weights=weights, epochs=1, **STILL)
    assert after.weights_sha256 == before.weights_sha256
    assert fit("random", epochs=1, **STILL)[0].weights_sha256 != before.weights_sha256


def test_the_first_epoch_is_as_good_as_the_last_one_before(fit: Fit, folder: Path):
    learner = {"model": partial(features, dropout=0.0, norm=False)}
    before, first = fit("before", epochs=30, **learner)
    weights, _ = kept(before.model, folder)
    _, second = fit("after", epochs=2, weights=weights, **learner)
    start, end, again = first.history()["loss"][0], first.history()["loss"][-1], second.history()["loss"][0]
    assert abs(again - end) < 0.1 * (start - end)


def test_a_run_cut_off_goes_on_without_the_file(fit: Fit, folder: Path):
    weights, path = kept(built(), folder)
    whole, _ = fit("whole", epochs=3, weights=weights)
    fit("cut", epochs=1, weights=weights)
    path.unlink()
    assert fit("cut", epochs=3, weights=weights)[0].weights_sha256 == whole.weights_sha256
    with pytest.raises(BadInputError, match=r"are gone: run the same command again"):
        fit("new", weights=weights)


def test_dropout_depends_on_the_seed_and_not_on_what_was_loaded(fit: Fit, folder: Path):
    without_norm = partial(features, norm=False)
    fresh, _ = kept(net := built(without_norm), folder)
    net(np.zeros((1, 8, 8, 1)), training=True)  # moves the state of dropout on
    moved, path = kept(net, folder)
    assert moved == fresh
    here = built(without_norm)
    before = [np.asarray(each) for each in here.non_trainable_variables]
    assert len(before) == 1
    begin_with(here, path)
    assert np.array_equal(before, [np.asarray(each) for each in here.non_trainable_variables])


def test_a_head_for_other_classes_stays_fresh(folder: Path):
    net, here = built(), built(classes=5, seed=6)
    _, path = kept(net, folder)
    fit = fit_of(here, path)
    assert (fit.head, fit.misfit) == ("layer probabilities is 6x3 + 3 there and 6x5 + 5 here", "")
    head = [np.asarray(each) for each in here.layers[-1].weights]
    begin_with(here, path)
    for mine, theirs in zip(here.weights[:-2], net.weights[:-2], strict=True):
        assert np.array_equal(mine, theirs)
    assert all(np.array_equal(a, b) for a, b in zip(head, here.layers[-1].weights, strict=True))


def wide(images: Any) -> Any:
    return keras.layers.Dense(7, name="hidden")(keras.layers.Flatten()(images))


def plain(images: Any) -> Any:
    return keras.layers.Dense(6, name="hidden")(keras.layers.Flatten()(images))


@pytest.mark.parametrize(
    ("saved", "here", "misfit"),
    [
        (plain, wide, r"layer hidden is 64x6 \+ 6 there and 64x7 \+ 7 here"),
        (plain, features, r"layer batch_normalization\w* is not there and 6 \+ 6 \+ 6 \+ 6 here"),
        (features, plain, r"layer batch_normalization\w* is 6 \+ 6 \+ 6 \+ 6 there and is not here"),
    ],
)
def test_another_network_is_refused_and_the_layer_named(folder: Path, saved: Any, here: Any, misfit: str):
    _, path = kept(built(saved), folder)
    net = built(here)
    before = [np.asarray(each) for each in net.weights]
    with pytest.raises(BadInputError, match=f"^The saved weights do not fit: {misfit}\\.$"):
        begin_with(net, path)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.weights, strict=True))


def test_the_digest_is_of_the_weights_however_they_are_stored(tmp_path: Path):
    net = built()
    save(net, tmp_path / "bare.keras")
    net.compile("adam", loss="categorical_crossentropy")
    net.save(tmp_path / "compiled.keras")  # with the optimizer's
    net.save_weights(tmp_path / "model.weights.h5")
    forms = {digest(content(tmp_path / name)) for name in ("bare.keras", "compiled.keras", "model.weights.h5", "")}
    assert len(forms) == 1
    shutil.copy(tmp_path / "model.weights.h5", tmp_path / "other.weights.h5")
    with h5py.File(tmp_path / "other.weights.h5", "r+") as file:
        bias = file["layers/dense/vars/1"]
        bias[0] = np.nextafter(bias[0], np.float32(1))
    assert digest(content(tmp_path / "other.weights.h5")) not in forms
