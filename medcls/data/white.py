"""What a study calls white in images of more than 8 bits, put into its data set."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import TRAIN, UNSPLIT, DatasetSpec, Images
from medcls.data.levels import AS_STORED, IMAGE, PERCENTILES, SET, Levels, White
from medcls.data.quality.repair import fingerprint_of
from medcls.data.readers import images
from medcls.data.readers.deep import FULL
from medcls.utils.files import read_json, write_json


def with_white(bundle: DatasetSpec, paths: Sequence[Path], white: White, hashes: Hashes) -> DatasetSpec:
    """Return a data set of image files whose deep images are shown with the white that a study asks for.

    Where it asks for none, nothing changes. Otherwise the hashes of the contents and the fingerprint are others.

    Args:
        bundle: the data set.
        paths: of length n: the image files, in its order.
        white: a stored value, "image" or "set" (`levels.white_known`), or None.
        hashes: the remembered hashes of files.

    Raises:
        BadInputError: a file changed while it was read.
    """
    bundle = replace(bundle, depth=lambda row: images.depth_of(paths[row]))
    levels = _levels(bundle, paths, white, hashes)
    if levels.as_stored:
        return bundle
    stored, unreadable = bundle.render, [not content for content in bundle.contents]

    def render(row: int, size: int, channels: int) -> Images:
        if unreadable[row]:  # it has the right words for that
            refused: Images = stored(row, size, channels)
            return refused
        return images.decode(paths[row], size, channels, levels)

    contents = tuple(levels.marked(content) for content in bundle.contents)
    marked = replace(bundle, contents=contents, levels=levels, render=render)
    return replace(marked, fingerprint=fingerprint_of(marked))


def _levels(bundle: DatasetSpec, paths: Sequence[Path], white: White, hashes: Hashes) -> Levels:
    if white is None:
        return AS_STORED
    if white == IMAGE:
        return Levels(own=True)
    if white == SET:
        return _of_set(bundle, paths, hashes)
    return Levels(0.0, float(white))


def _of_set(bundle: DatasetSpec, paths: Sequence[Path], hashes: Hashes) -> Levels:
    """Return the percentiles of all pixels of the deep grey images to train on, remembered by their contents."""
    rows = [row for row in np.flatnonzero(np.isin(bundle.parts, (TRAIN, UNSPLIT))).tolist() if bundle.contents[row]]
    identity = json.dumps([images.DECODER, PERCENTILES, sorted(bundle.contents[row] for row in rows)])
    memory = hashes.folder / f"levels-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
    levels = read_json(memory)
    if levels is None:
        total = np.zeros(FULL + 1, np.int64)
        with ThreadPoolExecutor() as pool:
            for histogram in pool.map(lambda row: _histogram(bundle, paths, row), rows):
                total += histogram
        levels = dict(zip(("black", "white"), _percentiles(total), strict=True))
        hashes.folder.mkdir(parents=True, exist_ok=True)
        write_json(memory, levels)
    return Levels(levels["black"], levels["white"], found=True)


def _histogram(bundle: DatasetSpec, paths: Sequence[Path], row: int) -> NDArray[np.int64]:
    try:
        with bundle.unchanged(row):
            return images.histogram(paths[row])
    except images.UnreadableImageError:  # reported with all others when the data set is checked
        return np.zeros(FULL + 1, np.int64)


def _percentiles(histogram: NDArray[np.int64]) -> tuple[float, float]:
    """Return the values below which the lower and the upper share of the pixels lie; of no pixels the full range."""
    reached = np.cumsum(histogram)
    if not reached[-1]:
        return 0.0, float(FULL)
    low, high = (float(np.searchsorted(reached, reached[-1] * share / 100)) for share in PERCENTILES)
    return low, high
