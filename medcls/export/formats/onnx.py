"""ONNX: one file for ONNX Runtime, in any language (https://onnx.ai); written by Keras through tf2onnx."""

import warnings
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded, plain_shape
from medcls.export.parity import Answers
from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically
from medcls.utils.installation import pip_install
from medcls.utils.lazy import onnx, onnxruntime
from medcls.utils.tensors import KerasModel

NEEDED = ("tf2onnx", "onnx", "onnxruntime")


def check() -> None:
    """Check that the packages for ONNX are installed.

    Raises:
        BadInputError: one of them is missing.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadInputError(f"For ONNX, {', '.join(missing)} must be installed: {pip_install('onnx')}.")


def _write(network: KerasModel, path: Path, images: Images) -> None:  # noqa: ARG001
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras cannot export a network that was never called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras looks up NumPy's old names for tf2onnx
        write_atomically(path, lambda file: network.export(file.name, format="onnx", verbose=False))


def _read(path: Path, network: Any) -> Loaded:  # noqa: ARG001
    check()
    try:
        _check_places(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except BadInputError:
        raise
    except Exception as error:  # a damaged file makes ONNX Runtime raise anything
        raise BadInputError(f"{path} cannot be read as an ONNX model: export it again.") from error
    (source,), (target,) = session.get_inputs(), session.get_outputs()

    def predict(images: NDArray[Any]) -> Answers:
        answers: Answers = session.run(None, {source.name: np.asarray(images, np.float32)})[0]
        return answers

    return Loaded(predict, plain_shape(source.shape), plain_shape(target.shape))


def _check_places(path: Path) -> None:
    """Check that a model reads only files in its own directory, where large models keep their weights.

    Raises:
        BadInputError: the model names a file outside of it.
    """
    home = path.resolve().parent
    for name in _external_files(onnx.load(path, load_external_data=False)):
        if not (path.parent / name).resolve().is_relative_to(home):
            raise BadInputError(
                f"{path} wants to read {name}, which lies outside its directory: do not use such a model; ask for one "
                "that contains its weights."
            )


def _external_files(message: Any) -> Iterator[str]:
    """Yield the names of the other files in which a model, or a part of one, keeps tensors."""
    if isinstance(message, onnx.TensorProto):
        for entry in message.external_data:
            if entry.key == "location":
                yield entry.value
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if isinstance(value, Iterable) else [value]:
                yield from _external_files(part)


ONNX = Format(_write, _read, check=check)
