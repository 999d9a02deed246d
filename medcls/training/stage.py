"""A stage of a training by gradient descent: which network learns from which batches, how fast and until when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medcls import losses
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Examples, Split
from medcls.data.loading import batches
from medcls.data.loading.batches import Batches
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training.class_imbalance import Imbalance
from medcls.utils.tensors import Callback, KerasModel, Optimizer, Tensor

EVALUATION_BATCH = 64
EVALUATION_PIXELS = 2**20  # of a batch: more take gigabytes in the maps of a wide network

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class TrainingSetup:
    """What all stages of one training have in common.

    Attributes:
        network: the whole Keras network, from images to predictions.
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        run_dir: where the journal and the checkpoint are written.
        seed: of the order of the images and of their augmentation.
        imbalance: numbers of training images of each class -> an `Imbalance`.
        stop: task -> Keras callbacks that stop the training or choose the epoch whose weights are kept.
        batch_size: images a step.
        loss: replaces the task's loss and the one of `imbalance`.
        share: the share of the training images that an epoch uses, above 0 and at most 1; the next epoch uses others.
        mirrored: adds a mirrored copy of every training image.
        fast_batch_norm: whether `training/batch_norm.py` computes batch normalization, or Keras.
        callbacks: Keras callbacks that record something and change nothing.
    """

    network: KerasModel
    data: Dataset
    split: Split
    task: Task
    run_dir: RunDir
    seed: int
    imbalance: Callable[..., Imbalance]
    stop: Callable[..., list[Callback]]
    batch_size: int
    loss: Callable[..., Tensor] = losses.of_the_task
    share: float = 1.0
    mirrored: bool = False
    fast_batch_norm: bool = True
    callbacks: Sequence[Callback] = ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a training: which layers learn, from which inputs, how fast and until when.

    Attributes:
        network: the Keras network that is trained: the setup's whole network, or its head.
        inputs: what `network` takes, one row for each image of the data set: the images, or features of them.
        augment: an augmentation of `inputs`.
        optimizer: a fresh Keras optimizer.
        schedule: (learning rate, task) -> a Keras callback; it may take `total_epochs` too.
        last_epoch: the number of epochs of the training, earlier stages included, at which this stage ends.
        first_epoch: the number of epochs at which this stage begins. A checkpoint of an earlier stage has the variables
            of another network, so it is not loaded.
    """

    network: KerasModel
    inputs: Examples
    augment: Augmentation
    optimizer: Optimizer
    schedule: Callable[..., Callback]
    last_epoch: int
    first_epoch: int = 0


def training_batches(setup: TrainingSetup, stage: Stage, imbalance: Imbalance, epochs: range) -> Batches:
    """Return the batches of a stage's epochs, each in a random order and augmented.

    Args:
        setup: what the stages have in common.
        stage: the stage.
        imbalance: how the classes are weighted and drawn.
        epochs: the numbers of the epochs, from 0.
    """
    examples = replace(_examples(setup, stage, imbalance, setup.split.train), mirrored=setup.mirrored)
    augment = setup.task.vary(stage.augment)
    return batches.training(examples, _order(setup, imbalance), augment, setup.seed, setup.batch_size, epochs)


def evaluation_batches(setup: TrainingSetup, stage: Stage, imbalance: Imbalance, rows: Rows) -> Batches:
    """Return the batches of some rows of the data set, in order and unchanged.

    Args:
        setup: what the stages have in common.
        stage: the stage, which has the inputs.
        imbalance: the weights of the classes.
        rows: of the data set, of shape (n,).
    """
    examples = _examples(setup, stage, imbalance, rows)
    return batches.evaluation(examples, _evaluation_batch_size(examples.images))


def steps_per_epoch(setup: TrainingSetup, imbalance: Imbalance) -> int:
    """Return the number of batches of an epoch."""
    return batches.steps_of(len(_order(setup, imbalance)(0)), setup.batch_size)


def _order(setup: TrainingSetup, imbalance: Imbalance) -> Callable[[int], Rows]:
    """Return epoch -> the positions among the training images (and their mirrored copies) that it uses, in order."""
    labels = setup.data.labels[setup.split.train]
    if setup.mirrored:
        labels = np.tile(labels, 2)
    order = batches.evenly(labels, setup.seed) if imbalance.oversample else batches.shuffled(labels, setup.seed)
    return batches.in_parts(order, setup.share)


def _examples(setup: TrainingSetup, stage: Stage, imbalance: Imbalance, rows: Rows) -> batches.Examples:
    """Return the inputs, targets and weights of some rows of the data set.

    Args:
        setup: what the stages have in common.
        stage: the stage, which has the inputs.
        imbalance: the weights of the classes.
        rows: of the data set, of shape (n,).
    """
    targets = setup.task.target(setup.data, rows)
    return batches.Examples(stage.inputs, rows, targets, imbalance.class_weights[setup.data.labels[rows]])


def _evaluation_batch_size(inputs: Examples) -> int:
    """Return how many images are predicted at a time; fewer where they are large."""
    if inputs.ndim != 4:
        return EVALUATION_BATCH
    pixels = int(np.prod(inputs.shape[1:3]))
    return max(1, min(EVALUATION_BATCH, EVALUATION_PIXELS // pixels))
