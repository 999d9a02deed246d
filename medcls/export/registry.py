"""The best model in MLflow: logged with its run, registered, and given the alias champion if it is the best so far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from medcls.utils.hashing import digest
from medcls.utils.lazy import keras, mlflow
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import KerasModel

ALIAS = "champion"
PREFIX = "medcls."  # of the tags of model versions
WEIGHTS, ANSWERS = f"{PREFIX}weights_sha256", f"{PREFIX}answers"


@dataclass(frozen=True)
class Standing:
    """What decides which of two models is the champion: how a model scored, and on which data.

    Attributes:
        weights_sha256: the digest of the model's weights.
        metric: the metric of the study; higher is better.
        value: the model's value of that metric, as a mean over folds or seeds.
        fingerprint: the digest of the data set.
        smoke: whether the model was made with --smoke.
        answers: a digest of what its outputs mean, as returned by `meaning`.
    """

    weights_sha256: str
    metric: str
    value: float
    fingerprint: str
    smoke: bool
    answers: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a version of a registered model."""
        return {f"{PREFIX}{name}": str(value) for name, value in vars(self).items()}

    def is_of(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags belong to a model with these weights and this meaning of its outputs."""
        return tags.get(WEIGHTS) == self.weights_sha256 and tags.get(ANSWERS, "") == self.answers


def meaning(classes: Sequence[str]) -> str:
    """Return a digest of what a model's outputs mean: one probability for each of these classes, in this order."""
    return digest({"one probability a class": list(classes)})


def keeps(champion: Mapping[str, str], new: Standing) -> str:
    """Return why a champion keeps its alias when there is a new model, "" if it loses the alias.

    A champion loses it to a model with a better score by the same metric on the same data. A champion that was made
    with --smoke loses it to any model that was not.

    Args:
        champion: the tags of the champion.
        new: the new model.
    """
    old = {name.removeprefix(PREFIX): value for name, value in champion.items()}
    if old.get("weights_sha256") == new.weights_sha256:
        return ""
    if (old.get("smoke") == "True") != new.smoke:
        return "this one was made with --smoke" if new.smoke else ""
    if old.get("fingerprint") != new.fingerprint:
        return "that one was scored on other data, so the scores cannot be compared"
    if old.get("metric") != new.metric:
        return "that one was chosen by another metric"
    if new.value > float(old["value"]):
        return ""
    return f"that one has {new.metric.replace('_', ' ')} {float(old['value']):.3f}, this one {new.value:.3f}"


@dataclass(frozen=True)
class Place:
    """The place of a model among the versions of its name.

    Attributes:
        version: the model's version.
        champion: the version with the alias.
        reason: why another version has the alias; "" if this one has it.
    """

    version: str
    champion: str
    reason: str


def register(
    network: KerasModel,
    standing: Standing,
    uri: str,
    run_id: str,
    name: str,
    epoch: int,
    add_papers: Callable[[Path], None],
) -> None:
    """Log a Keras network with a run and register it as a version of `name`, unless that was done before.

    The run's status and times do not change.

    Args:
        network: the network.
        standing: how it scored; tells whether it is logged or registered already.
        uri: of the MLflow store.
        run_id: of the MLflow run.
        name: of the registered model.
        epoch: the epoch whose weights it has.
        add_papers: writes further files, such as the model card, into the directory of the model's files.
    """
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    if _version(client, name, standing) is None:
        model = _logged(client, standing, run_id) or _log(network, standing, run_id, epoch, add_papers)
        mlflow.register_model(f"models:/{model}", name, tags=standing.tags)


def placed(uri: str, name: str, standing: Standing, *, promote: bool) -> Place | None:
    """Give a registered model the alias if it is better than the champion; return None if it is not registered.

    This imports no TensorFlow.

    Args:
        uri: of the MLflow store.
        name: of the registered model.
        standing: how the model scored.
        promote: whether it gets the alias even if the champion is better.
    """
    client = mlflow.MlflowClient(uri)
    version = _version(client, name, standing)
    if version is None:
        return None
    champion = str(client.get_registered_model(name).aliases.get(ALIAS, ""))
    reason = "" if promote or not champion else keeps(client.get_model_version(name, champion).tags, standing)
    if reason:
        return Place(version, champion, reason)
    if champion != version:
        client.set_registered_model_alias(name, ALIAS, version)
    return Place(version, version, "")


def _version(client: Any, name: str, standing: Standing) -> str | None:
    """Return the latest version of a registered model that has this standing, None if there is none.

    The filter does not contain the name, which may contain the quotes that delimit values in filters.
    """
    latest = 0
    for version in client.search_model_versions(f"tag.`{WEIGHTS}` = '{standing.weights_sha256}'"):
        if version.name == name and standing.is_of(version.tags):
            latest = max(latest, int(version.version))
    return str(latest) if latest else None


def _logged(client: Any, standing: Standing, run_id: str) -> str | None:
    """Return the id of the run's logged model that has this standing, None if none was logged completely."""
    experiment = client.get_run(run_id).info.experiment_id
    for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        if model.status == "READY" and standing.is_of(model.tags):
            return str(model.model_id)
    return None


def fetched(model: str, uri: str, folder: Path) -> Path:
    """Download the files of a registered model and return their directory.

    Args:
        model: a models:/ URI.
        uri: of the MLflow store.
        folder: the directory to download to.
    """
    mlflow.set_tracking_uri(uri)
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=model, dst_path=str(folder)))


