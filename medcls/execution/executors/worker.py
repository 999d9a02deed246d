"""The process of one run: it dies with its driver and keeps what it prints in the run folder."""

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
"""The environment variable by which the server of workers knows the process that started it."""


def work(
    target: Callable[..., Any],
    arguments: tuple[Any, ...],
    threads: int,
    output: Path,
    environment: Mapping[str, str],
) -> Any:
    """Call `target(*arguments)` in this fresh process with so many threads for TensorFlow."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_driver()
    _redirect(output)
    set_threads(threads)
    return target(*arguments)


def answer(target: Callable[..., Any], arguments: tuple[Any, ...], reply: Any, environment: Mapping[str, str]) -> None:
    """Call `target(*arguments)` in this fresh, silent process; send (what it returns, None) or (None, its error)."""
    try:
        reply.send((work(target, arguments, 1, Path(os.devnull), environment), None))
    except Exception as error:  # noqa: BLE001 - the driver is told, whatever it was
        from medcls.utils.tracing import told

        reply.send((None, told(error)))


def _die_with_driver() -> None:
    """Exit at once when the driver is gone: a rerun must never train beside an orphan."""
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
    """Give this process's TensorFlow its number of threads; must come before its first operation."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    np.seterr(all="ignore")
