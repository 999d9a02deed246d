"""`medcls data preview`: what an augmentation makes of a data set's images, seen before anything is trained."""

import argparse
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcls.cli.commands.common import examples
from medcls.cli.options import Parser, work_dir
from medcls.spec.constraints import check_task
from medcls.spec.parameters import functions
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import numpy as np
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.quiet import quiet
from medcls.utils.redaction import typed
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.augmentation import Augmentation
    from medcls.data.dataset import DatasetSpec
    from medcls.report.figures.image_rows import Picture
    from medcls.spec.variant import Variant

COLUMNS = 5  # random versions of every image
BORDER = (134, 200, 221)  # the colour of a mask's border
EVERYDAY = "rotation=10,width_shift=0.1,height_shift=0.1,horizontal_flip=true"


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls data`."""
    each = commands.add_parser(
        "preview",
        parents=[places],
        help="show what an augmentation makes of the images",
        **examples("medcls data preview skin --augment rotation=30,zoom=0.2"),
    )
    each.add_argument("source", metavar="SOURCE", help="what --data takes: a folder, a labels.csv, a built-in name")
    each.add_argument(
        "--augment",
        default=EVERYDAY,
        metavar="[NAME,]PARAMETER=VALUE,...",
        help=f"parameters of standard, or of another augmentation named first ({EVERYDAY})",
    )
    each.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, other draws (0)")
    each.add_argument("--count", type=int, default=4, metavar="N", help="images, a row each (4)")
    each.add_argument("--size", type=int, default=128, metavar="N", help="pixels a side, as a study's size (128)")
    each.add_argument("--out", type=Path, default=Path("preview.png"), metavar="FILE", help="the PNG (preview.png)")
    each.set_defaults(command=_preview)


def _preview(given: argparse.Namespace) -> None:
    from medcls.data.content_hashes import Hashes
    from medcls.data.segmentation_sets import any_kind
    from medcls.report.figures.image_rows import strips
    from medcls.tasks.classification import MULTICLASS
    from medcls.tasks.segmentation import SEGMENTATION

    for flag, number, least in (("seed", given.seed, 0), ("count", given.count, 1), ("size", given.size, 8)):
        if number < least:
            raise BadInputError(f"--{flag} {number}: give a whole number from {least} up.")
    check_writable("--out", given.out)
    augment = parsed(given.augment)
    hashes = Hashes(work_dir(given) / "cache" / "hashes.sqlite")
    bundle = any_kind(hashes, given.source, given.size, 3)
    check_task(functions("learner.augment", augment), MULTICLASS if bundle.masks is None else SEGMENTATION)
    rows = np.unique(np.linspace(0, len(bundle.labels) - 1, given.count).astype(int))
    with quiet():  # TensorFlow greets on standard error
        pictures = _pictures(bundle, rows.tolist(), augment(), given.seed)
    title = f"{given.source}: {given.augment}"
    write_output(given.out, lambda file: strips(pictures, file, title))
    say(f"{given.out} shows {len(rows)} images of {given.source}, each as it is and {COLUMNS} times at random")


def parsed(text: str) -> "partial[Augmentation]":
    """Return the augmentation that a text such as "rotation=10,zoom=0.1" or "mixup,alpha=0.4" says.

    Raises:
        BadInputError: no such augmentation or parameter, or a value that it cannot work with; as --set has it.
    """
    from medcls import augmentation, training
    from medcls.spec.variant import Variant
    from medcls.tasks.classification import MULTICLASS

    learner = partial(training.gradient, augment=augmentation.standard)
    variant = Variant(data=partial(_nothing), learner=learner, task=MULTICLASS)
    if re.match(r"[\w.]+\(", text):  # as --set has it
        return _checked(variant.set_text("learner.augment", text))
    for number, part in enumerate(re.split(r",(?![^\[]*\])", text)):  # a range has its own comma, within brackets
        path, equals, value = (each.strip() for each in part.partition("="))
        if number == 0 and path and not equals:
            variant = variant.set_text("learner.augment", path)
        elif not path or not value:
            raise BadInputError(f"--augment {text}: write PARAMETER=VALUE, e.g. {EVERYDAY}.")
        else:
            variant = variant.set_text(f"learner.augment.{path}", value)
    return _checked(variant)


def _checked(variant: "Variant") -> "partial[Augmentation]":
    variant.check()
    chosen: partial[Augmentation] = variant.get("learner.augment")
    return chosen


def _nothing(hashes: Any) -> None:
    """Stand for a data set: a variant has one."""


def _pictures(bundle: "DatasetSpec", rows: list[int], augment: "Augmentation", seed: int) -> "list[list[Picture]]":
    """Every image as it is, then as it is after so many draws; what was mixed into it said below."""
    from medcls.data.readers.images import UnreadableImageError
    from medcls.report.figures.image_rows import Picture

    try:
        images = np.stack([bundle.decode(row) for row in rows])
    except UnreadableImageError as error:
        check = typed("medcls", "data", "check", bundle.source)
        raise BadInputError(f"An image of {bundle.source} cannot be read ({error}): see {check}.") from error
    task, targets = _targets(bundle, rows)
    shown = [_shown(image, target) for image, target in zip(images, targets, strict=True)]
    pictures = [
        [Picture(image, _class(bundle, row), _name(bundle, row))] for image, row in zip(shown, rows, strict=True)
    ]
    for draw in range(COLUMNS):
        weights, key = np.ones(len(rows), np.float32), np.array([seed, draw], np.int64)
        changed, moved, _ = task.vary(augment)(images.astype(np.float32), targets, weights, key)
        for line, image, target in zip(pictures, np.asarray(changed), np.asarray(moved), strict=True):
            line.append(Picture(_shown(image, target), f"draw {draw + 1}", _mixture(bundle, target)))
    return pictures


def _targets(bundle: "DatasetSpec", rows: list[int]) -> tuple[Any, Any]:
    """The task that the data set is for, and the targets of some images: classes one-hot, or masks."""
    from medcls.tasks.classification import MULTICLASS, one_hot
    from medcls.tasks.segmentation import SEGMENTATION

    if bundle.masks is None:
        return MULTICLASS, one_hot(bundle.labels[rows], len(bundle.classes))
    return SEGMENTATION, np.stack([bundle.masks(row, bundle.size) for row in rows]).astype(np.float32)


def _shown(image: Any, target: Any) -> Any:
    """An image of shape (height, width, 3), uint8, the border of its mask, if it has one, in colour."""
    pixels = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    if target.ndim == 1:
        return pixels
    inside = np.pad(target[..., 0] > 0.5, 1)
    around = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    pixels[inside[1:-1, 1:-1] & ~around] = BORDER
    return pixels


def _class(bundle: "DatasetSpec", row: int) -> str:
    return "" if bundle.masks is not None else bundle.classes[int(bundle.labels[row])]


def _name(bundle: "DatasetSpec", row: int) -> str:
    return Path(bundle.names[row]).name


def _mixture(bundle: "DatasetSpec", label: Any) -> str:
    """What an image consists of, "" if it is of one class or has a mask."""
    if label.ndim > 1:
        return ""
    shares = [(float(share), name) for share, name in zip(label, bundle.classes, strict=True) if share > 0.005]
    return "" if len(shares) == 1 else " + ".join(f"{share:.2f} {name}" for share, name in shares)
