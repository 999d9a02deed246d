"""The input pipeline alone against Keras's ImageDataGenerator with the same parameters, in images a second.

    python -m benchmarks.pipeline [TURNS]

Both have two threads, batches of 8 and arrays of 128x128 in memory, grey and colour, and draw rotation 10, shifts 0.1
and horizontal flips (task 4 of the laboratory); ours also shuffles, carries weights and draws from (seed, epoch, step).
ImageDataGenerator is read from two threads, and in turn from one, as Keras reads it by default; its faster way counts.
What comes before the first batch is paid once a training and is not counted. The fastest of each over all turns is
what is compared, as what else the machine does only ever adds.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from medcls import augmentation
from medcls.data.loading import batches as stream

IMAGES, SIZE, BATCH, THREADS, EPOCHS = 512, 128, 8, 2, 3
OURS = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
THEIRS = {"rotation_range": 10, "width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True}


def main(turns: int) -> None:
    """Print images a second of both ways and their ratio, for grey and for colour."""
    warnings.simplefilter("ignore", DeprecationWarning)  # Keras's own, from an import in ImageDataGenerator
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for channels in (1, 3):
        images = np.random.default_rng(0).integers(0, 256, (IMAGES, SIZE, SIZE, channels), np.uint8)
        ways = {
            "medcls": partial(_ours, images),
            "ImageDataGenerator, two threads": partial(_theirs, images.astype(np.float32), THREADS),
            "ImageDataGenerator, one thread": partial(_theirs, images.astype(np.float32), 1),
        }
        measured = [{name: _rate(way) for name, way in ways.items()} for _ in range(turns)]
        rates = {name: max(each[name] for each in measured) for name in ways}
        best = max(rate for name, rate in rates.items() if name != "medcls")
        told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
        print(f"{SIZE}x{SIZE}x{channels}, images a second: {told}; ratio {rates['medcls'] / best:.1f}")


def _rate(way: Callable[[], Iterator[Any]]) -> float:
    """Return images a second from the first batch on: what comes before it is paid once a training."""
    batches = way()
    next(batches)
    started = time.perf_counter()
    images = sum(len(batch) for batch in batches)
    return images / (time.perf_counter() - started)


def _ours(images: Any) -> Iterator[Any]:
    """Draw epochs as training draws them."""
    rows, labels = np.arange(IMAGES), np.zeros(IMAGES, np.int64)
    examples = stream.Examples(images, rows, np.zeros((IMAGES, 1), np.float32), np.ones(IMAGES, np.float32))
    drawn = stream.training(examples, stream.shuffled(labels, 0), OURS().batch, 0, BATCH, range(EPOCHS))
    return (batch for batch, _, _ in drawn)


def _theirs(images: Any, threads: int) -> Iterator[Any]:
    """Draw epochs, whose batches so many threads make."""
    generator = tf.keras.preprocessing.image.ImageDataGenerator(**THEIRS)
    batches = generator.flow(images, np.zeros(IMAGES), batch_size=BATCH, seed=0)
    numbers = [number for _ in range(EPOCHS) for number in range(len(batches))]
    if threads == 1:
        yield from (batches[number][0] for number in numbers)
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield from (batch for batch, _ in pool.map(batches.__getitem__, numbers))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
