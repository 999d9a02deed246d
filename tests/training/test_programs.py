"""A process that trains several runs of one program compiles it once, and each run has the bits of a fresh process."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from test_gradient import MOVED, state
from tiny_network import Fit, features

from medcls import TrainingError, losses, models, training
from medcls.data.dataset import Dataset, Split
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.training import programs

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "nothing of the user's": {"model": partial(models.mlp, hidden=(8,), dropout=0.3)},
    "improving": {
        "augment": MOVED,
        "optimizer": partial(training.adamw, learning_rate=1e-3),
        "schedule": partial(training.plateau, patience=1),
        "stop": partial(training.early, patience=2),
        "imbalance": training.balanced,
    },
    "worsening": {
        "optimizer": partial(training.sgd, learning_rate=2.0),
        "schedule": partial(training.step, every=2),
        "stop": training.keep_best,
        "imbalance": training.oversample,
    },
    "cosine": {"schedule": training.cosine, "imbalance": training.focal, "mirrored": True, "share": 0.5},
    "watched": {"watch": training.held_out},
}
traces: list[str] = []


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Leave no network to other tests of this process."""
    traces.clear()
    yield
    programs.forget()


def counted(targets: Any, predictions: Any) -> Any:
    """Return the usual loss; note that it was traced."""
    traces.append("traced")
    return keras.losses.categorical_crossentropy(targets, predictions)


def trained(fit: Fit, name: str, program: str, **learner: Any) -> tuple[Any, ...]:
    """Return all that a run of a program leaves behind; as a run of the program "" it is trained like a first one."""
    with programs.of_program(program):
        fitted, folder = fit(name, **learner)
        return fitted.weights_sha256, fitted.best_epoch, state(folder)


@pytest.mark.parametrize("way", WAYS)
def test_next_run_of_a_program_has_the_bits_of_a_fresh_process(fit: Fit, way: str):
    learner = {"epochs": 3, **WAYS[way]}
    fresh = [trained(fit, f"fresh {seed}", "", seed=seed, **learner) for seed in range(3)]
    assert not programs.is_kept()
    kept = [trained(fit, f"kept {seed}", "one", seed=seed, **learner) for seed in range(3)]
    assert programs.is_kept()
    assert kept == fresh
    assert len({weights for weights, *_ in kept}) == 3


def test_second_run_is_not_traced_again(fit: Fit):
    trained(fit, "first", "one", loss=counted)
    once = len(traces)
    trained(fit, "second", "one", loss=counted, seed=1)
    assert once > 0
    assert len(traces) == once
    trained(fit, "other", "other", loss=counted, seed=1)
    assert len(traces) == 2 * once


def test_learning_rate_epochs_and_batch_size_need_no_new_trace(fit: Fit):
    def learner(rate: float, epochs: int) -> dict[str, Any]:
        optimizer = partial(training.adam, learning_rate=rate)
        return {"loss": counted, "optimizer": optimizer, "epochs": epochs, "batch_size": epochs + 2}

    # A callback that counts steps lets each step be a call of its own.
    trained(fit, "first", "one", watch=watched, **learner(1e-3, 2))
    once = len(traces)
    other = trained(fit, "second", "one", watch=watched, **learner(3e-2, 4))
    assert len(traces) == once
    assert other == trained(fit, "fresh", "", watch=watched, **learner(3e-2, 4))


def watched(*_: Any) -> list[Any]:
    """Return a callback of Keras's that wants to be called at each step."""
    return [keras.callbacks.TerminateOnNaN()]


@pytest.mark.parametrize("epochs", [1, 2])
def test_run_cut_off_goes_on_in_a_process_that_has_its_program(fit: Fit, epochs: int):
    whole = trained(fit, "whole", "", seed=1, augment=MOVED, epochs=4)
    trained(fit, "before", "one", seed=0, augment=MOVED, epochs=4)
    trained(fit, "parts", "one", seed=1, augment=MOVED, epochs=epochs)
    trained(fit, "between", "one", seed=2, augment=MOVED, epochs=1)
    assert trained(fit, "parts", "one", seed=1, augment=MOVED, epochs=4) == whole
    assert trained(fit, "parts", "one", seed=1, augment=MOVED, epochs=4) == whole  # and is only loaded


def test_run_that_fails_leaves_nothing_behind(fit: Fit):
    learner = {"optimizer": partial(training.sgd, learning_rate=1e30), "epochs": 3}
    trained(fit, "good", "one", seed=0, optimizer=training.sgd)
    with pytest.raises(TrainingError, match="diverged"):
        trained(fit, "bad", "one", seed=1, **learner)
    assert not programs.is_kept()
    after = trained(fit, "after", "one", seed=2, optimizer=training.sgd)
    assert after == trained(fit, "fresh", "", seed=2, optimizer=training.sgd)


class Noise(keras.layers.Layer):
    """A layer whose noise is no variable: it is drawn when the layer is made."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.noise = np.random.standard_normal(6).astype(np.float32)

    def call(self, values: Any) -> Any:
        """Return the values with the noise added."""
        return values + self.noise


def noisy(images: Any) -> Any:
    return Noise()(features(images))


def drawn(images: Any) -> Any:
    """Return features of a network that is wired by chance."""
    return features(images, dropout=random.choice([0.1, 0.2, 0.3, 0.4, 0.5]))


@pytest.mark.parametrize("model", [noisy, drawn])
def test_what_a_users_network_keeps_outside_its_variables_is_never_mixed_up(fit: Fit, model: Any):
    fresh = [trained(fit, f"fresh {seed}", "", seed=seed, model=model) for seed in range(4)]
    assert [trained(fit, f"kept {seed}", "one", seed=seed, model=model) for seed in range(4)] == fresh


def test_users_own_optimizer_and_callbacks_are_not_kept(fit: Fit):
    class Own(keras.optimizers.SGD):
        pass

    for name, learner in {"optimizer": {"optimizer": Own}, "stop": {"stop": lambda task: [Stopping()]}}.items():
        trained(fit, name, name, **learner)
        assert not programs.is_kept()


class Stopping(keras.callbacks.Callback):
    """A callback of the user's own."""


def test_other_images_may_follow(fit: Fit, decoded: Dataset, rows: Split, tmp_path: Path):
    first = trained(fit, "first", "one", seed=0)
    fold = Split(rows.validation, rows.train[:9], rows.test)
    ended = []
    for program in ("", "one"):
        folder = RunDir(tmp_path / f"fold{program}")
        folder.path.mkdir()
        with programs.of_program(program):
            learner = {"model": features, "batch_size": 4, "epochs": 3, "loss": losses.of_the_task}
            fitted = training.gradient(decoded, fold, MULTICLASS, folder, 0, **learner)
            ended.append((fitted.weights_sha256, state(folder)))
    assert ended[0] == ended[1]
    assert ended[0][0] != first[0]
