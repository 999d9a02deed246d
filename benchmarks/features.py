"""What frozen features save: a further head, fold or seed, and tasks 6 and 7 against VGG16 in every epoch.

    python -m benchmarks.features [IMAGES]

VGG16 without its top at 224x224, random weights (they cost what others do), the course's head, batches of 8, all
cores. Measured on so many images: their features, computed once; what a further run pays for having them (the network
built, its weights read, the features mapped and read through); an epoch of the same head with VGG16 before it, the
second of two, as the first compiles; and one of the head on as many features as a data set of 1,200 images has, these
repeated. What was measured on fewer is scaled to 1,200 linearly, and one epoch to 150 of each of three folds.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from medcls import models
from medcls.data.dataset import Dataset
from medcls.execution.executors.local import available_cores
from medcls.execution.executors.worker import set_threads
from medcls.tasks import BINARY
from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import Halves, origin, pretrained_network, write_backbone
from medcls.training.feature_cache import shared_features

MODEL = partial(models.pretrained, backbone="vgg16")
SHAPE, BATCH = (224, 224, 3), 8
DATA_SET, EPOCHS, FOLDS = 1200, 150, 3


def main(count: int) -> None:
    """Print the ratios as measured on `count` images."""
    set_threads(available_cores())
    images = np.random.default_rng(0).integers(0, 256, (count, *SHAPE), np.uint8)
    labels = np.arange(count) % 2
    data = Dataset(images, labels, np.full(count, ""), None, tuple(map(str, range(count))), ("a", "b"), "benchmark")
    with tempfile.TemporaryDirectory() as place:
        folder = RunDir(Path(place) / "run")
        folder.path.mkdir()
        weights = folder.saved_weights(origin(MODEL, "random").file(SHAPE))
        write_backbone(MODEL, BINARY, "random", SHAPE, 2, weights, weights)
        parts = pretrained_network(data, BINARY, folder, 0, MODEL, "random")
        parts.body.predict_on_batch(np.zeros((BATCH, *SHAPE), np.float32))  # compiles
        extraction = _seconds(lambda: shared_features(lambda: parts.body, data, folder, MODEL, "random"))
        building = _seconds(lambda: pretrained_network(data, BINARY, folder, 1, MODEL, "random"))
        mapping = _seconds(lambda: np.asarray(shared_features(lambda: parts.body, data, folder, MODEL, "random")).sum())
        features = np.asarray(shared_features(lambda: parts.body, data, folder, MODEL, "random"))
        head = _epoch(parts.head, np.resize(features, (DATA_SET, *features.shape[1:])), np.resize(labels, DATA_SET))
        whole = _epoch(parts.whole, images.astype(np.float32), labels)
    _tell(parts, count, extraction, building, mapping, head, whole)


def _tell(
    parts: Halves, count: int, extraction: float, building: float, mapping: float, head: float, whole: float
) -> None:
    scale = DATA_SET / count
    once, again = extraction * scale, mapping * scale + building
    print(f"{count} images: features {extraction:.2f} s, an epoch with VGG16 {whole:.2f} s")
    print(f"{DATA_SET} images: an epoch of the head on features {head:.2f} s")
    print(f"a further head, fold or seed gets its features in {mapping:.3f} s: {mapping / extraction:.2%} of computing")
    print(f"with the network built ({building:.2f} s), of {DATA_SET} images: {again / once:.2%} of computing")
    ours = once + FOLDS * (again + EPOCHS * head)
    theirs = FOLDS * (building + EPOCHS * whole * scale)
    print(
        f"{FOLDS} folds of {EPOCHS} epochs on {DATA_SET} images: {ours / 60:.1f} min with features, "
        f"{theirs / 60:.0f} min with VGG16 in every epoch: {theirs / ours:.0f} times sooner"
    )
    assert parts.head.count_params() == 3_211_521


def _epoch(net: Any, inputs: Any, labels: Any) -> float:
    net.compile("adam", "binary_crossentropy", jit_compile=False)
    net.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0)
    return _seconds(lambda: net.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
