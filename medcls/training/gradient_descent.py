"""The learner by gradient descent: one Keras fit, which can be killed and continued without changing a bit."""

from collections.abc import Callable

from medcls import augmentation, losses, models
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Split
from medcls.spec.constraints import at_least, constrained
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import callbacks, early_stopping, optimizers, schedules
from medcls.training import class_imbalance as imbalances
from medcls.training.checkpoint import has_checkpoint
from medcls.training.class_imbalance import Imbalance
from medcls.training.fit import Stage, TrainingSetup, fit
from medcls.training.network import network
from medcls.training.result import Fitted
from medcls.training.saved_weights import begin_with
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback, KerasTensor, Optimizer, Tensor


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
    watch: Callable[..., list[Callback]] = callbacks.nothing,
    loss: Callable[..., Tensor] = losses.of_the_task,
    mirrored: bool = False,
    share: float = 1.0,
    batch_size: int = 8,
    epochs: int = 50,
    weights: str = "",
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

    Raises:
        TrainingError: the loss or a metric is no longer a finite number.
        BadInputError: the saved weights do not fit, or the rule for stopping watches what is not in the history.
    """
    keras.utils.set_random_seed(seed)
    net = network(model, task, data.images.shape[1:], len(data.classes))
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
