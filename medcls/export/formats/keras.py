"""Keras's own formats: the whole network, or its weights alone."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded
from medcls.utils.errors import BadInputError, first_line
from medcls.utils.files import write_atomically
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasModel

FIRST_CLASS, BOTH_CLASSES = "probability_of_first_class", "probabilities_of_both_classes"  # layers


def load(path: Path) -> KerasModel:
    """Return the network of a Keras file, without loss and metrics, and without running code that is in the file.

    Raises:
        BadInputError: the file is missing or damaged, or has layers that Keras does not know.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file makes Keras raise anything
        reason = first_line(error) if zipfile.is_zipfile(path) else "damaged, or of another kind"
        raise BadInputError(f"{path} cannot be read as a Keras model ({reason}): export it again.") from error


def of_all_classes(network: KerasModel) -> KerasModel:
    """Return a classifier with one output per class: a single output, the second class's, becomes two.

    The returned network shares layers and weights with the given one and has no weights of its own.
    """
    if len(network.output_shape) != 2 or network.output_shape[-1] != 1:
        return network
    second = network.output
    first = keras.layers.Rescaling(-1.0, 1.0, dtype="float32", name=FIRST_CLASS)(second)
    both = keras.layers.Concatenate(dtype="float32", name=BOTH_CLASSES)([first, second])
    return keras.Model(network.input, both, name=network.name)


def answering(network: KerasModel) -> Loaded:
    """Return a Keras network as a loaded model."""
    return Loaded(
        lambda images: np.asarray(network.predict_on_batch(np.asarray(images, np.float32))),
        network.input_shape,
        network.output_shape,
        network,
    )


def _write_whole(network: KerasModel, path: Path, images: Images) -> None:  # noqa: ARG001
    write_atomically(path, lambda file: network.save(file.name))


def _write_weights(network: KerasModel, path: Path, images: Images) -> None:  # noqa: ARG001
    write_atomically(path, lambda file: network.save_weights(file.name))


def _read_weights(path: Path, network: Any) -> Loaded:
    if network is None:
        raise BadInputError(f"{path} holds weights without their network: use its directory or the .keras file.")
    rebuilt = type(network).from_config(network.get_config())
    rebuilt.load_weights(path)
    return answering(rebuilt)


WHOLE = Format(_write_whole, lambda path, _: answering(load(path)))
WEIGHTS = Format(_write_weights, _read_weights)
