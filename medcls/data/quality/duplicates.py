"""Copies among images: those that show the same picture, though rescaled, recompressed, mirrored, turned or cropped.

Measured on radiographs, dermoscopy and histology from public collections (CONTRIBUTING has the table): copies fit with
a likeness of 0.97 and more, also at half the size, as JPEG of quality 30 or turned by any angle. Images of other people
reach 0.92, and of one person taken twice 0.95. Hence the threshold, around which hardly anything lies.
"""

import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from medcls.data.quality.duplicate_candidates import Candidates, candidates
from medcls.data.quality.registration import COARSE, Floats, band, fit

COPY = 0.95  # likeness from which two images count as copies
LEAST_SIDE = 48  # pixels: smaller images have too little detail to tell copies from look-alikes
LEAST_DETAIL = 1.0  # standard deviation of the coarse detail, in grey levels: an empty image resembles any other
AT_ONCE = 256  # pairs
Progress = Callable[[int, int], None]


def copies(thumbnails: NDArray[np.uint8], progress: Progress = lambda *_: None) -> list[tuple[int, int]]:
    """Return pairs of rows of thumbnails, of shape (n, SIDE, SIDE), that link all copies of a picture.

    Not every pair is named: of three copies two pairs may be, which link all three.

    Args:
        thumbnails: small grey images, squeezed into squares.
        progress: called with how many pairs were compared and how many there are; does nothing by default.
    """
    rows = np.flatnonzero(_detailed(thumbnails))
    if len(rows) < 2:
        return []
    shown = thumbnails[rows]
    pairs = candidates(shown)
    likeness = [np.zeros(0, np.float32)]
    with ThreadPoolExecutor(os.cpu_count()) as pool, closing(_likenesses(shown, pairs, pool)) as batches:
        for batch in batches:
            likeness.append(batch)
            progress(min((len(likeness) - 1) * AT_ONCE, len(pairs.first)), len(pairs.first))
    same = np.concatenate(likeness) >= COPY
    links = np.sort(np.stack([rows[pairs.first[same]], rows[pairs.second[same]]], axis=1), axis=1)
    return [(int(one), int(other)) for one, other in np.unique(links, axis=0)]


def _likenesses(thumbnails: NDArray[np.uint8], pairs: Candidates, pool: ThreadPoolExecutor) -> Generator[Floats]:
    """Yield the likeness of the pairs, some at a time; an interruption cancels what still waits for the pool."""
    cuts = [slice(at, at + AT_ONCE) for at in range(0, len(pairs.first), AT_ONCE)]
    first, second, starts = pairs
    yield from pool.map(lambda cut: fit(thumbnails, first[cut], second[cut], starts[cut]).likeness, cuts)


def _detailed(thumbnails: NDArray[np.uint8]) -> NDArray[np.bool_]:
    cuts = range(0, len(thumbnails), AT_ONCE)
    spread = [band(thumbnails[at : at + AT_ONCE], COARSE).std(axis=(1, 2)) for at in cuts]
    return np.concatenate([np.zeros(0, np.float32), *spread]) >= LEAST_DETAIL
