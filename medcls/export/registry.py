"""The best model in MLflow: logged with its run, registered, and given the alias champion if it is the best so far."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from medcls.export.metadata import CARD
from medcls.export.standing import ANSWERS, DATA, KIND, NOT_REAL, STUDY, WEIGHTS, Standing, from_tags, keeps
from medcls.tracking.entries import FIRST
from medcls.utils.lazy import keras, mlflow
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import KerasModel

ALIAS = "champion"


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

    @property
    def can_be_promoted(self) -> bool:
        """Whether --promote would give this version the alias."""
        return self.reason not in ("", NOT_REAL)


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


def placed(uri: str, name: str, standing: Standing, *, promote: bool, note: str = "") -> Place | None:
    """Give a registered model the alias if it is better than the champion; return None if it is not registered.

    This imports no TensorFlow.

    Args:
        uri: of the MLflow store.
        name: of the registered model.
        standing: how the model scored.
        promote: whether it gets the alias even if the champion scored higher.
        note: the description of the version, in Markdown; links to its run and its model card are added.
    """
    client = mlflow.MlflowClient(uri)
    version = _version(client, name, standing)
    if version is None:
        return None
    return _placed(client, version, standing, f"{note}\n\n{_links(client, version)}" if note else "", promote=promote)


def followed(uri: str, name: str, second: str, *, promote: bool) -> Place:
    """Register the champion of a model under a second name, too; whether it is champion there decides the same rule.

    Args:
        uri: of the MLflow store.
        name: of the registered model, which has a champion.
        second: the second name.
        promote: whether it gets the alias there even if the champion there scored higher.
    """
    client = mlflow.MlflowClient(uri)
    champion = client.get_model_version_by_alias(name, ALIAS)
    standing = from_tags(known_tags(client, champion))
    version = _version(client, second, standing) or _copied(client, uri, champion, second)
    return _placed(client, version, standing, champion.description or "", promote=promote)


def _copied(client: Any, uri: str, version: Any, name: str) -> Any:
    """Register the model of a version under another name, too, without copying its files; return the new version.

    Args:
        client: of the MLflow store.
        uri: of the MLflow store.
        version: of a registered model.
        name: the other name.
    """
    with contextlib.suppress(mlflow.exceptions.MlflowException):  # there is one of this name
        client.create_registered_model(name)
    model_id = _model_id(version)
    more = {"model_id": model_id} if model_id else {}
    source = version.source
    if model_id and not uri.startswith("http"):  # without a server MLflow would look models:/ID up in its default store
        source = client.get_logged_model(model_id).artifact_location
    return client.create_model_version(name, source, version.run_id, tags=version.tags, **more)


def _placed(client: Any, version: Any, standing: Standing, description: str, *, promote: bool) -> Place:
    """Bring tags and description of a version up to date, and give it the alias if no better one has it.

    Args:
        client: of the MLflow store.
        version: of a registered model.
        standing: how the model scored.
        description: of the version, and of the registered model if this is its champion; "" changes neither.
        promote: whether it gets the alias even if the champion scored higher.
    """
    name, number = version.name, str(version.version)
    for tag, value in standing.tags.items():
        if version.tags.get(tag, "") != value:
            client.set_model_version_tag(name, number, tag, value)
    if description and version.description != description:
        client.update_model_version(name, number, description)
    registered = client.get_registered_model(name)
    champion, reason = str(registered.aliases.get(ALIAS, "")), ""
    if champion:
        reason = keeps(known_tags(client, client.get_model_version(name, champion)), standing)
        if promote and reason != NOT_REAL:
            reason = ""
    if reason:
        return Place(number, champion, reason)
    if champion != number:
        client.set_registered_model_alias(name, ALIAS, number)
    if description and registered.description != description:
        client.update_registered_model(name, description)
    return Place(number, number, "")


def known_tags(client: Any, version: Any) -> dict[str, str]:
    """Return the tags of a version; an older medcls told the data set of a model in the tags of its run alone."""
    tags = dict(version.tags)
    if KIND not in tags and version.run_id:
        with contextlib.suppress(mlflow.exceptions.MlflowException):  # the run was deleted
            run = client.get_run(version.run_id)
            tags[KIND], tags[STUDY] = run.data.tags.get("data.kind", ""), run.data.tags.get("medcls.study", "")
            inputs = run.inputs.dataset_inputs
            tags[DATA] = inputs[0].dataset.name if inputs else ""
    return tags


def _model_id(version: Any) -> str:
    """Return the id of the logged model of a version, "" where an older MLflow registered it."""
    _, scheme, model_id = version.source.rpartition("models:/")
    return str(getattr(version, "model_id", None) or (model_id if scheme else ""))


def _links(client: Any, version: Any) -> str:
    """Return links, which work in MLflow's user interface, to the run of a version and to its model card."""
    run_id, model_id = version.run_id, _model_id(version)
    experiment = f"#/experiments/{client.get_run(run_id).info.experiment_id}"
    run = f"{experiment}/runs/{run_id}"
    files = f"{experiment}/models/{model_id}/artifacts" if model_id else f"{run}/artifacts"
    return f"[The run]({run}) · [the model's files]({files}), among them {CARD}"


def _version(client: Any, name: str, standing: Standing) -> Any:
    """Return the latest version of a registered model that has this standing, None if there is none.

    The filter does not contain the name, which may contain the quotes that delimit values in filters.
    """
    versions = []
    for version in client.search_model_versions(f"tag.`{WEIGHTS}` = '{standing.weights_sha256}'"):
        if version.name == name and standing.is_of(version.tags):
            versions.append(version)
    return max(versions, key=lambda version: int(version.version), default=None)


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
    """Return the step at which a run's model is logged: that of its epoch, or -1 if MLflow would refuse it there.

    MLflow copies the run's metrics of that step, and fails if a metric has two values at it. An older version of medcls
    logged the final recalls of two classes under one name at step 0.
    """
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    if FIRST in run.data.tags:
        return epoch + int(run.data.tags[FIRST])
    if epoch != 0:
        return epoch
    for name in run.data.metrics:
        points = [(value.timestamp, value.step) for value in client.get_metric_history(run_id, name)]
        if len(set(points)) < len(points):
            return -1
    return epoch


def _add_scores(run_id: str, model_id: str) -> None:
    """Log the run's final scores for the model too; MLflow itself copies only the metrics of its epoch."""
    client = mlflow.MlflowClient()
    for name in client.get_run(run_id).data.metrics:
        if name.startswith(("best/", "recall/", "test/")):
            last = client.get_metric_history(run_id, name)[-1]
            score = mlflow.entities.Metric(name, last.value, last.timestamp, last.step, model_id=model_id)
            client.log_batch(run_id, metrics=[score])


def _signature(network: KerasModel) -> Any:
    """Return MLflow's description of a network's input and output."""
    shape = (-1, *network.input_shape[1:])
    images = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), shape)])
    probabilities = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), (-1, *network.output_shape[1:]))])
    return mlflow.models.ModelSignature(inputs=images, outputs=probabilities)
