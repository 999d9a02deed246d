"""The learner by gradient descent: one Keras fit that can be cut off at any moment and continued to the same bits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls import augmentation, models
from medcls.data import stream
from medcls.data.types import Decoded, Split
from medcls.errors import BadInputError
from medcls.lazy import lazy
from medcls.limits import at_least, limited
from medcls.task import Task
from medcls.tracking.journal import RunFolder
from medcls.training import imbalance as imbalances
from medcls.training import optimizers, schedules, stopping, watching
from medcls.training.checkpoint import recorder, restore
from medcls.training.fitted import Fitted, weights_sha256
from medcls.training.network import network
from medcls.training.saved import begin_with
from medcls.values import function_of, takes

keras = lazy("keras")
EVALUATION_BATCH = 64


def _check(*, share: float, **_: Any) -> None:
    if not 0 < share <= 1:
        raise BadInputError(f"share={share} must be above 0 and at most 1.")


@limited(_check, at_least(1, "batch_size", "epochs"))
def gradient(
    data: Decoded,
    split: Split,
    task: Task,
    folder: RunFolder,
    seed: int,
    *,
    model: Callable[..., Any] = models.resnet,
    augment: Callable[..., Any] = augmentation.none,
    optimizer: Callable[..., Any] = optimizers.adam,
    schedule: Callable[..., Any] = schedules.constant,
    imbalance: Callable[..., Any] = imbalances.none,
    stop: Callable[..., Any] = stopping.never,
    watch: Callable[..., Any] = watching.nothing,
    share: float = 1.0,
    batch_size: int = 8,
    epochs: int = 50,
    weights: str = "",
) -> Fitted:
    """Train from where the run folder's checkpoint stands (or from the start) and return the fitted model.

    Everything random depends on (seed, epoch, step) alone. A folder whose checkpoint is already at the end is
    only restored. `share` of the training images are met in an epoch, the others in the next. `weights` is the digest
    of saved weights to start from, "" to start from random ones.

    Raises:
        TrainingError: the loss is no longer a number.
        BadInputError: the saved weights do not fit, or the rule for stopping watches what is not there.
    """
    keras.utils.set_random_seed(seed)
    treatment = imbalance(np.bincount(data.labels[split.train], minlength=len(data.classes)))
    net = network(model, task, data.images.shape[1:], len(data.classes))
    if weights and not folder.epochs_held():
        begin_with(net, folder.saved_weights(weights))
    metrics = task.metrics(len(data.classes))
    _compile(net, optimizer(), treatment.loss or task.loss, metrics)
    callbacks = [_schedule(schedule, net, task, epochs), *stop(task), *watch(data, split, task, folder)]
    _check_monitors(callbacks, ["loss", *(metric.name for metric in metrics)])
    examples = partial(_examples, data, task, treatment.class_weights)
    order = (stream.evenly if treatment.oversample else stream.shuffled)(data.labels[split.train], seed)
    order = stream.in_parts(order, share)
    batches = partial(stream.training, examples(split.train), order, augment().batch, seed, batch_size)
    _fit(net, callbacks, folder, batches, stream.evaluation(examples(split.validation), EVALUATION_BATCH), epochs)
    return _fitted(net, task, callbacks, folder, lambda rows: stream.evaluation(examples(rows), EVALUATION_BATCH))


def _compile(net: Any, optimizer: Any, loss: Any, metrics: list[Any]) -> None:
    net.compile(optimizer, loss=loss, metrics=metrics, jit_compile=False)  # 'auto' may pick XLA, slower on a CPU
    optimizer.build(net.trainable_variables)  # before a checkpoint can be put into its variables


def _schedule(schedule: Callable[..., Any], net: Any, task: Task, epochs: int) -> Any:
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
    data: Decoded, task: Task, class_weights: NDArray[np.float32], rows: NDArray[np.int64]
) -> stream.Examples:
    labels = data.labels[rows]
    return stream.Examples(data.images, rows, task.target(labels, len(data.classes)), class_weights[labels])


def _fit(
    net: Any,
    callbacks: list[Any],
    folder: RunFolder,
    batches: Callable[[range], Any],
    validation: Any,
    epochs: int,
) -> None:
    """Train the epochs that the folder lacks; leave the network with the weights that the run keeps."""
    first, stopped = _progress(folder)
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
            callbacks=[*callbacks, recorder(folder, callbacks)],
        )
        return
    restore(folder, net, callbacks)
    for callback in callbacks:
        callback.set_model(net)
        callback.on_train_end()


def _progress(folder: RunFolder) -> tuple[int, bool]:
    """Return how many epochs the checkpoint holds and whether training had stopped of itself."""
    try:
        epochs, state, _ = folder.read_checkpoint()
    except FileNotFoundError:
        return 0, False
    return epochs, bool(state["stopped"])


def _fitted(
    net: Any, task: Task, callbacks: list[Any], folder: RunFolder, batches: Callable[[NDArray[np.int64]], Any]
) -> Fitted:
    epochs = folder.epochs_held()
    best = [callback.best_epoch for callback in callbacks if getattr(callback, "best_weights", None)]
    trainable = sum(int(np.prod(weight.shape)) for weight in net.trainable_weights)
    return Fitted(
        model=net,
        predict=lambda rows: task.read(net.predict(batches(rows), verbose=0)),
        epochs=epochs,
        best_epoch=best[0] if best else epochs - 1,
        parameters={"total": int(net.count_params()), "trainable": trainable},
        weights_sha256=weights_sha256(net.get_weights()),
    )
