"""LiteRT, once TensorFlow Lite: one file for telephones and small computers; in 32-bit numbers or in 8-bit integers."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.types import Images
from medcls.errors import BadInputError
from medcls.export.kinds import Format, Loaded, whole
from medcls.files import write_atomically
from medcls.lazy import lazy

tensorflow = lazy("tensorflow")


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
        optimizations=[tensorflow.lite.Optimize.DEFAULT],
        representative_dataset=examples,
        target_spec={"supported_ops": [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )


def _read(path: Path, network: Any) -> Loaded:  # noqa: ARG001
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it will move to a package of its own
            interpreter = tensorflow.lite.Interpreter(str(path))
        (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    except Exception as error:  # a damaged file makes the interpreter raise anything
        raise BadInputError(f"{path} cannot be read as a LiteRT model: export it again.") from error

    def predict(images: Any) -> Any:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(given["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], np.asarray(images, np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(told["index"])

    return Loaded(predict, whole(given["shape_signature"].tolist()), whole(told["shape_signature"].tolist()))


LITERT = Format(_write, _read)
INTEGERS = Format(_write_integers, _read, exact=False)
