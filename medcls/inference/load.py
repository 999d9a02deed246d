"""Models in Python: `load` finds the best model of a study by its name, and `predict` applies it to images."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.inference.opening import opened
from medcls.inference.predictor import Predictor, images_among, predictions
from medcls.utils import paths
from medcls.utils.errors import BadInputError
from medcls.utils.tensors import KerasModel
from medcls.utils.texts import say

Pixels = NDArray[np.integer] | NDArray[np.floating]


@dataclass(frozen=True)
class LoadedModel:
    """A trained model that predicts images.

    Attributes:
        model: the model with the size, channels and classes that it was trained with.
    """

    model: Predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self.model.classes

    @property
    def network(self) -> KerasModel | None:
        """The Keras network, which takes images of numbers from 0 to 255; None where the format holds none."""
        return self.model.network

    def predict(self, images: str | Path | Iterable[str | Path] | Pixels) -> NDArray[np.float32]:
        """Return the probabilities for images.

        Args:
            images: a file or folder, a list of files and folders, or an array of shape (n, size, size, channels), or
                of a single image, with numbers from 0 to 255 and the size and channels that the model takes.

        Returns:
            Probabilities of shape (n, classes); of shape (n, size, size, 1) if the model predicts masks.

        Raises:
            BadInputError: files cannot be read, all of which are named; or an array has another shape.
        """
        if isinstance(images, np.ndarray):
            return self._of_array(images)
        places = [images] if isinstance(images, str | Path) else list(images)
        files = images_among([Path(place).expanduser() for place in places])
        probabilities, _ = predictions(
            self.model,
            files,
            lambda prediction: prediction.probabilities,
            skip_bad=False,
            progress=lambda _: None,
            remedy="repair them or leave them out",
        )
        return np.stack(probabilities)

    def _of_array(self, images: Pixels) -> NDArray[np.float32]:
        shape = (self.model.size, self.model.size, self.model.channels)
        several = images.ndim == 4 or (images.ndim == 3 and images.shape != shape)
        batch = images if several else images[None]
        if batch.ndim == 3 and self.model.channels == 1:
            batch = batch[..., None]
        if batch.shape[1:] != shape:
            raise BadInputError(
                f"{self.model.name} takes images of shape {shape}, not {images.shape}: resize them, or give files."
            )
        return self.model.answers(batch)


def load(
    name: str | Path, *, tracking_uri: str | None = None, work_dir: str | Path | None = None, trust: bool = False
) -> LoadedModel:
    """Load the best model of a study's outcome, or the model in an exported folder, in a file or behind a models:/ URI.

    A line on standard error says which outcome the model is from.

    Args:
        name: of the outcome, STUDY or STUDY@DATA, or the folder, file or URI.
        tracking_uri: of the MLflow store that has the model; by default MLFLOW_TRACKING_URI, else mlflow.db.
        work_dir: the work directory in which the outcome is looked up before the store; without one the store is
            asked first, then the default work directory.
        trust: load a SavedModel too: it is a program, which may read and write files.

    Raises:
        BadInputError: there is no such model, or it is a SavedModel without `trust`.
    """
    uri = paths.tracking_uri(tracking_uri)
    work = None if work_dir is None else Path(work_dir)
    with opened(str(name), lambda: uri, work=work, trust=trust) as model:
        if model.origin:
            say(f"medcls: {model.origin}", sys.stderr)
        return LoadedModel(model)
