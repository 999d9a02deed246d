"""Training depends on (seed, epoch, step) alone, so that a run cut off anywhere goes on to the same bits."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from tiny_network import Fit, features

from medcls import TrainingError, augmentation, training
from medcls.data.dataset import Dataset, Split
from medcls.tasks.classification import one_hot
from medcls.tracking.run_dir import RunDir

MOVED = partial(augmentation.standard, rotation=20.0, brightness=0.2, horizontal_flip=True)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "improving": {
        "augment": MOVED,
        "optimizer": partial(training.adamw, learning_rate=1e-3),
        "schedule": partial(training.plateau, patience=1),
        "stop": partial(training.early, patience=4),
        "imbalance": training.balanced,
    },
    "worsening": {
        "optimizer": partial(training.sgd, learning_rate=2.0),
        "schedule": partial(training.step, every=2),
        "stop": training.keep_best,
        "imbalance": training.oversample,
    },
    "focal": {"imbalance": training.focal, "optimizer": training.sgd},
}
STILL = {"model": partial(features, dropout=0.0, norm=False), "optimizer": partial(training.sgd, learning_rate=1e-20)}
THREADS = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
import numpy as np
from medcls.execution.worker import set_threads
set_threads(int(sys.argv[1]))
from medcls import augmentation, models, training
from medcls.data.dataset import Dataset as Decoded, Split
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir as RunFolder
generator = np.random.default_rng(0)
images, labels = generator.integers(0, 256, (24, 32, 32, 1), np.uint8), np.arange(24) % 3
data = Decoded(images, labels, np.full(24, ""), None, tuple(map(str, range(24))), ("a", "b", "c"))
rows = Split(np.arange(18), np.arange(18, 24), np.arange(0))
for epochs in map(int, sys.argv[3:]):
    fitted = training.gradient(
        data, rows, MULTICLASS, RunFolder(Path(sys.argv[2])), 0, epochs=epochs,
        model=partial(models.resnet, depth=8, base=8, dropout=0.3),
        augment=partial(augmentation.standard, rotation=9.0),
    )
print(fitted.weights_sha256)
"""


def state(folder: RunDir) -> tuple[Any, ...]:
    """Return all that a run leaves behind: history, callbacks, every variable's bits."""
    epochs, remembered, arrays = folder.read_checkpoint()
    return epochs, remembered, {name: array.tobytes() for name, array in arrays.items()}, folder.history()


@pytest.mark.parametrize("way", WAYS)
def test_two_epochs_and_three_more_are_five(fit: Fit, way: str, rows: Split):
    whole, one = fit("whole", epochs=5, **WAYS[way])
    fit("parts", epochs=2, **WAYS[way])
    parts, other = fit("parts", epochs=5, **WAYS[way])
    assert state(one) == state(other)
    assert (parts.weights_sha256, parts.best_epoch) == (whole.weights_sha256, whole.best_epoch)
    assert np.array_equal(parts.predict(rows.test), whole.predict(rows.test))
    if way in ("improving", "worsening"):  # the best epoch lies after, or before, the cut
        assert (parts.best_epoch >= 2) == (way == "improving")


