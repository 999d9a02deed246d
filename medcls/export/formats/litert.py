"""LiteRT (formerly TensorFlow Lite): one file for phones and small computers, in float32 or in 8-bit integers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded
from medcls.export.formats.litert_interpreter import interpreted
from medcls.export.formats.litert_process import apart
from medcls.utils.files import write_atomically
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import KerasModel


def _write(network: KerasModel, path: Path, images: Images, **settings: Any) -> None:  # noqa: ARG001
    write_atomically(path, lambda file: network.export(file.name, format="litert", verbose=False, **settings))


def _write_integers(network: KerasModel, path: Path, images: Images) -> None:
    """Write weights and activations as 8-bit integers, scaled on training images (Jacob et al. 2018).

    Args:
        network: the network.
        path: the file.
        images: training images, of shape (n, height, width, channels), uint8.
    """

    def examples() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [image[None].astype(np.float32)]

    _write(
        network,
        path,
        images,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=examples,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )


def _read(path: Path, network: Any) -> Loaded:
    """Return the model of a file, in a process of its own unless it was just written from a network at hand."""
    return apart(path) if network is None else interpreted(path)


LITERT = Format(_write, _read)
INTEGERS = Format(_write_integers, _read, exact=False)
