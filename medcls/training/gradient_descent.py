"""The learner by gradient descent: one Keras fit that can be cut off at any moment and continued to the same bits."""

from collections.abc import Callable
from functools import partial
from typing import Any

from medcls import augmentation, losses, models
from medcls.data.dataset import Dataset, Split
from medcls.spec.constraints import at_least, constrained
from medcls.spec.parameters import function_of
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import callbacks, early_stopping, optimizers, schedules
from medcls.training import class_imbalance as imbalances
from medcls.training import fit as fitting
from medcls.training.network import network
from medcls.training.result import Fitted
from medcls.training.saved_weights import begin_with
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras


def _check(*, share: float, **_: Any) -> None:
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
    model: Callable[..., Any] = models.resnet,
    augment: Callable[..., Any] = augmentation.none,
    optimizer: Callable[..., Any] = optimizers.adam,
    schedule: Callable[..., Any] = schedules.constant,
    imbalance: Callable[..., Any] = imbalances.none,
    stop: Callable[..., Any] = early_stopping.never,
    watch: Callable[..., Any] = callbacks.nothing,
    loss: Callable[..., Any] = losses.of_the_task,
    mirrored: bool = False,
    share: float = 1.0,
    batch_size: int = 8,
    epochs: int = 50,
    weights: str = "",
) -> Fitted:
    """Train from where the run folder's checkpoint stands (or from the start) and return the fitted model.

    Everything random depends on (seed, epoch, step) alone. A folder whose checkpoint is already at the end is
    only restored. `share` of the training images are met in an epoch, the others in the next; `mirrored` adds a
    mirrored copy of each to them. `loss` replaces the task's. `weights` is the digest of saved weights to start from,
    "" to start from random ones.

    Raises:
        TrainingError: the loss is no longer a number.
        BadInputError: the saved weights do not fit, or the rule for stopping watches what is not there.
    """
    keras.utils.set_random_seed(seed)
    net = network(model, task, data.images.shape[1:], len(data.classes))
    if weights and not fitting.can_go_on(folder):
        begin_with(net, folder.saved_weights(weights))
    train = partial(fitting.train, net, data, split, task, folder, seed, imbalance, stop, batch_size)
    watchers = watch(data, split, task, folder)
    own = None if function_of(loss) is losses.of_the_task else loss
    fit = partial(train, net, data.images, augment(), optimizer(), schedule, epochs)
    return fit(watchers=watchers, share=share, loss=own, mirrored=mirrored)
