"""The learner on pretrained features: it trains a head on them, and perhaps the network's last blocks afterwards."""

from collections.abc import Callable
from dataclasses import replace

from medcls import augmentation, models
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Examples, Split
from medcls.spec.constraints import above, at_least, constrained, for_task, of_classes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import class_imbalance as imbalances
from medcls.training import early_stopping, optimizers, schedules
from medcls.training.backbone import IMAGENET, Halves, freeze, origin, pretrained_network
from medcls.training.checkpoint import stage_start
from medcls.training.class_imbalance import Imbalance
from medcls.training.feature_cache import shared_features
from medcls.training.gradient_descent import fit
from medcls.training.result import Fitted
from medcls.training.stage import Stage, TrainingSetup
from medcls.utils.tensors import Callback, KerasTensor, Optimizer


@for_task(of_classes)
@constrained(at_least(1, "batch_size", "epochs"), at_least(0, "tuned_blocks", "tuned_after"), above(0, "tuned_rate"))
def transfer(
    data: Dataset,
    split: Split,
    task: Task,
    folder: RunDir,
    seed: int,
    *,
    model: Callable[..., KerasTensor] = models.pretrained,
    pretrained: str = IMAGENET,
    augment: Callable[..., Augmentation] = augmentation.none,
    optimizer: Callable[..., Optimizer] = optimizers.adam,
    schedule: Callable[..., Callback] = schedules.constant,
    imbalance: Callable[..., Imbalance] = imbalances.none,
    stop: Callable[..., list[Callback]] = early_stopping.never,
    batch_size: int = 8,
    epochs: int = 50,
    tuned_blocks: int = 0,
    tuned_after: int = 50,
    tuned_rate: float = 1e-5,
    fast_batch_norm: bool = True,
) -> Fitted:
    """Train the head of a pretrained network, and perhaps the last blocks of its body afterwards.

    The body's features are computed once for all runs of a work directory. With `tuned_blocks`, the last blocks of the
    body learn too after `tuned_after` epochs, by Adam at a constant rate. Training continues from the run directory's
    checkpoint, to the bits of a training that was not interrupted.

    Args:
        data: the data set.
        split: the rows of its training, validation and test sets.
        task: what a target means.
        folder: the run directory.
        seed: of the head's first weights, the order of the images, augmentation and dropout.
        model: `models.pretrained` with its parameters.
        pretrained: "imagenet", "random", or the digest of a file of weights that the work directory has.
        augment: returns an augmentation of the images; it is applied only while blocks of the body learn.
        optimizer: returns the Keras optimizer of the head.
        schedule: (learning rate, task) -> a Keras callback that sets the head's learning rate.
        imbalance: numbers of training images of each class -> how classes are weighted or drawn.
        stop: task -> Keras callbacks that stop a stage or choose the epoch whose weights are kept.
        batch_size: images a step.
        epochs: how many epochs are trained, both stages together.
        tuned_blocks: how many of the body's last blocks learn; 0 for none.
        tuned_after: the number of epochs after which they learn.
        tuned_rate: the learning rate while they learn.
        fast_batch_norm: whether batch normalization is computed as in `training/batch_norm.py`, or by Keras.

    Raises:
        TrainingError: the loss or a metric is no longer a finite number.
        BadInputError: the model has no pretrained body, or its weights are not in the work directory.
    """
    functions = (augment, optimizer, schedule, imbalance, stop)
    parts = pretrained_network(data, task, folder, seed, model, pretrained, functions)
    setup = TrainingSetup(
        network=parts.whole,
        data=data,
        split=split,
        task=task,
        run_dir=folder,
        seed=seed,
        imbalance=imbalance,
        stop=stop,
        batch_size=batch_size,
        fast_batch_norm=fast_batch_norm,
    )

    def fit_head(last_epoch: int) -> Fitted:
        head = Stage(
            network=parts.head,
            inputs=shared_features(lambda: parts.body, data, folder, model, pretrained),
            augment=augmentation.none(),
            optimizer=optimizer(),
            schedule=schedule,
            last_epoch=last_epoch,
        )
        return fit(setup, head)

    if not tuned_blocks or epochs <= tuned_after:
        return replace(fit_head(epochs), body=origin(model, pretrained).file(data.images.shape[1:]))

    tuned_from = stage_start(folder)  # 0 while the head is trained
    if not tuned_from and tuned_after:
        fit_head(tuned_after)
    tuned_from = tuned_from or folder.epochs_held()  # the head's training may have stopped early
    freeze(parts.body, tuned_blocks)
    last_epoch = tuned_from + epochs - tuned_after
    return fit(setup, _tuning(parts, data.images, augment(), tuned_rate, range(tuned_from, last_epoch)))


def _tuning(parts: Halves, images: Examples, augment: Augmentation, learning_rate: float, epochs: range) -> Stage:
    """Return the stage in which all layers learn that are not frozen.

    Args:
        parts: the network.
        images: of the data set, of shape (n, height, width, channels).
        augment: an augmentation of them.
        learning_rate: a constant one, of Adam.
        epochs: from the epoch at which the stage begins to the one at which it ends.
    """
    return Stage(
        network=parts.whole,
        inputs=images,
        augment=augment,
        optimizer=optimizers.adam(learning_rate=learning_rate),
        schedule=schedules.constant,
        first_epoch=epochs.start,
        last_epoch=epochs.stop,
    )
