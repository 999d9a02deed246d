"""LiteRT's interpreter: in this process for a file that was just written, and as the process that `apart` starts."""

import io
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.export.formats.base import Loaded, whole
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf

LONGEST = 2**30  # bytes of one message


def interpreted(path: Path) -> Loaded:
    """Return what a LiteRT file holds. A damaged one may end this process.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it will move to a package of its own
            interpreter = tf.lite.Interpreter(str(path))
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


def serve() -> None:
    """Answer a batch after the other that comes through a pipe, until its other end is closed.

    The command line has the pipe's file descriptor and the file. First come the shapes of what the model takes and
    gives, 0 for any length.
    """
    pipe = Connection(int(sys.argv[1]))
    model = interpreted(Path(sys.argv[2]))
    for shape in (model.takes, model.gives):
        send(pipe, np.array([length or 0 for length in shape]))
    while True:
        try:
            images = receive(pipe)
        except EOFError:
            return
        send(pipe, model.predict(images))


def send(pipe: Connection, array: NDArray[Any]) -> None:
    """Send an array of numbers, which cannot hold code."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    pipe.send_bytes(file.getbuffer())


def receive(pipe: Connection) -> NDArray[Any]:
    """Return the next array of numbers.

    Raises:
        EOFError: the other end is closed.
        OSError: it is too large.
        ValueError: it is none.
    """
    received: NDArray[Any] = np.load(io.BytesIO(pipe.recv_bytes(LONGEST)), allow_pickle=False)
    return received
