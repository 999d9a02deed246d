"""The table of metrics: the only place that knows which way a score gets better, and how it is said.

A score's name is taken apart before it is looked up: in "val_recall" the set comes first, in "recall/tongue" a class
follows the slash. What a class is called says nothing of the metric.
"""

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

ANY, SHARE, EPOCHS, POSITIVE = (-math.inf, math.inf), (0.0, 1.0), (1.0, math.inf), (0.0, math.inf)

SETS = ("val_", "test_", "train_")  # before a metric's name: of which images it is
EPOCHS_OF_A_CURVE = ("epochs_to_", "epoch_of_")  # how scores begin that count epochs
GROUPS = ("best/", "test/", "mean/")  # before that, in the store's run table

CLASSES, MASKS = "classes", "masks"


@dataclass(frozen=True)
class Metric:
    """What is known of one metric.

    Attributes:
        name: as in a history or among final scores, without set and class.
        higher_is_better: which way it gets better, None if neither way is better than the other.
        ends: what its values lie between.
        digits: how many digits after the point it is said with.
        tasks: of what it is a score: of CLASSES, of MASKS or of both.
        curve: whether every epoch has it, for training and validation set.
        final: whether it is among the scores that a run ends with.
        by_class: whether a class of that score follows after a slash.
        sometimes: whether some runs end with it and others do not, by their data, so that it decides nothing.
    """

    name: str
    higher_is_better: bool | None = True
    ends: tuple[float, float] = SHARE
    digits: int = 3
    tasks: tuple[str, ...] = (CLASSES,)
    curve: bool = False
    final: bool = True
    by_class: bool = False
    sometimes: bool = False


_ROWS = (
    Metric("loss", False, ANY, tasks=(CLASSES, MASKS), curve=True, final=False),
    Metric("accuracy", curve=True),
    Metric("balanced_accuracy", curve=True),
    Metric("macro_f1"),
    Metric("auc"),
    Metric("log_loss", False, POSITIVE),
    Metric("brier", False),
    Metric("ece", False),
    Metric("recall", tasks=(CLASSES, MASKS), by_class=True),
    Metric("precision", tasks=(MASKS,), by_class=True),
    Metric("f1", final=False, by_class=True),
    Metric("gap", False, ANY, tasks=(CLASSES, MASKS)),
    Metric("dice", tasks=(MASKS,), curve=True),
    Metric("iou", tasks=(MASKS,), curve=True),
    Metric("soft_dice", tasks=(MASKS,), curve=True, final=False),
    Metric("dice_worst", tasks=(MASKS,)),
    Metric("dice_own_size", tasks=(MASKS,), final=False, sometimes=True),  # only where masks are files
    Metric("iou_own_size", tasks=(MASKS,), final=False, sometimes=True),
    Metric("pixel_accuracy", tasks=(MASKS,)),
    Metric("hausdorff95", False, POSITIVE, tasks=(MASKS,)),
    Metric("surface_distance", False, POSITIVE, tasks=(MASKS,)),
    Metric("dice_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("iou_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("precision_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("recall_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("hausdorff95_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("surface_distance_sd", False, POSITIVE, tasks=(MASKS,)),
    Metric("false_alarm_rate", False, tasks=(MASKS,)),
    Metric("empty_masks", None, POSITIVE, 0, (MASKS,)),
    Metric("empty_in_both", None, POSITIVE, 0, (MASKS,)),
    Metric("parameters", False, POSITIVE, 0, (CLASSES, MASKS), final=False),
    Metric("seconds_per_epoch", False, POSITIVE, 3, (CLASSES, MASKS), final=False),
    Metric("learning_rate", None, POSITIVE, tasks=(CLASSES, MASKS), final=False),
    Metric("neighbours", None, EPOCHS, 0, final=False),
)
METRICS = MappingProxyType({row.name: row for row in _ROWS})
"""Name -> what is known of that metric."""

SCREEN = ("accuracy", "val_accuracy", "val_balanced_accuracy", "dice", "val_dice", "val_iou", "val_loss", "gap")
"""The columns of the screen's table of variants, those that there are."""

PAGE = (
    *("accuracy", "val_accuracy", "val_balanced_accuracy"),
    *("dice", "val_dice", "dice_own_size", "hausdorff95", "surface_distance", "dice_worst"),
    *("false_alarm_rate", "empty_masks"),
    *("val_loss", "gap"),
)
"""The columns of the report's table of variants, those that there are."""

WATCHED = ("val_loss", "val_dice", "val_balanced_accuracy", "val_accuracy")
"""What is shown of a run at work, the first two that there are."""

ENDED = ("dice", "iou", "balanced_accuracy", "accuracy", "macro_f1")
"""What is said of a run when it has ended."""


def metric(name: str) -> Metric | None:
    """Return what is known of the metric that a score's name begins with, None for one that is not in the table."""
    head, slash, _ = _ungrouped(name).partition("/")
    row = METRICS.get(_without_set(head))
    return None if row is None or (slash and not row.by_class) else row


def digits(name: str) -> int:
    """Return how many digits after the point a score is said with: epochs and parameters are counted."""
    if name.startswith(EPOCHS_OF_A_CURVE):
        return 1
    row = metric(name)
    return 3 if row is None else row.digits


def words(name: str) -> str:
    """Return the name of a score as a sentence has it; that of a class stays as it is."""
    head, slash, rest = _ungrouped(name).partition("/")
    return re.sub(r"(^|_)val_", r"\1validation_", head).replace("_", " ") + slash + rest


def recorded(task: str, classes: Sequence[str]) -> list[str]:
    """Return the names of all scores that runs of a task have by which they can be compared.

    Args:
        task: CLASSES or MASKS.
        classes: their names.
    """
    names = []
    for row in METRICS.values():
        if task not in row.tasks or row.higher_is_better is None:
            continue
        if row.curve:
            names += [row.name, f"val_{row.name}"]
        elif row.final and row.by_class and task == CLASSES:
            names += [f"{row.name}/{name}" for name in classes]
        elif row.final or row.sometimes:
            names.append(row.name)
    return names


def to_maximise(task: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a run's final scores that are the better the higher: what may decide which model is best."""
    rows = [row for row in METRICS.values() if task in row.tasks and row.final and row.higher_is_better]
    names = [row.name for row in rows if not (row.by_class and task == CLASSES)]
    if task == CLASSES:
        names += [f"{row.name}/{name}" for row in rows if row.by_class for name in classes]
    return tuple(names)


def missing(name: str, known: Iterable[str]) -> str:
    """Return the sentence for a score that does not exist, with the nearest ones that do."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    return f"there is no score {name!r}{meant}."


def _ungrouped(name: str) -> str:
    group = next((group for group in GROUPS if name.startswith(group)), "")
    return name.removeprefix(group)


def _without_set(head: str) -> str:
    of = next((of for of in SETS if head.startswith(of)), "")
    return head.removeprefix(of)
