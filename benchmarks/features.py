"""Benchmark of cached features: another head, fold or seed, and tasks 6 and 7 against VGG16 in every epoch.

    python -m benchmarks.features [IMAGES]

The network is VGG16 without its top at 224x224, with random weights (which cost as much as pretrained ones), the head
of the course, batches of 8 and all cores. Four things are measured on IMAGES images (64):

- computing their features once;
- what another run pays to use them: building the network, reading its weights, mapping and reading the features;
- an epoch of the head with VGG16 before it: the second of two, because the first compiles;
- an epoch of the head on the features of 1,200 images, which are these features repeated.

Times on fewer images are scaled linearly to 1,200, and one epoch to three folds of 150 epochs.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls import models
from medcls.data.dataset import Dataset
from medcls.execution.executors.local import available_cores
from medcls.execution.worker import set_threads
from medcls.tasks import BINARY
from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import origin, pretrained_network, write_backbone
from medcls.training.feature_cache import shared_features
from medcls.utils.tensors import KerasModel

MODEL = partial(models.pretrained, backbone="vgg16")
SHAPE, BATCH = (224, 224, 3), 8
DATA_SET, EPOCHS, FOLDS = 1200, 150, 3


@dataclass(frozen=True)
class Seconds:
    """The measured times in seconds.

    Attributes:
        extraction: computing the features.
        building: building the network and reading its weights.
        mapping: mapping the stored features and reading them.
        head: an epoch of the head on features.
        whole: an epoch of the head with VGG16 before it.
    """

    extraction: float
    building: float
    mapping: float
    head: float
    whole: float


def main(count: int) -> None:
    """Measure on `count` images and print the ratios."""
    set_threads(available_cores())
    images = np.random.default_rng(0).integers(0, 256, (count, *SHAPE), np.uint8)
    labels = np.arange(count) % 2
    data = Dataset(images, labels, np.full(count, ""), None, tuple(map(str, range(count))), ("a", "b"), "benchmark")
    with tempfile.TemporaryDirectory() as directory:
        folder = RunDir(Path(directory) / "run")
        folder.path.mkdir()
        weights = folder.saved_weights(origin(MODEL, "random").file(SHAPE))
        write_backbone(MODEL, BINARY, "random", SHAPE, 2, weights, weights)
        halves = pretrained_network(data, BINARY, folder, 0, MODEL, "random")
        halves.body.predict_on_batch(np.zeros((BATCH, *SHAPE), np.float32))  # compiles
        extraction = _seconds(lambda: shared_features(lambda: halves.body, data, folder, MODEL, "random"))
        building = _seconds(lambda: pretrained_network(data, BINARY, folder, 1, MODEL, "random"))
        mapping = _seconds(
            lambda: np.asarray(shared_features(lambda: halves.body, data, folder, MODEL, "random")).sum()
        )
        features = np.asarray(shared_features(lambda: halves.body, data, folder, MODEL, "random"))
        head = _epoch(halves.head, np.resize(features, (DATA_SET, *features.shape[1:])), np.resize(labels, DATA_SET))
        whole = _epoch(halves.whole, images.astype(np.float32), labels)
    _print_ratios(count, Seconds(extraction, building, mapping, head, whole))
    assert halves.head.count_params() == 3_211_521


def _print_ratios(count: int, seconds: Seconds) -> None:
    """Print the measured times on `count` images, and what they mean for a data set."""
    scale = DATA_SET / count
    once, again = seconds.extraction * scale, seconds.mapping * scale + seconds.building
    share = seconds.mapping / seconds.extraction
    print(f"{count} images: computing features {seconds.extraction:.2f} s, an epoch with VGG16 {seconds.whole:.2f} s")
    print(f"{DATA_SET} images: an epoch of the head on features {seconds.head:.2f} s")
    print(f"another head, fold or seed reads its features in {seconds.mapping:.3f} s: {share:.2%} of computing them")
    print(f"including building the network ({seconds.building:.2f} s), {DATA_SET} images: {again / once:.2%}")
    with_features = once + FOLDS * (again + EPOCHS * seconds.head)
    without = FOLDS * (seconds.building + EPOCHS * seconds.whole * scale)
    print(
        f"{FOLDS} folds of {EPOCHS} epochs on {DATA_SET} images: {with_features / 60:.1f} min with features, "
        f"{without / 60:.0f} min with VGG16 in every epoch: {without / with_features:.0f} times as fast"
    )


def _epoch(network: KerasModel, inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the seconds of the second epoch; the first compiles."""
    network.compile("adam", "binary_crossentropy", jit_compile=False)
    network.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0)
    return _seconds(lambda: network.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0))


def _seconds(work: Callable[[], object]) -> float:
    """Return how many seconds a function takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
