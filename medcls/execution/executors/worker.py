"""The worker, the process of one run: it ends with its driver and prints into the run directory."""

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing import connection
from pathlib import Path
from typing import Any

import numpy as np

DRIVER = "MEDCLS_DRIVER"
"""The environment variable with the number of the process that started the server of workers."""


def work(
    target: Callable[..., Any],
    arguments: tuple[Any, ...],
    threads: int,
    output: Path,
    environment: Mapping[str, str],
) -> Any:
    """Call a function in this process, which has just been started, and return what the function returns.

    Args:
        target: the function.
        arguments: its arguments.
        threads: the number of TensorFlow's threads.
        output: the file for what the process prints.
        environment: variables that are added to the environment.
    """
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_driver()
    _redirect(output)
    set_threads(threads)
    return target(*arguments)


def answer(target: Callable[..., Any], arguments: tuple[Any, ...], reply: Any, environment: Mapping[str, str]) -> None:
    """Call a function in this process, which has just been started, and send what the function returns.

    Args:
        target: the function.
        arguments: its arguments.
        reply: the connection; what is sent is (return value, None), or (None, sentence) if the function raised.
        environment: variables that are added to the environment.
    """
    try:
        reply.send((work(target, arguments, 1, Path(os.devnull), environment), None))
    except Exception as error:  # noqa: BLE001 - the driver reports any error
        from medcls.utils.tracing import told

        reply.send((None, told(error)))


def _die_with_driver() -> None:
    """Exit at once when the driver has ended: a new command must never train beside an orphan."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return

    def watch() -> None:
        connection.wait([driver.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _redirect(output: Path) -> None:
    file = output.open("a")
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = file
    faulthandler.enable(file)


def set_threads(threads: int) -> None:
    """Set the number of TensorFlow's threads in this process, which must come before its first operation."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    np.seterr(all="ignore")
