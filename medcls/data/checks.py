"""What a data source holds, found out without a study: its layout, parts, classes, kinds of image and bad files."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from medcls.data.hashes import Hashes
from medcls.data.images import UnreadableImageError
from medcls.data.records import listed
from medcls.data.sources import folder
from medcls.data.split import split
from medcls.data.types import Bundle
from medcls.errors import BadInputError


@dataclass(frozen=True)
class Description:
    """What a source holds.

    Attributes:
        bundle: the data set.
        channels: how the files' pixels are stored -> how many files are so; empty for a phantom.
        sizes: width and height of the smallest and of the largest image, once if they are all the same.
    """

    bundle: Bundle
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
        return Description(bundle, Counter())
    with ThreadPoolExecutor() as pool:
        reasons = list(pool.map(lambda row: _fault(bundle, row), range(len(bundle.names))))
        bad = [f"{name} ({reason})" for name, reason in zip(bundle.names, reasons, strict=True) if reason]
        if bad:
            count = f"{len(bad)} of {len(bundle.names)} images"
            raise BadInputError(f"{count} in {bundle.source} cannot be read: {listed(bad)}; mend or remove them.")
        kinds = list(pool.map(bundle.stored, range(len(bundle.names))))
    split(bundle.labels, bundle.parts, bundle.patients, fold=None, folds=None, seed=0, classes=bundle.classes)
    sizes = sorted((size for _, size in kinds), key=math.prod)
    extremes = tuple(dict.fromkeys((sizes[0], sizes[-1])))
    return Description(bundle, Counter(channels for channels, _ in kinds), extremes)


def _fault(bundle: Bundle, row: int) -> str:
    try:
        bundle.decode(row)
    except UnreadableImageError as error:
        return str(error)
    return ""