def _log(network: KerasModel, standing: Standing, run_id: str, epoch: int, add_papers: Callable[[Path], None]) -> str:
    """Log the network and return its id; mlflow.keras.log_model would change the run's status and end."""
    packages = {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}

    def save_model(path: str, **options: object) -> None:
        mlflow.keras.save_model(path=path, **options)
        add_papers(Path(path))

    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    logged = mlflow.models.Model.log(
        artifact_path=None,
        flavor=SimpleNamespace(__name__="mlflow.keras", save_model=save_model),
        run_id=run_id,
        name="model",
        model=network,
        signature=_signature(network),
        pip_requirements=[f"{package}=={version}" for package, version in packages.items()],
        tags={WEIGHTS: standing.weights_sha256, ANSWERS: standing.answers},
        step=_step(run_id, epoch),
    )
    _add_scores(run_id, str(logged.model_id))
    return str(logged.model_id)


def _step(run_id: str, epoch: int) -> int:
    """Return the step at which a run's model is logged: its epoch, or -1 if MLflow would refuse the model there.

    MLflow copies the run's metrics of that step, and fails if a metric has two values at it. An older version of medcls
    logged the final recalls of two classes under one name at step 0.
    """
    if epoch != 0:
        return epoch
    client = mlflow.MlflowClient()
    for name in client.get_run(run_id).data.metrics:
        points = [(value.timestamp, value.step) for value in client.get_metric_history(run_id, name)]
        if len(set(points)) < len(points):
            return -1
    return epoch


def _add_scores(run_id: str, model_id: str) -> None:
    """Log the run's final scores for the model too; MLflow itself copies only the metrics of its epoch."""
    client = mlflow.MlflowClient()
    for name in client.get_run(run_id).data.metrics:
        if name.startswith(("best/", "test/")):
            last = client.get_metric_history(run_id, name)[-1]
            score = mlflow.entities.Metric(name, last.value, last.timestamp, last.step, model_id=model_id)
            client.log_batch(run_id, metrics=[score])


def _signature(network: KerasModel) -> Any:
    """Return MLflow's description of a network's input and output."""
    shape = (-1, *network.input_shape[1:])
    images = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), shape)])
    probabilities = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), (-1, *network.output_shape[1:]))])
    return mlflow.models.ModelSignature(inputs=images, outputs=probabilities)
