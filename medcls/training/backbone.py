"""Networks with a pretrained body: where the body ends, which weights it begins with, and its layers by blocks."""

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from medcls import models
from medcls.data.dataset import Dataset
from medcls.models.backbones import check, download
from medcls.models.pretrained import FEATURES
from medcls.spec.parameters import arguments_of
from medcls.spec.variant import Variant
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import programs, saved_weights
from medcls.training.network import network
from medcls.utils.errors import BadInputError
from medcls.utils.files import is_full, write_atomically
from medcls.utils.lazy import h5py, keras
from medcls.utils.tensors import KerasModel, KerasTensor

IMAGENET, RANDOM = "imagenet", "random"
BLOCK = re.compile(r"(conv\d+_)?block_?\d+[a-z]?")


@dataclass(frozen=True)
class Halves:
    """A network in two, which share their layers with the whole: the pretrained body, and the head on its features."""

    whole: KerasModel
    body: KerasModel
    head: KerasModel


@dataclass(frozen=True)
class Origin:
    """Which weights a body begins with.

    Attributes:
        pretrained: "imagenet", "random", or the digest of a file's weights.
        backbone: which network it is.
        alpha: its width.
        layer: its dense layer that the features are taken from, "" for the last maps.
    """

    pretrained: str
    backbone: str
    alpha: float
    layer: str

    def file(self, shape: tuple[int, ...]) -> str:
        """Return the name of the weights in a work directory; weights of a dense layer depend on the images' shape."""
        width = "" if self.alpha == 1.0 else f"-{self.alpha:g}"
        layer = f"-{self.layer}-{shape[0]}x{shape[1]}" if self.layer else ""
        return f"{self.pretrained}-{self.backbone}{width}{layer}"


def origin(model: Callable[..., KerasTensor], pretrained: str) -> Origin:
    """Return which weights the body of a model function begins with.

    Raises:
        BadInputError: the model has no pretrained body.
    """
    given = arguments_of(model)
    if not {"backbone", "alpha", "layer", "preprocessing"} <= set(given):
        raise BadInputError(f"learner.model must be {models.pretrained.__name__}: this learner trains on its features.")
    check(**given)
    return Origin(pretrained, given["backbone"], given["alpha"], given["layer"])


def pretrained_network(
    data: Dataset,
    task: Task,
    run_dir: RunDir,
    seed: int,
    model: Callable[..., KerasTensor],
    pretrained: str,
    functions: Sequence[Callable[..., Any]] = (),
) -> Halves:
    """Return the network for a data set: its body frozen with pretrained weights, its head with random ones.

    Args:
        data: the data set, which has the images' shape and the classes.
        task: what a target means.
        run_dir: the run directory, in a work directory that has the body's weights.
        seed: of the head's weights.
        model: `models.pretrained` with its parameters.
        pretrained: "imagenet", "random", or the digest of a file of weights.
        functions: the other functions of the training.

    Raises:
        BadInputError: the model has no pretrained body, or its weights are not in the work directory.
    """
    name = origin(model, pretrained).file(data.images.shape[1:])
    build = partial(network, model, task, data.images.shape[1:], len(data.classes))
    whole = programs.initial_network(build, seed, [model, *functions])
    body, head = programs.parts_of(whole, partial(_divided, whole))
    parts = Halves(whole, body, head)
    begin_body(parts.body, run_dir.saved_weights(name))
    freeze(parts.body, 0)
    return parts


def halves(whole: KerasModel) -> Halves:
    """Return a network in two, cut at the features of its pretrained body."""
    return Halves(whole, *_divided(whole))


def _divided(whole: KerasModel) -> tuple[KerasModel, KerasModel]:
    """Return the pretrained body of a network, and the head on its features."""
    features = whole.get_layer(FEATURES).output
    return keras.Model(whole.input, features), keras.Model(features, whole.output)


