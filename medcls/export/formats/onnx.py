"""ONNX: one file for ONNX Runtime, in any language (https://onnx.ai); written by Keras through tf2onnx."""

import warnings
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from medcls.data.dataset import Images
from medcls.export.formats.base import Format, Loaded, whole
from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically
from medcls.utils.lazy import onnx, onnxruntime

NEEDED = ("tf2onnx", "onnx", "onnxruntime")


def check() -> None:
    """Check that what writes and reads ONNX is installed.

    Raises:
        BadInputError: it is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadInputError(f'For ONNX, {", ".join(missing)} must be installed: python -m pip install -e ".[onnx]".')


def _write(network: Any, path: Path, images: Images) -> None:  # noqa: ARG001
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras writes none that was never called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras looks for NumPy's old names on tf2onnx's behalf
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
    (given,), (told,) = session.get_inputs(), session.get_outputs()
    return Loaded(
        lambda images: session.run(None, {given.name: np.asarray(images, np.float32)})[0],
        whole(given.shape),
        whole(told.shape),
    )


def _check_places(path: Path) -> None:
    """Check that a model reads no file but those in its own folder, where large models keep their weights.

    Raises:
        BadInputError: it names another.
    """
    home = path.resolve().parent
    for place in _external(onnx.load(path, load_external_data=False)):
        if not (path.parent / place).resolve().is_relative_to(home):
            raise BadInputError(
                f"{path} wants to read {place}, which lies outside its folder: take no model that does; ask for one "
                "with its weights in it."
            )


def _external(message: Any) -> Iterator[str]:
    """Yield where the tensors anywhere in a model that are kept in other files say that they lie."""
    if isinstance(message, onnx.TensorProto):
        yield from (entry.value for entry in message.external_data if entry.key == "location")
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if isinstance(value, Iterable) else [value]:
                yield from _external(part)


ONNX = Format(_write, _read, check=check)
