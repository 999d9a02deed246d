"""What a target means: three heads for classes, one meaning of what is stored."""

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss
from tiny_network import features

from medcls import training
from medcls.data.dataset import Dataset, Split
from medcls.losses import cross_entropy, focal
from medcls.tasks import BINARY, MULTICLASS, SPARSE, Task, metrics
from medcls.tracking.run_dir import RunDir
from medcls.training import gradient
from medcls.training.result import Fitted

LABELS = np.array([0, 1, 1, 0, 1, 0, 0])
POSITIVE = np.array([[0.2], [0.9], [0.4], [0.7], [0.6], [0.1], [0.0]], np.float32)
BOTH = np.concatenate([1 - POSITIVE, POSITIVE], axis=1)
NAMES = tuple(map(str, range(7)))
TWO = Dataset(np.zeros((7, 2, 2, 1), np.uint8), LABELS, np.full(7, ""), None, NAMES, ("a", "b"))


def fitted(task: Task, decoded: Dataset, rows: Split, folder: Path, **learner: object) -> Fitted:
    two = Dataset(decoded.images, decoded.labels % 2, decoded.parts, None, decoded.names, ("a", "b"))
    folder.mkdir()
    return gradient(two, rows, task, RunDir(folder), 0, model=features, batch_size=4, epochs=2, **learner)


@pytest.mark.parametrize("task", [MULTICLASS, SPARSE, BINARY], ids=lambda task: task.name)
def test_every_task_stores_class_probabilities(task: Task, decoded: Dataset, rows: Split, tmp_path: Path) -> None:
    made = fitted(task, decoded, rows, tmp_path / "run", imbalance=training.balanced)
    predicted = made.predict(rows.validation)
    assert predicted.shape == (len(rows.validation), 2)
    assert predicted.sum(axis=1) == pytest.approx(1)
    assert set(task.scores(decoded.labels[rows.validation] % 2, predicted, ("a", "b"))) >= {"accuracy", "auc"}
    history = RunDir(tmp_path / "run").history()
    assert {"loss", "accuracy", "balanced_accuracy", "val_loss", "val_accuracy"} <= set(history)
    assert history["val_accuracy"][-1] == pytest.approx(
        np.mean(predicted.argmax(axis=1) == decoded.labels[rows.validation] % 2)
    )


@pytest.mark.parametrize(
    ("task", "units"), [(MULTICLASS, 2), (SPARSE, 2), (BINARY, 1)], ids=["softmax", "sparse", "sigmoid"]
)
def test_heads_have_one_unit_a_class_or_one_for_two(task: Task, units: int) -> None:
    assert task.head(keras.Input((5,)), 2).shape == (None, units)


def test_sparse_trains_to_what_categorical_trains_to(decoded: Dataset, rows: Split, tmp_path: Path) -> None:
    one = fitted(MULTICLASS, decoded, rows, tmp_path / "one").predict(rows.test)
    other = fitted(SPARSE, decoded, rows, tmp_path / "other").predict(rows.test)
    assert one == pytest.approx(other, abs=1e-5)


def test_the_losses_agree_with_scikit_learn_whatever_the_columns() -> None:
    shown = np.clip(BOTH.astype(np.float64), 1e-7, 1 - 1e-7)
    mean = log_loss(LABELS, shown / shown.sum(axis=1, keepdims=True))
    for task, predictions in ((MULTICLASS, BOTH), (SPARSE, BOTH), (BINARY, POSITIVE)):
        losses = task.loss(task.target(TWO, np.arange(7)), predictions).numpy()
        assert losses.shape == (7,)
        assert losses.mean() == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize(("task", "predictions"), [(SPARSE, BOTH), (BINARY, POSITIVE)], ids=["sparse", "binary"])
def test_focal_and_balanced_accuracy_know_all_columns(task: Task, predictions: np.ndarray) -> None:
    targets, one_hot = task.target(TWO, np.arange(7)), MULTICLASS.target(TWO, np.arange(7))
    assert focal(targets, predictions).numpy() == pytest.approx(focal(one_hot, BOTH).numpy(), rel=1e-4, abs=1e-6)
    assert focal(targets, predictions, gamma=0.0).numpy() == pytest.approx(cross_entropy(targets, predictions).numpy())
    metric = metrics.balanced_accuracy(2)
    metric.update_state(targets, predictions)
    assert float(metric.result()) == pytest.approx(balanced_accuracy_score(LABELS, BOTH.argmax(axis=1)))


def test_a_certain_and_wrong_sigmoid_still_learns() -> None:
    """Keras finds the logits behind the sigmoid: the gradient does not vanish where the probability rounds to 0."""
    images = keras.Input((1,))
    network = keras.Model(images, BINARY.head(images, 2))
    network.compile("sgd", loss=BINARY.loss)
    network.layers[-1].set_weights([np.array([[-200.0]], np.float32), np.zeros(1, np.float32)])
    network.fit(np.ones((1, 1), np.float32), BINARY.target(TWO, np.array([1])), verbose=0)
    assert network.layers[-1].get_weights()[0][0, 0] > -200
