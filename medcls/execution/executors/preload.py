"""The imports of the server of workers, made once, so that a worker starts in milliseconds."""

import os
import sys
import threading

from medcls.execution.executors import startup
from medcls.utils.quiet import quiet

_imported = threading.Event()


def _die_with_driver() -> None:
    """Exit when the driver has ended: the server itself notices that only after the imports."""
    driver = int(os.environ.get(startup.DRIVER, os.getppid()))
    while not _imported.wait(0.2):
        if os.getppid() != driver:
            os._exit(1)


_watch = threading.Thread(target=_die_with_driver, daemon=True)
_watch.start()
with quiet():  # TensorFlow greets on standard error whatever its log level is
    import cloudpickle  # noqa: F401 - opens what comes from a notebook, and from a driver behind Ray
    import keras  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.figure
    import matplotlib.font_manager  # noqa: F401
    import psutil  # noqa: F401
    import tensorflow  # noqa: F401
    from sklearn import metrics, model_selection  # noqa: F401

    import medcls.execution.executors.remote_job
    import medcls.training  # noqa: F401

sys.excepthook = startup.hook
_imported.set()
_watch.join()  # a server that forks has one thread
