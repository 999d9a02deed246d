"""What the forkserver imports once, so that a worker starts in milliseconds."""

import os
import threading

from medcls.compute.worker import DRIVER

_imported = threading.Event()


def _die_with_driver() -> None:
    """Exit when the driver is gone: the server itself looks for it only after the imports."""
    driver = int(os.environ.get(DRIVER, os.getppid()))
    while not _imported.wait(0.2):
        if os.getppid() != driver:
            os._exit(1)


_watch = threading.Thread(target=_die_with_driver, daemon=True)
_watch.start()
_screen = os.dup(2)
_nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)  # TensorFlow greets on standard error whatever its log level is

import keras  # noqa: E402, F401
import psutil  # noqa: E402, F401
import tensorflow  # noqa: E402, F401
from sklearn import metrics, model_selection  # noqa: E402, F401

import medcls.training  # noqa: E402, F401

os.dup2(_screen, 2)
os.close(_screen)
os.close(_nowhere)
_imported.set()
_watch.join()  # a server that forks has one thread
