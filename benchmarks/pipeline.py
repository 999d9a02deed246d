"""Benchmark of the input pipeline against Keras's ImageDataGenerator with equal parameters, in images per second.

    python -m benchmarks.pipeline [TURNS]

Both use two threads, batches of 8 and arrays of 128x128 pixels in memory, gray and colour, with rotation 10, shifts 0.1
and horizontal flips (task 4 of the laboratory). The pipeline of medcls also shuffles, carries weights and draws from
(seed, epoch, step). ImageDataGenerator is read from two threads and from one, as Keras does by default; the faster way
counts. The time before the first batch is spent once per training and does not count. The fastest of all turns is
compared, because other load on the machine only adds time.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from medcls import augmentation
from medcls.data.loading import batches as stream
from medcls.utils.tensors import Tensor

Batch: TypeAlias = "NDArray[np.float32] | Tensor"

IMAGES, SIZE, BATCH, THREADS, EPOCHS = 512, 128, 8, 2, 3
OURS = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
THEIRS = {"rotation_range": 10, "width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True}


def main(turns: int) -> None:
    """Measure both pipelines, and print their images per second and the ratio, for gray and for colour."""
    warnings.simplefilter("ignore", DeprecationWarning)  # Keras's own, from an import in ImageDataGenerator
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for channels in (1, 3):
        images = np.random.default_rng(0).integers(0, 256, (IMAGES, SIZE, SIZE, channels), np.uint8)
        pipelines = {
            "medcls": partial(_ours, images),
            "ImageDataGenerator, two threads": partial(_theirs, images.astype(np.float32), THREADS),
            "ImageDataGenerator, one thread": partial(_theirs, images.astype(np.float32), 1),
        }
        rates = dict.fromkeys(pipelines, 0.0)
        for _ in range(turns):
            for name, pipeline in pipelines.items():
                rates[name] = max(rates[name], _rate(pipeline))
        texts = [f"{name} {rate:,.0f}" for name, rate in rates.items()]
        ratio = rates.pop("medcls") / max(rates.values())
        print(f"{SIZE}x{SIZE}x{channels}, images per second: {', '.join(texts)}; ratio {ratio:.1f}")


def _rate(pipeline: Callable[[], Iterator[Batch]]) -> float:
    """Return images per second from the first batch on."""
    batches = pipeline()
    next(batches)
    started = time.perf_counter()
    images = sum(len(batch) for batch in batches)
    return images / (time.perf_counter() - started)


def _ours(images: NDArray[np.uint8]) -> Iterator[Batch]:
    """Yield the batches of some epochs from the pipeline of medcls."""
    rows, labels = np.arange(IMAGES), np.zeros(IMAGES, np.int64)
    examples = stream.Examples(images, rows, np.zeros((IMAGES, 1), np.float32), np.ones(IMAGES, np.float32))
    order = stream.shuffled(labels, 0)
    for batch, _, _ in stream.training(examples, order, OURS().batch, 0, BATCH, range(EPOCHS)):
        yield batch


def _theirs(images: NDArray[np.float32], threads: int) -> Iterator[Batch]:
    """Yield the batches of some epochs from ImageDataGenerator, made by this number of threads."""
    generator = tf.keras.preprocessing.image.ImageDataGenerator(**THEIRS)
    batches = generator.flow(images, np.zeros(IMAGES), batch_size=BATCH, seed=0)
    numbers = list(range(len(batches))) * EPOCHS
    if threads == 1:
        for number in numbers:
            yield batches[number][0]
    else:
        with ThreadPoolExecutor(threads) as pool:
            for batch, _ in pool.map(batches.__getitem__, numbers):
                yield batch


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
