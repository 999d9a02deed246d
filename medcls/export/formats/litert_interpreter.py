"""LiteRT's interpreter: in this process, or as the server in the process that `litert_process.apart` starts."""

import io
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.export.formats.base import Loaded, plain_shape
from medcls.export.parity import Answers
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf

LONGEST = 2**30  # bytes of one message


def interpreted(path: Path) -> Loaded:
    """Return the model of a LiteRT file. A damaged file may end this process.

    Raises:
        BadInputError: the file cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the interpreter will move to a package of its own
            interpreter = tf.lite.Interpreter(str(path))
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    except Exception as error:  # a damaged file makes the interpreter raise anything
        raise BadInputError(f"{path} cannot be read as a LiteRT model: export it again.") from error

    def predict(images: NDArray[Any]) -> Answers:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(source["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], np.asarray(images, np.float32))
        interpreter.invoke()
        answers: Answers = interpreter.get_tensor(target["index"])
        return answers

    return Loaded(
        predict, plain_shape(source["shape_signature"].tolist()), plain_shape(target["shape_signature"].tolist())
    )


def serve() -> None:
    """Predict batches that arrive through a pipe until its other end is closed.

    The command line gives the pipe's file descriptor and the path of the model. The first two messages are the shapes
    of the model's input and output, with 0 for any length.
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
    """Send an array of numbers, without pickled objects."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    pipe.send_bytes(file.getbuffer())


def receive(pipe: Connection) -> NDArray[Any]:
    """Return the next array of numbers.

    Raises:
        EOFError: the other end is closed.
        OSError: the message is too large.
        ValueError: the message is not an array of numbers.
    """
    received: NDArray[Any] = np.load(io.BytesIO(pipe.recv_bytes(LONGEST)), allow_pickle=False)
    return received
