"""Heavy packages, imported on first use.

A proxy imports its package at the first attribute access and is never put into `sys.modules`, so a study
file imports in milliseconds and `--help` and `--plan` answer without TensorFlow.
"""

import importlib
import os
from types import MappingProxyType
from typing import Any

TENSORFLOW = MappingProxyType({"TF_CPP_MIN_LOG_LEVEL": "2"})
ENVIRONMENT = MappingProxyType(
    {
        "tensorflow": TENSORFLOW,
        "keras": TENSORFLOW,
        "mlflow": {
            "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing leaves the user's machine unasked
            "MLFLOW_LOGGING_LEVEL": "ERROR",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # what may have arrived is asked for, not sent twice
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
        },
    }
)
"""What packages read when they are imported, unless the user has set it."""


class Lazy:
    """A stand-in for the package `name` that imports it when an attribute is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as a name, with a function of a notebook or of a study's own file."""
        return lazy, (self._name,)

    def __getattr__(self, attribute: str) -> Any:
        for name, text in ENVIRONMENT.get(self._name.split(".")[0], {}).items():
            os.environ.setdefault(name, text)
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


def lazy(name: str) -> Any:
    """Return a proxy that imports the package `name` at the first attribute asked of it."""
    return Lazy(name)
