"""TensorFlow's SavedModel: a folder for TensorFlow Serving, or for tf.saved_model.load where Keras is not.

It is a program: its graph may read and write files (https://github.com/tensorflow/tensorflow/security/policy).
"""

from pathlib import Path
from typing import Any

import numpy as np

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded, whole
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf


def _write(network: Any, path: Path, images: Images) -> None:  # noqa: ARG001
    network.export(path, format="tf_saved_model", verbose=False)


def _read(path: Path, network: Any) -> Loaded:  # noqa: ARG001
    try:
        held = tf.saved_model.load(path)
        served = held.signatures["serving_default"]
    except Exception as error:  # a damaged folder makes TensorFlow raise anything
        raise BadInputError(f"{path} cannot be read as a SavedModel: export it again.") from error
    (name, takes), (gives,) = next(iter(served.structured_input_signature[1].items())), served.outputs

    def predict(images: Any) -> Any:
        given = {name: tf.constant(np.asarray(images, np.float32))}
        (answers,) = held.signatures["serving_default"](**given).values()  # asked of what holds the variables
        return answers.numpy()

    return Loaded(predict, whole(takes.shape), whole(gives.shape))


def check_trusted(path: Path, *, trust: bool) -> None:
    """Check that a SavedModel comes from somebody whom the user trusts: what it does cannot be looked up before.

    Raises:
        BadInputError: the user has not said so.
    """
    if not trust:
        raise BadInputError(
            f"{path} is a SavedModel, and a SavedModel is a program: it may read and write files as you. If you trust "
            "whoever made it, say --trust (in Python, trust=True); else ask for the model as a .keras or .onnx file."
        )


SAVEDMODEL = Format(_write, _read)
