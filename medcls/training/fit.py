"""The steps of every learner by gradient descent: compile, fit what the run folder lacks, tell what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.data.loading import batches as stream
from medcls.spec.parameters import function_of, takes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training.checkpoint import recorder, restore
from medcls.training.network import operations
from medcls.training.result import Fitted, weights_sha256
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.records import DamagedError

EVALUATION_BATCH = 64
EVALUATION_PIXELS = 2**20  # of a batch: more take gigabytes in the maps of a wide network

LIGHT = 10_000_000  # multiply-adds of a batch that take no longer than Keras's own call of a step
BY_THE_BATCH = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
Rows = NDArray[np.int64]


def train(
    whole: Any,
    data: Dataset,
    split: Split,
    task: Task,
    folder: RunDir,
    seed: int,
    imbalance: Callable[..., Any],
    stop: Callable[..., Any],
    batch_size: int,
    net: Any,
    images: Any,
    vary: Any,
    optimizer: Any,
    schedule: Callable[..., Any],
    epochs: int,
    began: int = 0,
    *,
    watchers: Sequence[Any] = (),
    share: float = 1.0,
    loss: Callable[..., Any] | None = None,
    mirrored: bool = False,
) -> Fitted:
    """Train `net`, the whole network or its part on features, from where the run folder stands; say what came of it.

    `images` is what `net` takes, one row an image of the data set; `vary` varies them. This stage of the training
    ends at `epochs` and began at `began`: checkpoints of an earlier one are left alone. `watchers` are callbacks that
    change nothing; `share` of the training images are met in an epoch; `loss` takes the place of the task's; `mirrored`
    adds a mirrored copy of every training image.
    """
    treatment = imbalance(np.bincount(data.labels[split.train], minlength=len(data.classes)))
    metrics = task.metrics(len(data.classes))
    _compile(net, optimizer, loss or treatment.loss or task.loss, metrics)
    callbacks = [_scheduled(schedule, net, task, epochs), *stop(task), *watchers]
    _check_monitors(callbacks, ["loss", *(metric.name for metric in metrics)])
    examples = partial(_examples, data, images, task, treatment.class_weights)
    labels = np.tile(data.labels[split.train], 2 if mirrored else 1)
    order = (stream.evenly if treatment.oversample else stream.shuffled)(labels, seed)
    order = stream.in_parts(order, share)
    trained = replace(examples(split.train), mirrored=mirrored)
    batches = partial(stream.training, trained, order, task.vary(vary), seed, batch_size)
    evaluation = partial(_evaluation, examples)
    if _is_light(net, batch_size, callbacks):
        net.steps_per_execution = stream.steps_of(len(order(0)), batch_size)
    _fit(net, callbacks, folder, batches, evaluation(split.validation), epochs, began)
    return _fitted(whole, net, task, callbacks, folder, evaluation)


def _compile(net: Any, optimizer: Any, loss: Any, metrics: list[Any]) -> None:
    """Compile a network, its optimizer with all its variables."""
    net.compile(optimizer, loss=loss, metrics=metrics, jit_compile=False)  # 'auto' may pick XLA, slower on a CPU
    optimizer.build(net.trainable_variables)  # before a checkpoint can be put into its variables


def _is_light(net: Any, batch_size: int, callbacks: Sequence[Any]) -> bool:
    """Tell whether all steps of an epoch are better one call of Keras, which changes no bit of the result.

    They are if the network is so small that the calls cost more than the steps, unless a callback counts the steps.
    """
    idle = keras.callbacks.Callback
    counting = any(getattr(type(each), name) is not getattr(idle, name) for each in callbacks for name in BY_THE_BATCH)
    return not counting and operations(net) * batch_size <= LIGHT


def _scheduled(schedule: Callable[..., Any], net: Any, task: Task, epochs: int) -> Any:
    """Return a schedule's callback for a compiled network."""
    rate = float(net.optimizer.learning_rate)
    return schedule(rate, task, epochs) if takes(function_of(schedule), "total_epochs") else schedule(rate, task)


