"""`medcls data preview`: what an augmentation does to a data set's images, drawn before anything is trained."""

import argparse
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, examples
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
    from numpy.typing import NDArray

    from medcls.augmentation import Augmentation
    from medcls.data.content_hashes import Hashes
    from medcls.data.dataset import DatasetSpec
    from medcls.report.figures.image_rows import Picture
    from medcls.spec.variant import Variant
    from medcls.tasks.base import Task

COLUMNS = 5  # random versions of each image
BORDER = (134, 200, 221)  # colour of a mask's border
EVERYDAY = "rotation=10,width_shift=0.1,height_shift=0.1,horizontal_flip=true"


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls data preview` to the subparsers of `medcls data`."""
    parser = commands.add_parser(
        "preview",
        parents=[shared],
        help="draw what an augmentation does to the images",
        **examples("medcls data preview skin --augment rotation=30,zoom=0.2"),
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a folder, a labels.csv or a built-in data set, as --data takes it"
    )
    parser.add_argument(
        "--augment",
        default=EVERYDAY,
        metavar="[NAME,]PARAMETER=VALUE,...",
        help=f"parameters of the augmentation, after its name if it is not standard (default: {EVERYDAY})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the random changes (default: 0)")
    parser.add_argument("--count", type=int, default=4, metavar="N", help="number of images, one per row (default: 4)")
    parser.add_argument(
        "--size", type=int, default=128, metavar="N", help="pixels a side, like a study's data.size (default: 128)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("preview.png"), metavar="FILE", help="the PNG file (default: preview.png)"
    )
    parser.set_defaults(command=_preview)


def _preview(arguments: argparse.Namespace) -> None:
    from medcls.data.content_hashes import Hashes
    from medcls.data.segmentation_sets import any_kind
    from medcls.report.figures.image_rows import strips
    from medcls.tasks.classification import MULTICLASS
    from medcls.tasks.segmentation import SEGMENTATION

    for name, least in (("seed", 0), ("count", 1), ("size", 8)):
        number = getattr(arguments, name)
        if number < least:
            raise BadInputError(f"--{name} {number}: give a whole number of at least {least}.")
    check_writable("--out", arguments.out)
    augment = parse_augmentation(arguments.augment)
    hashes = Hashes(work_dir(arguments) / "cache" / "hashes.sqlite")
    bundle = any_kind(hashes, arguments.source, arguments.size, 3)
    check_task(functions("learner.augment", augment), MULTICLASS if bundle.masks is None else SEGMENTATION)
    rows = np.unique(np.linspace(0, len(bundle.labels) - 1, arguments.count).astype(int))
    with quiet():  # TensorFlow greets on standard error
        pictures = _pictures(bundle, rows.tolist(), augment(), arguments.seed)
    title = f"{arguments.source}: {arguments.augment}"
    write_output(arguments.out, lambda file: strips(pictures, file, title))
    say(f"{arguments.out} shows {len(rows)} images of {arguments.source}, each as it is and {COLUMNS} times at random.")


def parse_augmentation(text: str) -> "partial[Augmentation]":
    """Return the augmentation that a text such as "rotation=10,zoom=0.1" or "mixup,alpha=0.4" describes.

    Raises:
        BadInputError: no such augmentation or parameter, or a value that does not fit, with the message of --set.
    """
    from medcls import augmentation, training
    from medcls.spec.variant import Variant
    from medcls.tasks.classification import MULTICLASS

    learner = partial(training.gradient, augment=augmentation.standard)
    variant = Variant(data=partial(_no_data), learner=learner, task=MULTICLASS)
    if re.match(r"[\w.]+\(", text):  # written as --set takes it: standard(rotation=10)
        return _checked(variant.set_text("learner.augment", text))
    for number, item in enumerate(re.split(r",(?![^\[]*\])", text)):  # a range has its own comma, in brackets
        name, equals, value = item.partition("=")
        name, value = name.strip(), value.strip()
        if number == 0 and name and not equals:
            variant = variant.set_text("learner.augment", name)
        elif not name or not value:
            raise BadInputError(f"--augment {text}: write PARAMETER=VALUE, e.g. {EVERYDAY}.")
        else:
            variant = variant.set_text(f"learner.augment.{name}", value)
    return _checked(variant)


def _checked(variant: "Variant") -> "partial[Augmentation]":
    variant.check()
    augment: partial[Augmentation] = variant.get("learner.augment")
    return augment


def _no_data(hashes: "Hashes") -> None:
    """Stand in for the data function that every variant needs."""


def _pictures(bundle: "DatasetSpec", rows: list[int], augment: "Augmentation", seed: int) -> "list[list[Picture]]":
    """Return a row of pictures per image: the image as it is, then COLUMNS random versions.

    Args:
        bundle: the data set.
        rows: row numbers of the images.
        augment: the augmentation.
        seed: seeds the random versions.
    """
    from medcls.data.readers.images import UnreadableImageError
    from medcls.report.figures.image_rows import Picture

    try:
        images = np.stack([bundle.decode(row) for row in rows])
    except UnreadableImageError as error:
        command = typed("medcls", "data", "check", bundle.source)
        raise BadInputError(f"An image of {bundle.source} cannot be read ({error}): see {command}.") from error
    task, targets = _targets(bundle, rows)
    pictures = []
    for row, image, target in zip(rows, images, targets, strict=True):
        class_name = "" if bundle.masks is not None else bundle.classes[int(bundle.labels[row])]
        pictures.append([Picture(_with_border(image, target), class_name, Path(bundle.names[row]).name)])
    for draw in range(COLUMNS):
        weights, key = np.ones(len(rows), np.float32), np.array([seed, draw], np.int64)
        changed, moved, _ = task.vary(augment)(images.astype(np.float32), targets, weights, key)
        for strip, image, target in zip(pictures, np.asarray(changed), np.asarray(moved), strict=True):
            strip.append(Picture(_with_border(image, target), f"draw {draw + 1}", _mixture(bundle, target)))
    return pictures


def _targets(bundle: "DatasetSpec", rows: list[int]) -> "tuple[Task, NDArray[np.float32]]":
    """Return the task that suits a data set, and the targets of some of its images: one-hot classes, or masks."""
    from medcls.tasks.classification import MULTICLASS, one_hot
    from medcls.tasks.segmentation import SEGMENTATION

    if bundle.masks is None:
        return MULTICLASS, one_hot(bundle.labels[rows], len(bundle.classes))
    return SEGMENTATION, np.stack([bundle.masks(row, bundle.size) for row in rows]).astype(np.float32)


def _with_border(image: "NDArray[np.float32]", target: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """Return an image with the border of its mask drawn in colour.

    Args:
        image: of shape (height, width, 3), 0..255.
        target: the mask, of shape (height, width, 1); or a one-hot class, which has no border.

    Returns:
        The image, of shape (height, width, 3), uint8.
    """
    pixels = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    if target.ndim == 1:
        return pixels
    inside = np.pad(target[..., 0] > 0.5, 1)
    surrounded = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    pixels[inside[1:-1, 1:-1] & ~surrounded] = BORDER
    return pixels


def _mixture(bundle: "DatasetSpec", target: "NDArray[np.float32]") -> str:
    """Return the classes that an image has been mixed from, with their shares; "" for one class, or for a mask."""
    if target.ndim > 1:
        return ""
    shares = []
    for share, name in zip(target, bundle.classes, strict=True):
        if share > 0.005:
            shares.append(f"{share:.2f} {name}")
    return " + ".join(shares) if len(shares) > 1 else ""
