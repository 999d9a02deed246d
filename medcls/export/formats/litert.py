"""LiteRT, once TensorFlow Lite: one file for telephones and small computers; in 32-bit numbers or in 8-bit integers."""

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


def _write(network: Any, path: Path, images: Images, **settings: Any) -> None:  # noqa: ARG001
    write_atomically(path, lambda file: network.export(file.name, format="litert", verbose=False, **settings))


def _write_integers(network: Any, path: Path, images: Images) -> None:
    """Write weights and activations in 8 bits, in steps chosen on training images (Jacob et al. 2018)."""

    def examples() -> Iterator[list[NDArray[np.float32]]]:
        yield from ([each[None].astype(np.float32)] for each in images)

    _write(
        network,
        path,
        images,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=examples,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )


def _read(path: Path, network: Any) -> Loaded:
    """Return what a file holds: one that was written just now, of a network at hand, can do no harm here."""
    return apart(path) if network is None else interpreted(path)


LITERT = Format(_write, _read)
INTEGERS = Format(_write_integers, _read, exact=False)
