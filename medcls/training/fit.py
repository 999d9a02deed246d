"""One stage of a training by gradient descent: it trains the epochs that the run directory's checkpoint lacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medcls import losses
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Examples, Split
from medcls.data.loading import batches
from medcls.data.loading.batches import Batches
from medcls.spec.parameters import function_of, takes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training.checkpoint import progress, recorder, restore
from medcls.training.class_imbalance import Imbalance
from medcls.training.network import operations
from medcls.training.result import Fitted, weights_sha256
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback, KerasModel, Metric, Optimizer, Tensor

EVALUATION_BATCH = 64
EVALUATION_PIXELS = 2**20  # of a batch: more take gigabytes in the maps of a wide network

LIGHT = 10_000_000  # multiply-adds of a batch that take no longer than Keras's own call of a step
BATCH_METHODS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")

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


def fit(setup: TrainingSetup, stage: Stage) -> Fitted:
    """Train one stage from where the run directory's checkpoint stands, and return the trained model.

    If the checkpoint is already at the end of the stage, it is only loaded.

    Raises:
        TrainingError: the loss or a metric is no longer a finite number.
        BadInputError: the rule for stopping watches a metric that is not in the history.
        DamagedError: the checkpoint is damaged or of another network.
    """
    data, split, task = setup.data, setup.split, setup.task
    imbalance = setup.imbalance(np.bincount(data.labels[split.train], minlength=len(data.classes)))
    metrics = task.metrics(len(data.classes))
    _compile(stage, _loss(setup, imbalance), metrics)
    callbacks = [_schedule_callback(stage, task), *setup.stop(task), *setup.callbacks]
    _check_monitors(callbacks, ["loss", *(metric.name for metric in metrics)])
    if _is_light(stage.network, setup.batch_size, callbacks):
        stage.network.steps_per_execution = _steps_per_epoch(setup, imbalance)

    def evaluation_batches(rows: Rows) -> Batches:
        examples = _examples(setup, stage, imbalance, rows)
        return batches.evaluation(examples, _evaluation_batch_size(examples.images))

    epochs_done, stopped = progress(setup.run_dir, stage.first_epoch)
    setup.run_dir.truncate(epochs_done)
    if epochs_done < stage.last_epoch and not stopped:
        _train(setup, stage, imbalance, callbacks, range(epochs_done, stage.last_epoch), evaluation_batches)
    else:
        _load(setup, stage, callbacks)

    def predict(rows: Rows) -> NDArray[np.float32]:
        predictions: NDArray[np.float32] = task.read(stage.network.predict(evaluation_batches(rows), verbose=0))
        return predictions

    epochs = setup.run_dir.epochs_held()
    trainable = sum(int(np.prod(weight.shape)) for weight in setup.network.trainable_weights)
    return Fitted(
        model=setup.network,
        predict=predict,
        epochs=epochs,
        best_epoch=_best_epoch(callbacks, epochs),
        parameters={"total": int(setup.network.count_params()), "trainable": trainable},
        weights_sha256=weights_sha256(setup.network.get_weights()),
    )


def _loss(setup: TrainingSetup, imbalance: Imbalance) -> Callable[..., Tensor]:
    if function_of(setup.loss) is not losses.of_the_task:
        return setup.loss
    if imbalance.loss is not None:
        return imbalance.loss
    return setup.task.loss


def _compile(stage: Stage, loss: Callable[..., Tensor], metrics: list[Metric]) -> None:
    """Compile the stage's network and create its optimizer's variables.

    Args:
        stage: the stage.
        loss: (targets, predictions) -> one value an image.
        metrics: Keras metrics.
    """
    # jit_compile="auto" may choose XLA, which is slower on a CPU.
    stage.network.compile(stage.optimizer, loss=loss, metrics=metrics, jit_compile=False)
    stage.optimizer.build(stage.network.trainable_variables)  # before a checkpoint can be loaded into its variables


def _schedule_callback(stage: Stage, task: Task) -> Callback:
    learning_rate = float(stage.optimizer.learning_rate)
    if takes(function_of(stage.schedule), "total_epochs"):
        return stage.schedule(learning_rate, task, stage.last_epoch)
    return stage.schedule(learning_rate, task)


def _check_monitors(callbacks: list[Callback], names: list[str]) -> None:
    """Refuse a callback that watches what is not in the history, of which Keras only warns."""
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor.removeprefix("val_") not in names:
            choices = ", ".join(f"val_{name}" for name in names)
            raise BadInputError(f"learner.stop.monitor={monitor!r} is not in the history: use one of {choices}.")


def _train(
    setup: TrainingSetup,
    stage: Stage,
    imbalance: Imbalance,
    callbacks: list[Callback],
    epochs: range,
    evaluation_batches: Callable[[Rows], Batches],
) -> None:
    """Train the stage's network.

    Args:
        setup: what the stages have in common.
        stage: the stage.
        imbalance: how the classes are weighted and drawn.
        callbacks: the training's callbacks, without the recorder of the checkpoint.
        epochs: the numbers of the epochs to train, from 0.
        evaluation_batches: rows of the data set -> their batches, in order.
    """
    examples = replace(_examples(setup, stage, imbalance, setup.split.train), mirrored=setup.mirrored)
    augment = setup.task.vary(stage.augment)
    stage.network.fit(
        batches.training(examples, _order(setup, imbalance), augment, setup.seed, setup.batch_size, epochs),
        validation_data=evaluation_batches(setup.split.validation),
        steps_per_epoch=_steps_per_epoch(setup, imbalance),
        initial_epoch=epochs.start,
        epochs=epochs.stop,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, recorder(setup.run_dir, callbacks, stage.first_epoch)],
    )


def _order(setup: TrainingSetup, imbalance: Imbalance) -> Callable[[int], Rows]:
    """Return epoch -> the positions among the training images (and their mirrored copies) that it uses, in order."""
    labels = setup.data.labels[setup.split.train]
    if setup.mirrored:
        labels = np.tile(labels, 2)
    order = batches.evenly(labels, setup.seed) if imbalance.oversample else batches.shuffled(labels, setup.seed)
    return batches.in_parts(order, setup.share)


def _steps_per_epoch(setup: TrainingSetup, imbalance: Imbalance) -> int:
    return batches.steps_of(len(_order(setup, imbalance)(0)), setup.batch_size)


def _is_light(network: KerasModel, batch_size: int, callbacks: Sequence[Callback]) -> bool:
    """Tell whether an epoch is faster as one call of Keras than as a call for each step; no bit of the result changes.

    It is for networks so small that a call takes longer than a step, unless a callback is to be called at each step.

    Args:
        network: the Keras network that is trained.
        batch_size: images a step.
        callbacks: the training's callbacks.
    """
    base = keras.callbacks.Callback
    for callback in callbacks:
        for method in BATCH_METHODS:
            if getattr(type(callback), method) is not getattr(base, method):
                return False
    return operations(network) * batch_size <= LIGHT


def _load(setup: TrainingSetup, stage: Stage, callbacks: list[Callback]) -> None:
    """Load the checkpoint of a finished stage; let the callbacks choose the weights that are kept.

    Args:
        setup: what the stages have in common.
        stage: the stage.
        callbacks: the training's callbacks.
    """
    restore(setup.run_dir, stage.network, callbacks, stage.first_epoch)
    for callback in callbacks:
        callback.set_model(stage.network)
        callback.on_train_end()


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


def _best_epoch(callbacks: list[Callback], epochs: int) -> int:
    """Return the epoch, from 0, whose weights the network has after the training: the last one without a rule."""
    for callback in callbacks:
        if getattr(callback, "best_weights", None):
            return int(callback.best_epoch)
    return epochs - 1
