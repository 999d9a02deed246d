"""What a data source holds, found out without a study: its layout, parts, classes, kinds of image and bad files."""

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np

from medcls.data.hashes import Hashes
from medcls.data.images import UnreadableImageError
from medcls.data.records import listed
from medcls.data.sources import folder
from medcls.data.split import split
from medcls.data.types import UNSPLIT, Bundle
from medcls.errors import BadInputError

MODES = MappingProxyType(
    {"1": "black and white", "L": "grey", "LA": "grey with alpha", "P": "palette", "RGB": "RGB", "RGBA": "RGBA"}
)
PHANTOM = "a phantom made by medcls: no files, no real images"


@dataclass(frozen=True)
class Description:
    """What a source holds.

    Attributes:
        bundle: the data set.
        layout: how its files are laid out.
        channels: how the files' pixels are stored -> how many files are so; empty for a phantom.
        sizes: width and height of the smallest and of the largest image, once if they are all the same.
    """

    bundle: Bundle
    layout: str
    channels: Counter[str]
    sizes: tuple[tuple[int, int], ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by part and class; parts without an image are left out."""
        bundle = self.bundle
        return {
            part: {
                name: int(np.sum((bundle.parts == part) & (bundle.labels == label)))
                for label, name in enumerate(bundle.classes)
            }
            for part in dict.fromkeys(bundle.parts.tolist())
        }


def examine(source: str, hashes: Hashes) -> Description:
    """Read a source as a study would, decode every image once, and return what it holds.

    Raises:
        BadInputError: a study could not use it; bad files are all counted and the first ones named.
    """
    bundle = folder(hashes, source=source)
    if bundle.kind != "files":
        return Description(bundle, PHANTOM, Counter())
    with ThreadPoolExecutor() as pool:
        reasons = list(pool.map(lambda row: _fault(bundle, row), range(len(bundle.names))))
        bad = [f"{name} ({reason})" for name, reason in zip(bundle.names, reasons, strict=True) if reason]
        if bad:
            count = f"{len(bad)} of {len(bundle.names)} images"
            raise BadInputError(f"{count} in {bundle.source} cannot be read: {listed(bad)}; mend or remove them.")
        kinds = list(pool.map(_kind, _paths(bundle)))
    split(bundle.labels, bundle.parts, bundle.patients, fold=None, folds=None, seed=0, classes=bundle.classes)
    sizes = sorted((size for _, size in kinds), key=math.prod)
    extremes = tuple(dict.fromkeys((sizes[0], sizes[-1])))
    return Description(bundle, _layout(bundle), Counter(channels for channels, _ in kinds), extremes)


def _fault(bundle: Bundle, row: int) -> str:
    try:
        bundle.decode(row)
    except UnreadableImageError as error:
        return str(error)
    return ""


def _paths(bundle: Bundle) -> Sequence[Path]:
    source = Path(bundle.source)
    home = source if source.is_dir() else source.parent
    return [home / name for name in bundle.names]


def _kind(path: Path) -> tuple[str, tuple[int, int]]:
    from PIL import Image

    with Image.open(path) as image:
        return MODES.get(image.mode, "grey, 16 bit" if image.mode.startswith("I") else image.mode), image.size


def _layout(bundle: Bundle) -> str:
    """Return the layout's name, by the table beside the images or by the first image's place."""
    source = Path(bundle.source)
    if not source.is_dir() or os.path.exists(source / "labels.csv"):  # noqa: PTH110 - as layouts.py asks
        return "labels.csv" + ("" if bundle.patients is None else " with patients")
    parts = [PurePosixPath(name).parts[0] for name in bundle.names]
    prefix = "" if set(bundle.parts.tolist()) == {UNSPLIT} else "/, ".join(dict.fromkeys(parts)) + "/, in each "
    depth = len(PurePosixPath(bundle.names[0]).parts) - bool(prefix)
    return prefix + ("CLASS/*" if depth > 1 else "LABEL_*")
