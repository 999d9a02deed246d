"""Training by gradient descent: the usual learner, and the fit of one stage, which can be killed and continued."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls import augmentation, losses, models
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Split
from medcls.spec.constraints import at_least, constrained
from medcls.spec.parameters import function_of, takes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import batch_norm, early_stopping, optimizers, programs, schedules
from medcls.training import callbacks as recording
from medcls.training import class_imbalance as imbalances
from medcls.training.checkpoint import has_checkpoint, progress, recorder, restore
from medcls.training.class_imbalance import Imbalance
from medcls.training.network import network, operations
from medcls.training.result import Fitted, weights_sha256
from medcls.training.saved_weights import begin_with
from medcls.training.stage import Stage, TrainingSetup, evaluation_batches, steps_per_epoch, training_batches
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback, KerasModel, KerasTensor, Optimizer, Tensor

LIGHT = 1_000_000_000
"""Multiply-adds of a batch below which Keras's own call of a step counts beside the step.

A call takes some milliseconds: of ResNet-20 with base 8 (0.17e9) an epoch of 38 steps takes 0.8 to 0.93 of the time in
one call, and the network takes a second longer to compile. Steps of larger networks take a tenth of a second and more.
"""
BATCH_METHODS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")

Rows = NDArray[np.int64]


def _check(*, share: float, **_: object) -> None:
    if not 0 < share <= 1:
        raise BadInputError(f"share={share} must be above 0 and at most 1.")


@constrained(_check, at_least(1, "batch_size", "epochs"))
def gradient(
    data: Dataset,
    split: Split,
    task: Task,
    folder: RunDir,
    seed: int,
    *,
    model: Callable[..., KerasTensor] = models.resnet,
    augment: Callable[..., Augmentation] = augmentation.none,
    optimizer: Callable[..., Optimizer] = optimizers.adam,
    schedule: Callable[..., Callback] = schedules.constant,
    imbalance: Callable[..., Imbalance] = imbalances.none,
    stop: Callable[..., list[Callback]] = early_stopping.never,
    watch: Callable[..., list[Callback]] = recording.nothing,
    loss: Callable[..., Tensor] = losses.of_the_task,
    mirrored: bool = False,
    share: float = 1.0,
    batch_size: int = 8,
    epochs: int = 50,
    weights: str = "",
    fast_batch_norm: bool = True,
) -> Fitted:
    """Train from where the run directory's checkpoint stands (or from the start) and return the trained model.

    Everything random depends on (seed, epoch, step) alone, so a training that was killed and continued ends with the
    bits of one that was not. If the checkpoint is already at the end, it is only loaded.

    Args:
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        folder: the run directory.
        seed: of the network's first weights, the order of the images, augmentation and dropout.
        model: images (or points) -> features, as a graph of Keras layers.
        augment: returns an augmentation of the training images.
        optimizer: returns a Keras optimizer.
        schedule: (learning rate, task) -> a Keras callback that sets the learning rate.
        imbalance: numbers of training images of each class -> how classes are weighted or drawn.
        stop: task -> Keras callbacks that stop the training or choose the epoch whose weights are kept.
        watch: (data, split, task, run directory) -> Keras callbacks that record something and change nothing.
        loss: (targets, predictions) -> one value an image; replaces the task's loss.
        mirrored: adds a mirrored copy of every training image.
        share: the share of the training images that an epoch uses, above 0 and at most 1; the next epoch uses others.
        batch_size: images a step.
        epochs: how many epochs are trained if no rule stops the training earlier.
        weights: the digest of saved weights to start from, "" to start from random ones.
        fast_batch_norm: whether batch normalization is computed as in `training/batch_norm.py`, or by Keras.

    Raises:
        TrainingError: the loss or a metric is no longer a finite number.
        BadInputError: the saved weights do not fit, or the rule for stopping watches what is not in the history.
    """
    functions = (model, augment, optimizer, schedule, imbalance, stop, watch, loss)
    build = partial(network, model, task, data.images.shape[1:], len(data.classes))
    net = programs.initial_network(build, seed, functions)
    if weights and not has_checkpoint(folder):
        begin_with(net, folder.saved_weights(weights))
    setup = TrainingSetup(
        network=net,
        data=data,
        split=split,
        task=task,
        run_dir=folder,
        seed=seed,
        imbalance=imbalance,
        stop=stop,
        batch_size=batch_size,
        loss=loss,
        share=share,
        mirrored=mirrored,
        fast_batch_norm=fast_batch_norm,
        callbacks=watch(data, split, task, folder),
    )
    stage = Stage(
        network=net,
        inputs=data.images,
        augment=augment(),
        optimizer=optimizer(),
        schedule=schedule,
        last_epoch=epochs,
    )
    return fit(setup, stage)


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
    callbacks = [_schedule_callback(stage, task), *setup.stop(task), *setup.callbacks]
    _check_monitors(callbacks, ["loss", *(metric.name for metric in metrics)])
    steps = steps_per_epoch(setup, imbalance) if _is_light(stage.network, setup.batch_size, callbacks) else 1
    loss = _loss(setup, imbalance)
    if setup.fast_batch_norm:
        batch_norm.speed_up(stage.network)
    programs.compile_network(stage.network, stage.optimizer, loss, metrics, callbacks, steps)
    epochs_done, stopped = progress(setup.run_dir, stage.first_epoch)
    setup.run_dir.truncate(epochs_done)
    if epochs_done < stage.last_epoch and not stopped:
        _train(setup, stage, imbalance, callbacks, range(epochs_done, stage.last_epoch))
    else:
        _load(setup, stage, callbacks)

    def predict(rows: Rows) -> NDArray[np.float32]:
        unchanged = evaluation_batches(setup, stage, imbalance, rows)
        predictions: NDArray[np.float32] = task.read(stage.network.predict(unchanged, verbose=0))
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
) -> None:
    """Train the stage's network.

    Args:
        setup: what the stages have in common.
        stage: the stage.
        imbalance: how the classes are weighted and drawn.
        callbacks: the training's callbacks, without the recorder of the checkpoint.
        epochs: the numbers of the epochs to train, from 0.
    """
    stage.network.fit(
        training_batches(setup, stage, imbalance, epochs),
        validation_data=evaluation_batches(setup, stage, imbalance, setup.split.validation),
        steps_per_epoch=steps_per_epoch(setup, imbalance),
        initial_epoch=epochs.start,
        epochs=epochs.stop,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, recorder(setup.run_dir, callbacks, stage.first_epoch)],
    )


def _is_light(network: KerasModel, batch_size: int, callbacks: Sequence[Callback]) -> bool:
    """Tell whether an epoch is faster as one call of Keras than as a call for each step; no bit of the result changes.

    It is for networks so small that a call counts beside a step, unless a callback is to be called at each step.

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


def _best_epoch(callbacks: list[Callback], epochs: int) -> int:
    """Return the epoch, from 0, whose weights the network has after the training: the last one without a rule."""
    for callback in callbacks:
        if getattr(callback, "best_weights", None):
            return int(callback.best_epoch)
    return epochs - 1
