"""Which images may be copies of one another: the few that are worth a closer look, found among all pairs.

Two ways lead there, each blind where the other sees. A perceptual hash changes little when an image is rescaled,
recompressed, made brighter or cropped at its edges; its eight mirrored and quarter-turned forms follow from its bits.
The spectrum of the circles around the centre does not change when an image is turned by any angle or mirrored.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medcls.data.quality.registration import CENTRE, COARSE, SIDE, Floats, Rows, band
from medcls.utils.lazy import scipy

NEAREST_HASHES, FURTHEST_HASH = 4, 12  # so many neighbours of an image, and so many of 64 bits different at most
WINDOW = 60  # pixels of the side of the windows of a thumbnail that are hashed too: a crop leaves such ones
NEAREST_SPECTRA, LEAST_CORRELATION = 10, 0.8
CIRCLES, ANGLES, HARMONICS = 20, 64, 12
AT_ONCE = 512  # rows of the table of all pairs that are in memory at a time,
IN_CACHE = 32  # or of that of hashes, which is filled quickest in the processor's cache

Bits = NDArray[np.bool_]


class Candidates(NamedTuple):
    """Pairs of rows, and for each the transform from which to fit: of shapes (m,), (m,) and (m, 2, 3)."""

    first: Rows
    second: Rows
    starts: Floats


def candidates(thumbnails: NDArray[np.uint8]) -> Candidates:
    """Return the pairs of thumbnails, of shape (n, SIDE, SIDE), that may be copies; a pair may come twice."""
    return _joined([alike_by_hash(thumbnails), alike_by_circles(thumbnails)])


def alike_by_hash(thumbnails: NDArray[np.uint8]) -> Candidates:
    """Return the pairs of which one has nearly the hash of the other, mirrored, quarter-turned or cropped."""
    transforms, forms = zip(*_cropped_forms(thumbnails), strict=True)
    plain = forms[0]  # of the whole, neither mirrored nor turned

    def nearest(start: int) -> tuple[Rows, Rows]:
        rows = np.arange(start, min(start + IN_CACHE, len(plain)))
        apart = np.full((len(rows), len(plain)), 65, np.uint8)
        for form in forms:
            np.minimum(apart, np.bitwise_count(plain[rows, None] ^ form), out=apart)
        apart[rows - start, rows] = 65
        row, other = _smallest(apart, NEAREST_HASHES)
        near = apart[row, other] <= FURTHEST_HASH
        return rows[row[near]], other[near]

    first, second = _side_by_side(nearest, len(plain), IN_CACHE)
    best = np.stack([np.bitwise_count(plain[first] ^ form[second]) for form in forms]).argmin(0)
    # Pairs that were found from both ends stay twice: a crop fits its original better than the other way round.
    return Candidates(first, second, np.stack(transforms)[best])


def alike_by_circles(thumbnails: NDArray[np.uint8]) -> Candidates:
    """Return the pairs whose coarse detail correlates along circles, once one is turned and perhaps mirrored."""
    spectra = np.concatenate([_spectra(thumbnails[at : at + AT_ONCE]) for at in range(0, len(thumbnails), AT_ONCE)])
    strengths = np.abs(spectra[:, :, 1 : HARMONICS + 1]).reshape(len(spectra), -1)
    strengths /= np.linalg.norm(strengths, axis=1, keepdims=True) + 1e-9

    def nearest(start: int) -> tuple[Rows, Rows]:
        rows = np.arange(start, min(start + AT_ONCE, len(strengths)))
        apart = -(strengths[rows] @ strengths.T)
        apart[rows - start, rows] = 1
        row, other = _smallest(apart, NEAREST_SPECTRA)
        return rows[row], other

    first, second = _side_by_side(nearest, len(strengths), AT_ONCE)
    first, second, _ = _once(first, second, np.zeros((len(first), 2, 3), np.float32))
    cuts = range(0, len(first), AT_ONCE)
    turned = [_turned(spectra, first[cut : cut + AT_ONCE], second[cut : cut + AT_ONCE]) for cut in cuts]
    return _joined(turned)


def _side_by_side(pairs_from: Callable[[int], tuple[Rows, Rows]], count: int, step: int) -> tuple[Rows, Rows]:
    """Return the pairs of all batches of rows, in their order; the batches are searched side by side.

    Args:
        pairs_from: the first row of a batch -> its pairs, as (first, second).
        count: how many rows there are.
        step: how many rows a batch has.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = list(pool.map(pairs_from, range(0, count, step)))
    first, second = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    return first, second


def _hashes(thumbnails: NDArray[np.uint8], top: int, left: int, side: int = SIDE) -> Bits:
    """Return the perceptual hashes of a window of thumbnails, of shape (n, 8, 8), equal to `imagehash.phash`.

    That function takes one image at a time, a third of a millisecond each; many at once cost a tenth.
    """
    windows = np.ascontiguousarray(thumbnails[:, top : top + side, left : left + side])
    cuts = (windows[at : at + AT_ONCE] for at in range(0, len(windows), AT_ONCE))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate([np.zeros((0, 8, 8), np.bool_), *pool.map(_hashed, cuts)])


