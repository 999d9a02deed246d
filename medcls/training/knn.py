"""The learner by k nearest neighbours, on pretrained features."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medcls import models
from medcls.data.dataset import Dataset, Split
from medcls.models.pretrained import AVERAGE
from medcls.spec.constraints import at_least, constrained, for_task, of_classes
from medcls.spec.parameters import arguments_of
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow
from medcls.training.backbone import IMAGENET, origin, pretrained_network
from medcls.training.feature_cache import shared_features
from medcls.training.knn_network import voting
from medcls.training.result import Fitted, weights_sha256
from medcls.training.saved_weights import parameters
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import sklearn
from medcls.utils.tensors import KerasTensor

INNER_FOLDS = 5
BATCH = 64  # images that vote at a time
Rows = NDArray[np.int64]
Predict = Callable[[Rows], NDArray[np.float32]]


def _check(*, candidates: tuple[int, ...], **_: object) -> None:
    if not all(isinstance(count, int) and count >= 1 for count in candidates):
        raise BadInputError(f"candidates={list(candidates)} must be numbers of neighbours, e.g. [1, 5, 11, 21].")


@for_task(of_classes)
@constrained(_check, at_least(1, "count"))
def neighbours(
    data: Dataset,
    split: Split,
    task: Task,
    folder: RunDir,
    seed: int,
    *,
    model: Callable[..., KerasTensor] = models.pretrained,
    pretrained: str = IMAGENET,
    count: int = 11,
    candidates: tuple[int, ...] = (),
    normalise: bool = True,
    normalise_queries: bool = True,
) -> Fitted:
    """Classify each image by a vote of the nearest training images (Cover and Hart 1967).

    Images are compared by the features of a frozen pretrained body. Neighbours at the same distance share their votes
    (see `voting`). There is one pass over the data and one row in the journal. The training scores are too good, as
    each training image is its own nearest neighbour.

    Args:
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        folder: the run directory.
        seed: of the cross-validation that chooses among `candidates`.
        model: `models.pretrained` with its parameters; of its head, only the pooling is used.
        pretrained: "imagenet", "random", or the digest of a file of weights that the work directory has.
        count: how many neighbours vote, if there are no `candidates`.
        candidates: numbers of neighbours, of which cross-validation within the training set chooses the best; a
            patient's images stay in one fold.
        normalise: scales the training images' features to length 1, so that only their direction counts.
        normalise_queries: scales the features of the image to classify too. With `normalise` it changes nothing, as
            the length of a query does not change the order of neighbours of length 1.

    Raises:
        BadInputError: there are fewer training images than neighbours, the model has no pretrained body, or its
            weights are not in the work directory.
    """
    started = time.time()
    body = pretrained_network(data, task, folder, seed, model, pretrained).body
    averaged = arguments_of(model)["pooling"] == AVERAGE
    feature_maps = shared_features(lambda: body, data, folder, model, pretrained)
    features = _vectors(np.asarray(feature_maps), averaged=averaged)
    if normalise:
        features = sklearn.preprocessing.normalize(features)
    neighbour_count = _best_candidate(features, data, split.train, candidates, seed) or count
    if neighbour_count > len(split.train):
        raise BadInputError(
            f"{neighbour_count} neighbours cannot be found among {len(split.train)} training images: "
            "--set learner.count=..."
        )
    network = voting(
        body,
        features[split.train],
        data.labels[split.train],
        len(data.classes),
        count=neighbour_count,
        averaged=averaged,
        normalise=normalise or normalise_queries,
    )

    def predict(rows: Rows) -> NDArray[np.float32]:
        votes: NDArray[np.float32] = network.head.predict(np.asarray(feature_maps[rows]), batch_size=BATCH, verbose=0)
        return votes / np.float32(
            neighbour_count
        )  # here, as a graph may multiply by 1 / chosen, which rounds otherwise

    if not folder.epochs_held():
        _record(folder, task, data, split, predict, neighbour_count, started)
    weights_name = origin(model, pretrained).file(data.images.shape[1:])
    return Fitted(
        model=network.whole,
        predict=predict,
        epochs=1,
        best_epoch=0,
        parameters={"total": parameters(folder.saved_weights(weights_name)), "trainable": 0},
        weights_sha256=weights_sha256(network.whole.get_weights()),
        body=weights_name,
    )


def _vectors(features: NDArray[np.float32], *, averaged: bool) -> NDArray[np.float32]:
    """Return features of shape (n, features): maps are averaged or flattened, the output of a dense layer stays."""
    maps = features.ndim == 4 and averaged
    return features.mean(axis=(1, 2)) if maps else features.reshape(len(features), -1)


def _best_candidate(
    features: NDArray[np.float32], data: Dataset, rows: Rows, candidates: tuple[int, ...], seed: int
) -> int | None:
    """Return the number of neighbours with the best balanced accuracy in cross-validation; None if none is possible.

    Args:
        features: of all images, of shape (n, features).
        data: the data set, which has labels and patients.
        rows: of the training images.
        candidates: numbers of neighbours.
        seed: of the folds.
    """
    labels = data.labels[rows]
    groups = rows if data.patients is None else data.patients[rows]
    fewest_groups = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    folds = min(INNER_FOLDS, fewest_groups)
    possible = [candidate for candidate in candidates if candidate <= len(rows) // 2]
    if folds < 2 or not possible:
        return None
    splits = sklearn.model_selection.StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(
        features[rows], labels, groups
    )
    search = sklearn.model_selection.GridSearchCV(
        sklearn.neighbors.KNeighborsClassifier(),
        {"n_neighbors": possible},
        scoring="balanced_accuracy",
        cv=list(splits),
        refit=False,
    )
    return int(search.fit(features[rows], labels).best_params_["n_neighbors"])


def _record(
    folder: RunDir, task: Task, data: Dataset, split: Split, predict: Predict, count: int, started: float
) -> None:
    """Journal the one pass as a finished epoch.

    Args:
        folder: the run directory.
        task: what a target means.
        data: the data set.
        split: the rows of its training, validation and test sets.
        predict: rows -> predictions.
        count: how many neighbours vote.
        started: the time at which the run started, in seconds.
    """
    metrics: dict[str, float] = {}
    for prefix, rows in (("", split.train), ("val_", split.validation)):
        scores = task.scores(task.truth(data, rows), predict(rows), data.classes)
        metrics |= {f"{prefix}loss": scores["log_loss"], f"{prefix}accuracy": scores["accuracy"]}
        metrics |= {f"{prefix}balanced_accuracy": scores["balanced_accuracy"]}
    now = time.time()
    folder.truncate(0)
    metrics |= {"neighbours": float(count), "learning_rate": 0.0}  # as every history has one
    folder.append(EpochRow(0, metrics, time=int(now * 1000), seconds=round(now - started, 3)))
    folder.write_checkpoint(1, CheckpointState(stopped=True), {})
