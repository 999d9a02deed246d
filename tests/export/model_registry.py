"""A model registry for tests, and the models that are entered into it."""

from pathlib import Path

import keras
import mlflow

from medcls.export.registry import Place, placed, register
from medcls.export.standing import Standing


class Registry:
    """A registry of its own, and the models that are entered into it."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        mlflow.set_tracking_uri(self.uri)
        self.client = mlflow.MlflowClient(self.uri)
        self.experiment = self.client.create_experiment("mine", artifact_location=(folder / "artifacts").as_uri())
        layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
        self.network = keras.Sequential(layers)

    def enter(self, name: str, new: Standing, *, promote: bool = False, **tags: str) -> Place | None:
        """Register a model unless it is there, from a run with these tags; return its place."""
        if placed(self.uri, name, new, promote=promote) is None:
            run = self.client.create_run(self.experiment, tags=tags).info.run_id
            register(self.network, new, self.uri, run, name, 3, lambda folder: None)
        return placed(self.uri, name, new, promote=promote, note="told")

    def champion(self, name: str) -> str:
        """Return the weights of a champion."""
        return str(self.client.get_model_version_by_alias(name, "champion").tags["medcls.weights_sha256"])
