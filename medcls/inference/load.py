"""A model at hand in Python: loaded by the name of its study, and asked about images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.inference.predictor import Predictor, images_among, opened, predictions
from medcls.utils import paths
from medcls.utils.errors import BadInputError
from medcls.utils.tensors import KerasModel


@dataclass(frozen=True)
class LoadedModel:
    """A model: what it is called, its classes in the order of its probabilities, and its Keras network."""

    model: Predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.model.classes

    @property
    def network(self) -> KerasModel:
        """The Keras network itself: images as numbers from 0 to 255 go in."""
        return self.model.network

    def predict(self, images: Any) -> NDArray[np.float32]:
        """Return a row of probabilities for each image, of shape (n, classes); of masks, (n, height, width, 1).

        `images` is a file or folder, a list of files and folders, or an array of shape (n, size, size, channels) or of
        one image, of numbers from 0 to 255 and of the size that the model takes.

        Raises:
            BadInputError: files that cannot be read, all named; an array of another size.
        """
        if isinstance(images, np.ndarray):
            return self._of_arrays(images)
        given: Iterable[Any] = [images] if isinstance(images, str | Path) else images
        files = images_among([Path(each).expanduser() for each in given])
        found, _ = predictions(
            self.model,
            files,
            lambda each: each.probabilities,
            skip_bad=False,
            progress=_silent,
            remedy="repair them or leave them out",
        )
        return np.stack(found)

    def _of_arrays(self, images: NDArray[Any]) -> NDArray[np.float32]:
        shape = (self.model.size, self.model.size, self.model.channels)
        several = images.ndim == 4 or (images.ndim == 3 and images.shape != shape)
        given = images if several else images[None]
        if given.ndim == 3 and shape[2] == 1:
            given = given[..., None]
        if given.shape[1:] != shape:
            raise BadInputError(
                f"{self.model.name} takes images of shape {shape}, not {images.shape}: resize them, or give files."
            )
        return self.model.answers(given)


def load(name: str | Path, *, tracking_uri: str | None = None, trust: bool = False) -> LoadedModel:
    """Return a study's champion by the study's name, or the model of an exported folder, a file or a models:/ URI.

    Args:
        name: of the study, folder, file or URI.
        tracking_uri: of the store, for the champion (MLFLOW_TRACKING_URI, else mlflow.db).
        trust: load a SavedModel too: it is a program, which may read and write files.

    Raises:
        BadInputError: there is none, or it is a SavedModel without `trust`.
    """
    uri = paths.tracking_uri(tracking_uri)
    text = str(name)
    if not text.startswith("models:") and not Path(text).expanduser().exists():
        text = f"models:/medcls-{text}@champion"
    with opened(text, lambda: uri, trust=trust) as model:
        return LoadedModel(model)


def _silent(done: int) -> None:
    pass