def _hashed(windows: NDArray[np.uint8]) -> Bits:
    from PIL import Image

    size = (4 * 8, 4 * 8)  # four times as fine as what is kept of the waves
    small = np.stack([np.asarray(Image.fromarray(window).resize(size, Image.Resampling.LANCZOS)) for window in windows])
    waves = scipy.fft.dct(scipy.fft.dct(small, axis=1), axis=2)[:, :8, :8]
    signs: Bits = waves > np.median(waves, axis=(1, 2), keepdims=True)
    return signs


def _cropped_forms(thumbnails: NDArray[np.uint8]) -> Iterator[tuple[Floats, NDArray[np.uint64]]]:
    """Yield the eight forms of the whole images and of five windows: a transform (2, 3) and the hashes of each form."""
    edge = (SIDE - WINDOW) // 2
    windows = [(0, 0, SIDE), (edge, edge, WINDOW)]
    for top in (0, 2 * edge):
        windows += [(top, 0, WINDOW), (top, 2 * edge, WINDOW)]
    for top, left, side in windows:
        middle = np.array([top, left]) + (side - 1) / 2 - CENTRE
        for turn, form in _forms(_hashes(thumbnails, top, left, side)):
            yield np.concatenate([turn * side / SIDE, middle[:, None]], axis=1).astype(np.float32), _packed(form)


def _forms(bits: Bits) -> Iterator[tuple[Floats, Bits]]:
    """Yield the eight mirrored and quarter-turned forms of hashes: turns of shape (2, 2), and their bits.

    A perceptual hash holds the signs of a cosine transform: mirrored, the odd waves change theirs.
    """
    for across in (False, True):
        for down, right in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            form = bits.transpose(0, 2, 1).copy() if across else bits.copy()
            form[:, 1::2] ^= down < 0
            form[:, :, 1::2] ^= right < 0
            yield np.array([[0, right], [down, 0]] if across else [[down, 0], [0, right]], np.float32), form


def _packed(bits: Bits) -> NDArray[np.uint64]:
    return np.packbits(bits.reshape(len(bits), 64), axis=1).view(np.uint64)[:, 0]


def _spectra(thumbnails: NDArray[np.uint8]) -> NDArray[np.complex64]:
    """Return the spectra along circles, of shape (n, CIRCLES, ANGLES // 2 + 1): their products sum to correlations."""
    corner, weights, radii = _circles()
    flat = band(thumbnails, COARSE).reshape(len(thumbnails), -1)
    values = sum(
        flat[:, corner + shift] * weight for shift, weight in zip((0, 1, SIDE, SIDE + 1), weights, strict=True)
    )
    circles = np.asarray(values).reshape(len(flat), CIRCLES, ANGLES)
    circles -= np.average(circles.mean(2), axis=1, weights=radii)[:, None, None]
    circles *= np.sqrt(radii)[:, None]  # an outer circle stands for more of the image
    circles /= np.linalg.norm(circles, axis=(1, 2), keepdims=True) + 1e-9
    return np.asarray(np.fft.rfft(circles, axis=2), np.complex64)


@cache
def _circles() -> tuple[Rows, Floats, Floats]:
    """Return for each point of the circles its upper left pixel and the weights of four, and the circles' radii."""
    radii = np.linspace(3, 30, CIRCLES)
    angles = 2 * np.pi * np.arange(ANGLES) / ANGLES
    places = np.stack([CENTRE + np.outer(radii, along(angles)).ravel() for along in (np.sin, np.cos)])
    corner = places.astype(np.int64)
    down, right = places - corner
    weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
    return corner[0] * SIDE + corner[1], weights.astype(np.float32), radii.astype(np.float32)


def _turned(spectra: NDArray[np.complex64], first: Rows, second: Rows) -> Candidates:
    """Return the pairs that correlate at the best of all angles, plain or mirrored."""
    fixed, moved = spectra[first], spectra[second]
    plain = np.fft.irfft((fixed * moved.conj()).sum(1), ANGLES, axis=1)
    mirrored = np.fft.irfft((fixed * moved).sum(1), ANGLES, axis=1)
    both = np.concatenate([plain, mirrored], axis=1)
    best = both.argmax(1)
    angle, hand = 2 * np.pi * (best % ANGLES) / ANGLES, np.where(best < ANGLES, 1, -1)
    cosine, sine, still = np.cos(angle), np.sin(angle), np.zeros(len(angle))
    rows = [[hand * cosine, -hand * sine, still], [sine, cosine, still]]
    kept = both[np.arange(len(both)), best] >= LEAST_CORRELATION
    return Candidates(first[kept], second[kept], np.array(rows, np.float32).transpose(2, 0, 1)[kept])


def _smallest(table: NDArray[np.generic], count: int) -> tuple[Rows, Rows]:
    """Return the places of the smallest values in each row of a table, all rows' at once, as (rows, columns)."""
    count = min(count, table.shape[1] - 1)
    columns = np.argpartition(table, count - 1, axis=1)[:, :count]
    return np.repeat(np.arange(len(table)), count), columns.ravel()


def _joined(batches: Sequence[Candidates]) -> Candidates:
    first, second, starts = (np.concatenate(columns) for columns in zip(*batches, strict=True))
    return Candidates(first, second, starts)


def _once(first: Rows, second: Rows, starts: Floats) -> Candidates:
    """Return pairs once that were found from both ends."""
    pairs = np.sort(np.stack([first, second], axis=1), axis=1)
    kept = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
    return Candidates(first[kept], second[kept], starts[kept])
