"""TensorFlow's SavedModel: a directory for TensorFlow Serving, or for tf.saved_model.load without Keras.

A SavedModel is a program: its graph may read and write files (https://github.com/tensorflow/tensorflow/security/policy).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded, plain_shape
from medcls.export.parity import Answers
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import KerasModel


def _write(network: KerasModel, path: Path, images: Images) -> None:  # noqa: ARG001
    network.export(path, format="tf_saved_model", verbose=False)


def _read(path: Path, network: Any) -> Loaded:  # noqa: ARG001
    try:
        loaded = tf.saved_model.load(path)
        served = loaded.signatures["serving_default"]
    except Exception as error:  # a damaged directory makes TensorFlow raise anything
        raise BadInputError(f"{path} cannot be read as a SavedModel: export it again.") from error
    (name, takes), (gives,) = next(iter(served.structured_input_signature[1].items())), served.outputs

    def predict(images: NDArray[Any]) -> Answers:
        arguments = {name: tf.constant(np.asarray(images, np.float32))}
        (output,) = loaded.signatures["serving_default"](**arguments).values()  # `loaded` keeps the variables alive
        answers: Answers = output.numpy()
        return answers

    return Loaded(predict, plain_shape(takes.shape), plain_shape(gives.shape))


def check_trusted(path: Path, *, trust: bool) -> None:
    """Check that the user trusts a SavedModel, because what it does cannot be inspected beforehand.

    Args:
        path: its directory.
        trust: whether the user said so.

    Raises:
        BadInputError: the user did not say so.
    """
    if not trust:
        raise BadInputError(
            f"{path} is a SavedModel, and a SavedModel is a program: it may read and write files as you. If you trust "
            "its source, use --trust (in Python, trust=True); otherwise ask for the model as a .keras or .onnx file."
        )


SAVEDMODEL = Format(_write, _read)
