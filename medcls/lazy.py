"""Heavy packages, imported on first use.

A proxy imports its package at the first attribute access and is never put into `sys.modules`, so a study
file imports in milliseconds and `--help` and `--plan` answer without TensorFlow.
"""

import importlib
import os
from typing import Any


class Lazy:
    """A stand-in for the package `name` that imports it when an attribute is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if self._name.split(".")[0] in ("tensorflow", "keras"):
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


def lazy(name: str) -> Any:
    """Return a proxy that imports the package `name` at the first attribute asked of it."""
    return Lazy(name)
