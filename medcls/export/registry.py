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

ALIAS = "champion"


PREFIX = "medcls."


WEIGHTS, ANSWERS = f"{PREFIX}weights_sha256", f"{PREFIX}answers"


@dataclass(frozen=True)
class Standing:
    """What decides between models: how a model scored by its study's own metric, and on which data.

    Attributes:
        weights_sha256: of the model's weights.
        metric: the study's metric, the higher the better.
        value: the model's; the mean over folds or seeds.
        fingerprint: of the data set.
        smoke: whether it was made to try the study out.
        answers: a digest of what its answers mean, as `meaning` makes it.
    """

    weights_sha256: str
    metric: str
    value: float
    fingerprint: str
    smoke: bool
    answers: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """What a version of a registered model is tagged with."""
        return {f"{PREFIX}{name}": str(value) for name, value in vars(self).items()}

    def is_of(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are those of a model with these weights whose answers mean the same."""
        return tags.get(WEIGHTS) == self.weights_sha256 and tags.get(ANSWERS, "") == self.answers


def meaning(classes: Sequence[str]) -> str:
    """Return a digest of what a model's answers mean: one probability for each of the classes, in their order."""
    return digest({"one probability a class": list(classes)})


def keeps(champion: Mapping[str, str], new: Standing) -> str:
    """Return why a champion with these tags keeps its alias before a new model, "" if it gives it up.

    It gives it up to a better score by the same metric on the same data; and one that was made to try a study out, to
    any that was not.
    """
    old = {name.removeprefix(PREFIX): value for name, value in champion.items()}
    if old.get("weights_sha256") == new.weights_sha256:
        return ""
    if (old.get("smoke") == "True") != new.smoke:
        return "this one was made with --smoke" if new.smoke else ""
    if old.get("fingerprint") != new.fingerprint:
        return "that one was scored on other data: they cannot be compared"
    if old.get("metric") != new.metric:
        return "that one was chosen by another metric"
    if new.value > float(old["value"]):
        return ""
    return f"that one has {new.metric.replace('_', ' ')} {float(old['value']):.3f}, this one {new.value:.3f}"


@dataclass(frozen=True)
class Place:
    """Where a model came to be among the versions of its name.

    Attributes:
        version: its own.
        champion: the one with the alias.
        reason: why the other has it; "" if this one has.
    """

    version: str
    champion: str
    reason: str


def register(
    network: Any, standing: Standing, uri: str, run_id: str, name: str, epoch: int, add_papers: Callable[[Path], None]
) -> None:
    """Log a Keras network with a run, as of an epoch, and register it as a version of `name`.

    `add_papers` writes into the folder of the model's files what is to lie beside them. What there is already of a
    model with these weights, whose answers mean the same, is not made twice. The run's status and times stay as they
    are.
    """
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    if _version(client, name, standing) is None:
        model = _logged(client, standing, run_id) or _log(network, standing, run_id, epoch, add_papers)
        mlflow.register_model(f"models:/{model}", name, tags=standing.tags)


def placed(uri: str, name: str, standing: Standing, *, promote: bool) -> Place | None:
    """Give a registered model the alias if it is the better one, or is to be promoted; None if it is not registered.

    Imports no TensorFlow.
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
    """Return the latest version that is the model which stands so.

    The store is not asked by the name, which may hold the quotes that its filters are written with.
    """
    found = client.search_model_versions(f"tag.`{WEIGHTS}` = '{standing.weights_sha256}'")
    versions = [int(version.version) for version in found if version.name == name and standing.is_of(version.tags)]
    return str(max(versions)) if versions else None


def _logged(client: Any, standing: Standing, run_id: str) -> str | None:
    """Return the id of the run's logged model that stands so, if one was logged whole."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    whole = [model for model in found if model.status == "READY" and standing.is_of(model.tags)]
    return str(whole[0].model_id) if whole else None


def fetched(model: str, uri: str, folder: Path) -> Path:
    """Return the folder, below `folder`, with a copy of the files of a models:/ URI's model in the store at `uri`."""
    mlflow.set_tracking_uri(uri)
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=model, dst_path=str(folder)))


def _log(network: Any, standing: Standing, run_id: str, epoch: int, add_papers: Callable[[Path], None]) -> str:
    """Log the network; not by mlflow.keras.log_model, which would set the run's status and end anew."""
    packages = {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}

    def save_model(path: str, **given: Any) -> None:
        mlflow.keras.save_model(path=path, **given)
        add_papers(Path(path))

    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    made = mlflow.models.Model.log(
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
    _add_scores(run_id, str(made.model_id))
    return str(made.model_id)


def _step(run_id: str, epoch: int) -> int:
    """Return the epoch as of which a run's model is logged, or -1 where MLflow would refuse the model for it.

    It takes the run's metrics of that step over, and cannot if one has two values there: as the recalls of two classes,
    final scores at step 0, that an older version logged under one name.
    """
    client = mlflow.MlflowClient()
    for name in client.get_run(run_id).data.metrics if epoch == 0 else ():
        at_once = [(value.timestamp, value.step) for value in client.get_metric_history(run_id, name)]
        if len(set(at_once)) < len(at_once):
            return -1
    return epoch


def _add_scores(run_id: str, model_id: str) -> None:
    """Show the run's final scores as the model's too; MLflow itself takes those of the epoch alone."""
    client = mlflow.MlflowClient()
    for name in client.get_run(run_id).data.metrics:
        if name.startswith(("best/", "test/")):
            last = client.get_metric_history(run_id, name)[-1]
            score = mlflow.entities.Metric(name, last.value, last.timestamp, last.step, model_id=model_id)
            client.log_batch(run_id, metrics=[score])


def _signature(network: Any) -> Any:
    shape = (-1, *network.input_shape[1:])
    images = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), shape)])
    probabilities = mlflow.types.Schema([mlflow.types.TensorSpec(np.dtype("float32"), (-1, *network.output_shape[1:]))])
    return mlflow.models.ModelSignature(inputs=images, outputs=probabilities)