def test_an_interrupted_run_with_a_cosine_schedule_ends_as_an_uninterrupted_one(fit: Fit):
    class Cut(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 13:  # in the third epoch
                raise KeyboardInterrupt

    learner = {"epochs": 5, "schedule": training.cosine, "augment": MOVED}
    _, whole = fit("whole", stop=lambda task: [keras.callbacks.Callback()], **learner)
    with pytest.raises(KeyboardInterrupt):
        fit("cut", stop=lambda task: [Cut()], **learner)
    _, cut = fit("cut", stop=lambda task: [keras.callbacks.Callback()], **learner)
    assert state(whole) == state(cut)


def test_one_call_per_epoch_gives_the_bits_of_single_steps(fit: Fit):
    class Counting(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

    counting, learner = Counting(), {"augment": MOVED, "optimizer": partial(training.adamw, learning_rate=1e-3)}
    _, together = fit("together", stop=lambda task: [keras.callbacks.Callback()], **learner)
    _, single = fit("single", stop=lambda task: [counting], **learner)
    assert counting.steps == 3 * 5
    assert state(together) == state(single)


def test_a_journal_ahead_of_its_checkpoint_is_cut_and_its_torn_line_ignored(fit: Fit):
    _, whole = fit("whole", epochs=4)
    _, torn = fit("torn", epochs=2)
    torn.append(replace(torn.rows()[-1], epoch=2, metrics={"loss": 0.0}))
    with (torn.path / "journal.jsonl").open("a") as file:
        file.write('{"epoch": 3, "met')
    fit("torn", epochs=4)
    assert state(torn) == state(whole)
    assert [row.epoch for row in torn.rows()] == [0, 1, 2, 3]


def test_a_finished_run_is_only_restored(fit: Fit, rows: Split):
    first, folder = fit("run", stop=training.keep_best)
    journal = folder.rows()
    again, _ = fit("run", stop=training.keep_best)
    assert folder.rows() == journal
    assert again.weights_sha256 == first.weights_sha256
    assert np.array_equal(again.predict(rows.test), first.predict(rows.test))


def test_the_same_seed_gives_the_same_bits_and_another_one_others(fit: Fit):
    runs = [fit(name, seed=seed, augment=MOVED)[0].weights_sha256 for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_fresh_processes_with_as_many_threads_give_the_same_bits_cut_off_or_not(tmp_path, threads: str):
    ended = set()
    for name, epochs in (("whole", ["3"]), ("parts", ["1", "3"])):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", THREADS, threads, str(tmp_path / name), *epochs]
        ended.add(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(ended) == 1


@pytest.mark.parametrize("imbalance", [training.balanced, training.oversample, training.focal])
def test_an_answer_to_imbalance_changes_what_is_learned(fit: Fit, imbalance):
    plain, answered = (fit(each.__name__, imbalance=each)[0] for each in (training.none, imbalance))
    assert plain.weights_sha256 != answered.weights_sha256


def test_training_and_validation_loss_are_weighted_and_scores_are_not(fit: Fit, decoded: Dataset, rows: Split):
    fitted, folder = fit("run", imbalance=training.balanced, epochs=1, **STILL)
    weights = training.balanced(np.bincount(decoded.labels[rows.train])).class_weights
    for prefix, part in (("", rows.train), ("val_", rows.validation)):
        labels, predicted = decoded.labels[part], fitted.predict(part)
        entropy = -np.log((one_hot(labels, 3) * predicted).sum(axis=1))
        assert folder.history()[f"{prefix}loss"][0] == pytest.approx((weights[labels] * entropy).mean(), rel=1e-5)
        hits = (predicted.argmax(axis=1) == labels).mean()
        assert folder.history()[f"{prefix}accuracy"][0] == pytest.approx(hits)


def test_parameters_by_hand(fit: Fit):
    fitted, _ = fit("run", epochs=1)
    dense, norm, head = 64 * 6 + 6, 4 * 6, 6 * 3 + 3
    assert fitted.parameters == {"total": dense + norm + head, "trainable": dense + norm // 2 + head}


def test_predictions_are_beside_the_rows_asked_for(fit: Fit, decoded: Dataset):
    fitted, _ = fit("run", epochs=1)
    asked = np.random.default_rng(0).integers(0, 30, 150)  # more than two batches
    expected = fitted.model(decoded.images[asked].astype(np.float32)).numpy()
    assert np.allclose(fitted.predict(asked), expected, atol=1e-6)


def test_a_loss_that_is_no_number_ends_the_run_and_is_not_recorded(fit: Fit, tmp_path):
    with pytest.raises(TrainingError, match=r"in epoch 1: training diverged.*learning_rate"):
        fit("run", optimizer=partial(training.sgd, learning_rate=1e30), epochs=4)
    assert RunDir(tmp_path / "run").rows() == []


def test_epochs_of_a_part_of_the_images_are_cut_off_and_continued_to_the_same_bits(fit: Fit):
    learner = {"share": 0.4, "augment": MOVED, "watch": training.held_out}
    whole, folder = fit("whole", epochs=4, **learner)
    for epochs in (1, 3, 4):
        parts, cut = fit("parts", epochs=epochs, **learner)
    assert parts.weights_sha256 == whole.weights_sha256 != fit("full", epochs=4)[0].weights_sha256
    assert cut.history() == folder.history()


def test_watching_the_test_part_writes_it_down_and_changes_nothing(fit: Fit, decoded: Dataset, rows: Split):
    plain, before = fit("plain", stop=training.keep_best)
    watched, after = fit("watched", stop=training.keep_best, watch=training.held_out)
    assert watched.weights_sha256 == plain.weights_sha256
    seen = after.history().pop("test_accuracy")
    assert {**after.history(), "test_accuracy": seen} == {**before.history(), "test_accuracy": seen}
    right = watched.predict(rows.test).argmax(axis=1) == decoded.labels[rows.test]
    assert seen[watched.best_epoch] == pytest.approx(right.mean())