def write_backbone(
    model: Callable[..., KerasTensor],
    task: Task,
    pretrained: str,
    shape: tuple[int, ...],
    classes: int,
    path: Path,
    file: Path,
) -> None:
    """Write the weights that a model's body begins with.

    Random weights do not depend on a run's seed, so that all runs share the features.

    Args:
        model: `models.pretrained` with its parameters.
        task: what a target means.
        pretrained: "imagenet", "random", or the digest of `file`.
        shape: of an image: height, width, channels.
        classes: the number of classes.
        path: where they are written.
        file: the user's file of weights; it is not read for ImageNet's and random ones.

    Raises:
        BadInputError: the file has the weights of another network.
        Exception: ImageNet's weights cannot be downloaded, with what Keras says of it.
    """
    source = origin(model, pretrained)
    keras.utils.set_random_seed(0)
    body = halves(network(model, task, shape, classes)).body
    if pretrained == IMAGENET:
        take(body, download(source.backbone, source.alpha, source.layer))
    elif pretrained != RANDOM:
        take(body, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: body.save_weights(temporary.name))


def begin_body(body: KerasModel, path: Path) -> None:
    """Load a body's weights from a work directory.

    Raises:
        BadInputError: they are not there.
    """
    if not path.exists():
        raise BadInputError(f"The pretrained weights {path} are not there: run the study's command, which writes them.")
    body.load_weights(path)


def take(body: KerasModel, path: Path) -> None:
    """Load a body's weights from a file that Keras 3 (.weights.h5) or an earlier Keras (.h5) has written.

    Raises:
        BadInputError: the file is damaged or has the weights of another network; `body` must not be used then.
    """
    with tempfile.TemporaryDirectory() as folder:
        if _is_legacy(path):
            copy = Path(folder) / "legacy.h5"
            shutil.copyfile(path, copy)
            try:
                body.load_weights(copy)
            except Exception as error:
                raise BadInputError(f"{path} has the weights of another network: {_first_line(error)}") from error
            return
        copy = Path(folder) / "new.weights.h5"
        copy.write_bytes(saved_weights.content(path))
        misfit = saved_weights.fit_of(body, copy).misfit
        if misfit:
            raise BadInputError(f"{path} has the weights of another network: {misfit}.")
        body.load_weights(copy)


def _is_legacy(path: Path) -> bool:
    if path.is_dir() or not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return "layer_names" in file.attrs or "model_weights" in file


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removesuffix(".") + "."


def freeze(body: KerasModel, blocks: int) -> None:
    """Let the last `blocks` blocks of a body learn, and no layer before them.

    Batch normalisation never learns: its statistics come from millions of images, and a batch has few.
    """
    learning: set[str] = set()
    if blocks:
        for block in blocks_of(body)[-blocks:]:
            learning.update(block)
    for layer in body.layers:
        layer.trainable = layer.name in learning and not isinstance(layer, keras.layers.BatchNormalization)


def blocks_of(body: KerasModel) -> list[list[str]]:
    """Return the names of a body's layers that have weights, block by block, as the network's authors name them.

    What stands before the first block is a block of its own; what stands after a block belongs to it.
    """
    blocks: list[list[str]] = []
    name = None
    for layer in body.layers:
        if layer.weights:
            match = BLOCK.match(layer.name)
            if not blocks or (match and match.group() != name):
                blocks.append([])
                name = match.group() if match else None
            blocks[-1].append(layer.name)
    return blocks


def write_pretrained(variant: Variant, shape: tuple[int, ...], classes: int, path: Path, file: Path) -> str:
    """Write the pretrained weights that a variant's network begins with.

    Args:
        variant: it has a learner with a pretrained network.
        shape: of an image: height, width, channels.
        classes: the number of classes.
        path: where they are written.
        file: the user's file of weights; it is not read for ImageNet's and random ones.

    Returns:
        What is wrong with them in a sentence, "" if nothing is.
    """
    try:
        write_backbone(
            variant.get("learner.model"), variant.task, variant.get("learner.pretrained"), shape, classes, path, file
        )
    except OSError as error:
        if is_full(error):
            raise
        return str(error)
    except Exception as error:  # noqa: BLE001 - Keras raises all kinds where it cannot download
        return str(error)
    return ""


PATH, MODEL = "learner.pretrained", "learner.model"


def kind(variant: Variant) -> str | None:
    """Return where a variant's pretrained weights come from: "imagenet", "random" or "file"; None if it has none."""
    pretrained = variant.parameters().get(PATH)
    if pretrained is None:
        return None
    return str(pretrained) if pretrained in (IMAGENET, RANDOM) else "file"