def _check_monitors(callbacks: list[Any], names: list[str]) -> None:
    """Refuse a callback that would watch nothing, of which Keras only warns."""
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor.removeprefix("val_") not in names:
            known = ", ".join(f"val_{name}" for name in names)
            raise BadInputError(f"learner.stop.monitor={monitor!r} is not in the history: say one of {known}.")


def _examples(
    data: Dataset, images: Any, task: Task, class_weights: NDArray[np.float32], rows: Rows
) -> stream.Examples:
    """Return what a stream draws from: some rows of a data set's images (or features of them), targets and weights."""
    return stream.Examples(images, rows, task.target(data, rows), class_weights[data.labels[rows]])


def _evaluation(examples: Callable[[Rows], stream.Examples], rows: Rows) -> Any:
    """Return the stream of some rows in their order, once."""
    drawn = examples(rows)
    pixels = int(np.prod(drawn.images.shape[1:3])) if drawn.images.ndim == 4 else 1
    return stream.evaluation(drawn, max(1, min(EVALUATION_BATCH, EVALUATION_PIXELS // pixels)))


def _fit(
    net: Any,
    callbacks: list[Any],
    folder: RunDir,
    batches: Callable[[range], Any],
    validation: Any,
    epochs: int,
    began: int = 0,
) -> None:
    """Train the epochs that the folder lacks; leave the network with the weights that the run keeps.

    `began` is the epoch at which this stage of the training begins: checkpoints of an earlier one are left alone.
    """
    first, stopped = _progress(folder, began)
    folder.cut(first)
    if first < epochs and not stopped:
        span = batches(range(first, epochs))
        steps = int(span.cardinality()) // (epochs - first)
        net.fit(
            span,
            validation_data=validation,
            steps_per_epoch=steps,
            initial_epoch=first,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[*callbacks, recorder(folder, callbacks, began)],
        )
        return
    restore(folder, net, callbacks, began)
    for callback in callbacks:
        callback.set_model(net)
        callback.on_train_end()


def stage_of(folder: RunDir) -> int:
    """Return the epoch at which the stage began that the folder's checkpoint is of; 0 without one."""
    try:
        _, state, _ = folder.read_checkpoint()
    except (FileNotFoundError, DamagedError):
        return 0
    return int(state.get("began", 0))


def can_go_on(folder: RunDir) -> bool:
    """Tell whether the folder has a checkpoint that is sound to its last byte; a damaged one is no start."""
    try:
        folder.read_checkpoint()
    except (FileNotFoundError, DamagedError):
        return False
    return True


def _progress(folder: RunDir, began: int = 0) -> tuple[int, bool]:
    """Return how many epochs the checkpoint holds and whether this stage of the training had stopped of itself.

    A damaged checkpoint is removed: the training starts again, as its variant says.
    """
    try:
        epochs, state, _ = folder.read_checkpoint()
    except FileNotFoundError:
        return 0, False
    except DamagedError as error:
        print(f"{error.path} is damaged ({error.reason}): starting again from epoch 0.")
        folder.checkpoint.unlink()
        return 0, False
    return epochs, bool(state.get("stopped")) and state.get("began", 0) == began


def _fitted(
    whole: Any,
    net: Any,
    task: Task,
    callbacks: list[Any],
    folder: RunDir,
    batches: Callable[[Rows], Any],
) -> Fitted:
    """Return what came of a training.

    Args:
        whole: the network from images to predictions.
        net: the part of it that predicts from `batches`: the whole, or a head on features.
        task: what is predicted.
        callbacks: of the training.
        folder: the run's.
        batches: rows -> their stream.
    """
    epochs = folder.epochs_held()
    best = [callback.best_epoch for callback in callbacks if getattr(callback, "best_weights", None)]
    trainable = sum(int(np.prod(weight.shape)) for weight in whole.trainable_weights)
    return Fitted(
        model=whole,
        predict=lambda rows: task.read(net.predict(batches(rows), verbose=0)),
        epochs=epochs,
        best_epoch=best[0] if best else epochs - 1,
        parameters={"total": int(whole.count_params()), "trainable": trainable},
        weights_sha256=weights_sha256(whole.get_weights()),
    )
