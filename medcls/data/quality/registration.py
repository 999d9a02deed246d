"""Small grey images laid over one another: how alike two are once one is turned, shifted and stretched to fit.

Chest X-rays of different people look alike as a whole, and their perceptual hashes too. What they do not share is
detail. So images are compared in two bands of detail, the coarser to find the fit and the finer to judge it, and only
within the largest circle, where a turned image has its pixels and its filled corners do not count.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

SIDE = 64  # pixels of a thumbnail's side
CENTRE = (SIDE - 1) / 2
RADIUS = 31.0  # of the circle that is compared
COARSE = (1.0, 4.0)  # standard deviations of the two blurs whose difference is a band, in pixels
FINE = (0.7, 2.0)
INNER = 29.0  # radius of the points that are compared: a shift of two pixels leaves them in the circle
COARSE_STEPS, FINE_STEPS = 5, 3  # how often the fit is improved in each band
HOPELESS = 0.6  # likeness in the fine band after the coarse fit below which no fit is looked for any more
LEAST_SHARED = 0.7  # of the circle must be shared by a pair
LARGEST_STEP = 3.0  # pixels that one improvement may move the circle's edge


class Fit(NamedTuple):
    """How pairs of images fit: the correlation of their fine detail, and the fitted transforms of shape (m, 2, 3)."""

    likeness: Floats
    transforms: Floats


def band(thumbnails: NDArray[np.uint8], blurs: tuple[float, float]) -> Floats:
    """Return a band of detail of thumbnails of shape (n, SIDE, SIDE), zero outside the circle."""
    inside = _disc()
    sharp, smooth = (_blurred(thumbnails * inside, width) for width in blurs)
    return np.asarray((sharp - smooth) * inside, np.float32)


def fit(thumbnails: NDArray[np.uint8], first: Rows, second: Rows, starts: Floats) -> Fit:
    """Fit the second image of each pair onto the first by an affine transform, in Gauss-Newton steps.

    It is the inverse compositional algorithm (Baker and Matthews, 2004) on values freed of brightness and contrast.

    Args:
        thumbnails: of shape (n, SIDE, SIDE).
        first: rows of the images that stay as they are, of shape (m,).
        second: rows of the images that are moved, of shape (m,).
        starts: of shape (m, 2, 3): a point (y, x, 1) from the first image's centre -> the point in the second.
    """
    rows, places = np.unique(np.concatenate([first, second]), return_inverse=True)  # an image is in many pairs
    one, other = np.split(places, 2)
    coarse = band(thumbnails[rows], COARSE)
    transforms = _improved(coarse[one], coarse[other], starts, COARSE_STEPS, spacing=3)
    fine = band(thumbnails[rows], FINE)
    fixed, moved = fine[one], fine[other]
    likeness = _likeness(fixed, moved, transforms, spacing=2)
    hopeful = likeness >= HOPELESS
    fixed, moved = fixed[hopeful], moved[hopeful]
    transforms[hopeful] = _improved(fixed, moved, transforms[hopeful], FINE_STEPS, spacing=2)
    likeness[hopeful] = _likeness(fixed, moved, transforms[hopeful], spacing=1)
    return Fit(likeness, transforms)


def _likeness(fixed: Floats, moved: Floats, transforms: Floats, spacing: int) -> Floats:
    """Return the correlation where both images have pixels, 0 where that is too little of the circle."""
    points = _points(spacing)
    positions = _moved(points, transforms)
    shared = np.linalg.norm(positions, axis=1) <= RADIUS
    one = _unit(np.where(shared, _at(fixed, np.broadcast_to(points, positions.shape)), 0), shared)
    other = _unit(np.where(shared, _at(moved, positions), 0), shared)
    return np.where(shared.mean(1) >= LEAST_SHARED, (one * other).sum(1), 0).astype(np.float32)


def _improved(fixed: Floats, moved: Floats, transforms: Floats, count: int, spacing: int) -> Floats:
    points = _points(spacing)
    everywhere = np.broadcast_to(points, (len(fixed), *points.shape))
    slopes = [_at(np.asarray(np.gradient(fixed, axis=axis)), everywhere) for axis in (1, 2)]
    y, x = points / RADIUS
    directions = []
    for slope in slopes:
        directions += [slope * y, slope * x, slope]
    descent = np.stack(directions, axis=1)
    squares = descent @ descent.transpose(0, 2, 1)
    strength = np.trace(squares, axis1=1, axis2=2)[:, None, None]
    solver = np.linalg.inv(squares + np.eye(6, dtype=np.float32) * (strength / 6000 + 1e-6)) @ descent
    target = _at(fixed, everywhere)
    height = np.linalg.norm(target - target.mean(1, keepdims=True), axis=1, keepdims=True)
    target = _unit(target)
    for _ in range(count):
        error = (_unit(_at(moved, _moved(points, transforms))) - target) * height
        step = np.clip((solver @ error[:, :, None])[:, :, 0], -LARGEST_STEP, LARGEST_STEP)
        transforms = _composed(transforms, step)
    return transforms


def _composed(transforms: Floats, step: Floats) -> Floats:
    """Return the transforms after the inverse of small ones: identity plus `step`, of shape (m, 6)."""
    small = step.reshape(-1, 2, 3) / np.array([RADIUS, RADIUS, 1], np.float32)
    linear = np.linalg.inv(small[:, :, :2] + np.eye(2, dtype=np.float32))
    turned = transforms[:, :, :2] @ linear
    shift = transforms[:, :, 2:] - turned @ small[:, :, 2:]
    return np.concatenate([turned, shift], axis=2)


def _moved(points: Floats, transforms: Floats) -> Floats:
    """Return points of shape (2, p) under transforms of shape (m, 2, 3), of shape (m, 2, p)."""
    return np.asarray(transforms[:, :, :2] @ points + transforms[:, :, 2:])


def _at(images: Floats, points: Floats) -> Floats:
    """Return the values of images, of shape (m, SIDE, SIDE), at points of their own, of shape (m, 2, p), bilinearly."""
    position = np.clip(points + np.float32(CENTRE), 0, np.float32(SIDE - 1.001))
    corner = position.astype(np.int32)
    down, right = (position - corner).transpose(1, 0, 2)
    index = corner[:, 0] * SIDE + corner[:, 1] + (np.arange(len(images), dtype=np.int32) * SIDE**2)[:, None]
    flat = images.reshape(-1)
    above = flat.take(index) * (1 - right) + flat.take(index + 1) * right
    below = flat.take(index + SIDE) * (1 - right) + flat.take(index + SIDE + 1) * right
    return np.asarray(above * (1 - down) + below * down)


def _unit(values: Floats, counted: NDArray[np.bool_] | None = None) -> Floats:
    """Return values of shape (m, p) with mean 0 and length 1 in each row; those that do not count are and stay 0."""
    if counted is None:
        centred = values - values.mean(1, keepdims=True)
    else:
        centred = (values - values.sum(1, keepdims=True) / np.maximum(counted.sum(1, keepdims=True), 1)) * counted
    return np.asarray(centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6))


def _blurred(images: Floats, width: float) -> Floats:
    """Blur within the circle: what lies outside neither counts nor darkens its edge."""
    kernel = _kernel(width)
    return np.asarray(kernel @ images @ kernel / np.maximum(kernel @ _disc() @ kernel, 1e-2))


@cache
def _kernel(width: float) -> Floats:
    """Return the matrix that blurs a column of SIDE pixels by a Gaussian of this standard deviation."""
    distance = np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE))) / width
    weights = np.where(distance < 4, np.exp(-(distance**2) / 2) / width, 0)  # denormal numbers slow a product tenfold
    return np.asarray(weights, np.float32)


@cache
def _disc() -> Floats:
    y, x = np.mgrid[:SIDE, :SIDE] - CENTRE
    return np.asarray(np.hypot(y, x) <= RADIUS, np.float32)


@cache
def _points(spacing: int) -> Floats:
    """Return the points of a grid in the circle, from its centre, of shape (2, p)."""
    along = np.arange((spacing - 1) / 2, SIDE, spacing) - CENTRE
    points = np.stack(np.meshgrid(along, along, indexing="ij")).reshape(2, -1)
    return np.asarray(points[:, np.hypot(*points) <= INNER], np.float32)
