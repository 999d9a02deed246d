"""The learner on borrowed features: a head trained on what a known network sees, and perhaps its last blocks after."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from medcls import augmentation, models
from medcls.data.dataset import Dataset, Split
from medcls.spec.constraints import above, at_least, constrained, for_task, of_classes
from medcls.tasks.base import Task
from medcls.tracking.run_dir import RunDir
from medcls.training import class_imbalance as imbalances
from medcls.training import early_stopping, fit, optimizers, schedules
from medcls.training.backbone import IMAGENET, borrow, freeze, origin
from medcls.training.feature_cache import seen_by
from medcls.training.result import Fitted


@for_task(of_classes)
@constrained(at_least(1, "batch_size", "epochs"), at_least(0, "tuned_blocks", "tuned_after"), above(0, "tuned_rate"))
def transfer(
    data: Dataset,
    split: Split,
    task: Task,
    folder: RunDir,
    seed: int,
    *,
    model: Callable[..., Any] = models.pretrained,
    pretrained: str = IMAGENET,
    augment: Callable[..., Any] = augmentation.none,
    optimizer: Callable[..., Any] = optimizers.adam,
    schedule: Callable[..., Any] = schedules.constant,
    imbalance: Callable[..., Any] = imbalances.none,
    stop: Callable[..., Any] = early_stopping.never,
    batch_size: int = 8,
    epochs: int = 50,
    tuned_blocks: int = 0,
    tuned_after: int = 50,
    tuned_rate: float = 1e-5,
) -> Fitted:
    """Train the head of a network on its frozen body's features, which are computed once for all runs.

    With `tuned_blocks`, the last blocks of the body learn too from epoch `tuned_after` on, by Adam at `tuned_rate`
    and from images that `augment` varies; until then images are seen as they are. Goes on from where the run
    folder's checkpoint stands, to the same bits.

    `pretrained` is "imagenet", "random" or the digest of a file's weights; the work folder has them.

    Raises:
        TrainingError: the loss is no longer a number.
        BadInputError: the model borrows no network, or its weights are not there.
    """
    parts = borrow(data, task, folder, seed, model, pretrained)
    train = partial(fit.train, parts.whole, data, split, task, folder, seed, imbalance, stop, batch_size)
    began = fit.stage_of(folder)
    if not began and (tuned_after or not tuned_blocks):
        images = seen_by(lambda: parts.body, data, folder, model, pretrained)
        last = min(epochs, tuned_after) if tuned_blocks else epochs
        fitted = train(parts.head, images, augmentation.none(), optimizer(), schedule, last)
        fitted = replace(fitted, body=origin(model, pretrained).file(data.images.shape[1:]))
    if tuned_blocks and epochs > tuned_after:
        began = began or folder.epochs_held()  # the head's training may have ended early
        freeze(parts.body, tuned_blocks)
        last = epochs - tuned_after + began
        slowly = optimizers.adam(learning_rate=tuned_rate)
        fitted = train(parts.whole, data.images, augment(), slowly, schedules.constant, last, began)
    return fitted
