"""Heavy packages, imported on first use.

A proxy imports its package at the first attribute access and is never put into `sys.modules`, so a study
file imports in milliseconds and `--help` and `--plan` answer without TensorFlow.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

STAND_IN = "_stand_in"
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
        if STAND_IN in vars(self):
            return getattr(vars(self)[STAND_IN], attribute)
        for name, text in ENVIRONMENT.get(self._name.split(".")[0], {}).items():
            os.environ.setdefault(name, text)
        package = importlib.import_module(self._name)
        if not hasattr(package, attribute):  # a module of the package that nothing has imported yet
            importlib.import_module(f"{self._name}.{attribute}")
        value = getattr(package, attribute)
        setattr(self, attribute, value)
        return value


@contextmanager
def stand_in(proxy: Any, package: object) -> Iterator[None]:
    """Let a proxy answer with the attributes of another object meanwhile, and import nothing.

    Args:
        proxy: of a package.
        package: what has the attributes.
    """
    kept = dict(vars(proxy))
    vars(proxy).clear()
    vars(proxy)[STAND_IN] = package
    try:
        yield
    finally:
        vars(proxy).clear()
        vars(proxy).update(kept)


def lazy(name: str) -> Any:
    """Return a proxy that imports the package `name` at the first attribute asked of it."""
    return Lazy(name)


__all__ = [
    "PIL",
    "argcomplete",
    "backend_agg",
    "backend_svg",
    "cloudpickle",
    "cv2",
    "fsspec",
    "h5py",
    "jinja2",
    "joblib",
    "journal",
    "keras",
    "lazy",
    "matplotlib",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "optuna",
    "packaging",
    "pandas",
    "pooch",
    "psutil",
    "pydantic",
    "ray",
    "requests",
    "rich",
    "scipy",
    "skimage",
    "sklearn",
    "sqlalchemy",
    "sqlalchemy_store",
    "stand_in",
    "tensorflow",
    "urllib3",
]

if TYPE_CHECKING:  # what editors and mypy follow
    import argcomplete
    import cloudpickle
    import cv2
    import fsspec
    import h5py
    import jinja2
    import joblib
    import keras
    import matplotlib
    import matplotlib.colors
    import matplotlib.figure
    import matplotlib.font_manager
    import matplotlib.lines
    import matplotlib.patheffects
    import matplotlib.pyplot
    import matplotlib.text
    import matplotlib.ticker
    import mlflow
    import mlflow.entities
    import mlflow.exceptions
    import mlflow.models
    import mlflow.types
    import numpy
    import onnx
    import onnxruntime
    import optuna
    import packaging.requirements
    import pandas
    import PIL.Image
    import pooch
    import psutil
    import pydantic
    import ray
    import requests
    import rich.cells
    import rich.console
    import rich.progress
    import rich.table
    import rich.text
    import scipy.fft
    import scipy.ndimage
    import scipy.optimize
    import scipy.sparse.csgraph
    import scipy.stats
    import skimage.exposure
    import skimage.measure
    import skimage.metrics
    import skimage.transform
    import sklearn.datasets
    import sklearn.model_selection
    import sklearn.neighbors
    import sklearn.preprocessing
    import sqlalchemy
    import tensorflow
    import urllib3
    from matplotlib.backends import backend_agg, backend_svg
    from mlflow.store.tracking import sqlalchemy_store
    from optuna.storages import journal
else:
    PIL = lazy("PIL")
    argcomplete = lazy("argcomplete")
    cloudpickle = lazy("cloudpickle")
    cv2 = lazy("cv2")
    fsspec = lazy("fsspec")
    h5py = lazy("h5py")
    jinja2 = lazy("jinja2")
    joblib = lazy("joblib")
    keras = lazy("keras")
    matplotlib = lazy("matplotlib")
    mlflow = lazy("mlflow")
    numpy = lazy("numpy")
    onnx = lazy("onnx")
    onnxruntime = lazy("onnxruntime")
    optuna = lazy("optuna")
    packaging = lazy("packaging")
    pandas = lazy("pandas")
    pooch = lazy("pooch")
    psutil = lazy("psutil")
    pydantic = lazy("pydantic")
    ray = lazy("ray")
    requests = lazy("requests")
    rich = lazy("rich")
    scipy = lazy("scipy")
    skimage = lazy("skimage")
    sklearn = lazy("sklearn")
    sqlalchemy = lazy("sqlalchemy")
    tensorflow = lazy("tensorflow")
    urllib3 = lazy("urllib3")
    backend_agg = lazy("matplotlib.backends.backend_agg")
    backend_svg = lazy("matplotlib.backends.backend_svg")
    sqlalchemy_store = lazy("mlflow.store.tracking.sqlalchemy_store")
    journal = lazy("optuna.storages.journal")
