"""The learner that asks the nearest training images: k nearest neighbours on borrowed features."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls import models
from medcls.data.dataset import Dataset, Split
from medcls.models.pretrained import AVERAGE
from medcls.spec.constraints import at_least, constrained, for_task, of_classes
from medcls.spec.parameters import arguments_of
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import IMAGENET, borrow, origin
from medcls.training.feature_cache import seen_by
from medcls.training.knn_network import voting
from medcls.training.result import Fitted, weights_sha256
from medcls.training.saved_weights import parameters
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import sklearn

INNER_FOLDS = 5
BATCH = 64  # images that vote at a time
Rows = NDArray[np.int64]


def _check(*, candidates: tuple[int, ...], **_: Any) -> None:
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
    model: Callable[..., Any] = models.pretrained,
    pretrained: str = IMAGENET,
    count: int = 11,
    candidates: tuple[int, ...] = (),
    normalise: bool = True,
    normalise_queries: bool = True,
) -> Fitted:
    """Let the `count` nearest training images vote on each image (Cover and Hart 1967), by a frozen body's features.

    One pass and no epochs: the journal has one row. What it calls training scores are of images that are among
    their own neighbours, so they flatter.

    `model`'s head is left aside, but for its pooling of maps; `pretrained` is "imagenet", "random" or the digest of a
    file's weights. Of `candidates` for the number of neighbours, the best is chosen by cross-validation within the
    training images, no patient divided; without any, `count` it is. `normalise` brings the training images' features
    to length 1, so that angles count and not brightness; `normalise_queries` those of the images that are asked about
    (False is what the course did: among neighbours of length 1 it changes nothing). Neighbours that are equally far
    share the votes (see `voting`).

    Raises:
        BadInputError: more neighbours than training images; or the model borrows no network, or has no weights.
    """
    started = time.time()
    body, averaged = borrow(data, task, folder, seed, model, pretrained).body, _is_averaged(model)
    seen = seen_by(lambda: body, data, folder, model, pretrained)
    features = _vectors(np.asarray(seen), averaged=averaged)
    known = sklearn.preprocessing.normalize(features) if normalise else features
    chosen = _chosen(known, data, split.train, candidates, seed) or count
    if chosen > len(split.train):
        raise BadInputError(
            f"{chosen} neighbours cannot be found among {len(split.train)} training images: --set learner.count=..."
        )
    asked_alike = normalise or normalise_queries  # among neighbours of length 1 a query's length changes nothing
    learnt, labels = known[split.train], data.labels[split.train]
    network = voting(body, learnt, labels, len(data.classes), count=chosen, averaged=averaged, normalise=asked_alike)

    def predict(rows: Rows) -> NDArray[np.float32]:
        votes: NDArray[np.float32] = network.head.predict(np.asarray(seen[rows]), batch_size=BATCH, verbose=0)
        return votes / np.float32(chosen)  # here, as a graph may multiply by 1 / chosen, which rounds otherwise

    if not folder.epochs_held():
        _record(folder, task, data, split, predict, chosen, started)
    borrowed = origin(model, pretrained).file(data.images.shape[1:])
    counted = {"total": parameters(folder.saved_weights(borrowed)), "trainable": 0}
    return Fitted(network.whole, predict, 1, 0, counted, weights_sha256(network.whole.get_weights()), borrowed)


def _is_averaged(model: Callable[..., Any]) -> bool:
    return bool(arguments_of(model)["pooling"] == AVERAGE)


def _vectors(features: NDArray[np.float32], *, averaged: bool) -> NDArray[np.float32]:
    """Return the features of each image in a row: those of a dense layer, or its maps, averaged or laid flat."""
    maps = features.ndim == 4 and averaged
    return features.mean(axis=(1, 2)) if maps else features.reshape(len(features), -1)


def _chosen(features: Any, data: Dataset, rows: Rows, candidates: tuple[int, ...], seed: int) -> int | None:
    """Return the candidate with the best balanced accuracy over folds of the training images; None if none fits."""
    labels, groups = data.labels[rows], (rows if data.patients is None else data.patients[rows])
    rarest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    folds = min(INNER_FOLDS, rarest)
    possible = [each for each in candidates if folds >= 2 and each <= len(rows) // 2]
    if not possible:
        return None
    cut = sklearn.model_selection.StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(
        features[rows], labels, groups
    )
    search = sklearn.model_selection.GridSearchCV(
        sklearn.neighbors.KNeighborsClassifier(),
        {"n_neighbors": possible},
        scoring="balanced_accuracy",
        cv=list(cut),
        refit=False,
    )
    return int(search.fit(features[rows], labels).best_params_["n_neighbors"])


def _record(folder: RunDir, task: Task, data: Dataset, split: Split, predict: Any, chosen: int, started: float) -> None:
    """Journal the one pass, training images first, as an epoch that is finished."""
    metrics: dict[str, float] = {}
    for before, rows in (("", split.train), ("val_", split.validation)):
        scores = task.scores(task.truth(data, rows), predict(rows), data.classes)
        metrics |= {f"{before}loss": scores["log_loss"], f"{before}accuracy": scores["accuracy"]}
        metrics |= {f"{before}balanced_accuracy": scores["balanced_accuracy"]}
    now = time.time()
    row = {"epoch": 0, "time": int(now * 1000), "seconds": round(now - started, 3), "system": {}}
    folder.cut(0)
    metrics |= {"neighbours": float(chosen), "learning_rate": 0.0}  # as every history has one
    folder.append({**row, "metrics": metrics})
    folder.write_checkpoint(1, {"callbacks": [], "stopped": True}, {})
