"""The best model in MLflow: logged with its run, registered, and given the alias champion."""

from typing import Any

import numpy as np

from medcls.lazy import lazy

mlflow = lazy("mlflow")
keras_flavour = lazy("mlflow.keras")
models = lazy("mlflow.models")
types = lazy("mlflow.types")

ALIAS = "champion"
WEIGHTS = "medcls.weights_sha256"


def register(network: Any, weights_sha256: str, uri: str, run_id: str, name: str) -> str:
    """Log a Keras network with a run and register it as `name`@champion; return the version.

    A version with the same weights is not made twice; the alias is moved to it.
    """
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    version = _version(client, name, weights_sha256)
    if version is None:
        before = client.get_run(run_id).info
        with mlflow.start_run(run_id=run_id):
            keras_flavour.log_model(
                network,
                name="model",
                registered_model_name=name,
                signature=_signature(network),
                pip_requirements=["tensorflow", "keras", "numpy"],
                tags={WEIGHTS: weights_sha256},
            )
        client.set_terminated(run_id, before.status, before.end_time)
        found = client.search_model_versions(f"name='{name}'")
        version = str(max(int(each.version) for each in found if each.run_id == run_id))
        client.set_model_version_tag(name, version, WEIGHTS, weights_sha256)
    client.set_registered_model_alias(name, ALIAS, version)
    return version


def is_champion(uri: str, name: str, weights_sha256: str) -> bool:
    """Tell whether the model with these weights has the alias already."""
    client = mlflow.MlflowClient(uri)
    version = _version(client, name, weights_sha256)
    return version is not None and str(client.get_model_version_by_alias(name, ALIAS).version) == version


def _version(client: Any, name: str, weights_sha256: str) -> str | None:
    for each in client.search_model_versions(f"name='{name}'"):
        if client.get_model_version(name, each.version).tags.get(WEIGHTS) == weights_sha256:
            return str(each.version)
    return None


def _signature(network: Any) -> Any:
    shape = (-1, *network.input_shape[1:])
    images = types.Schema([types.TensorSpec(np.dtype("float32"), shape, "image")])
    probabilities = types.Schema([types.TensorSpec(np.dtype("float32"), (-1, *network.output_shape[1:]))])
    return models.ModelSignature(inputs=images, outputs=probabilities)
