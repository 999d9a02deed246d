"""Sanity checks of saliency maps: maps that show what a network has learnt change when its weights become random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Classes, Images, Maps
from medcls.utils.lazy import keras, scipy, skimage

Draw = Callable[["keras.Model", Images, Classes], Maps]
"""A network, images and classes -> saliency maps, of shape (n, height, width)."""


@dataclass(frozen=True)
class Cascade:
    """How similar saliency maps stay to those of the trained network while more and more layers become random.

    Attributes:
        down_to: the lowest random layer of each stage, from the head down, of length stages.
        ranks: Spearman's correlation of the pixels' ranks, of shape (stages, n); 0 where a map is flat.
        likeness: structural similarity (Wang et al. 2004), of shape (stages, n).
    """

    down_to: tuple[str, ...]
    ranks: NDArray[np.float32]
    likeness: NDArray[np.float32]


def cascade(
    network: keras.Model, draw: Draw, images: Images, classes: Classes, *, stages: int = 8, seed: int = 0
) -> Cascade:
    """Make a network random from the head down, and compare its saliency maps with those before.

    The network has its own weights again afterwards. Adebayo et al., Sanity Checks for Saliency Maps (2018),
    arXiv:1810.03292.

    Args:
        network: a Keras classifier.
        draw: draws the saliency maps.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is drawn: one number for all images, or one per image, of shape (n,).
        stages: how many times maps are compared; the layers are spread evenly over the stages.
        seed: of the random weights.
    """
    original, weights = draw(network, images, classes), network.get_weights()
    layers = [layer for layer in reversed(network.layers) if _has_learnt(layer)]
    generator = np.random.default_rng(seed)
    down_to, ranks, likeness = [], [], []
    try:
        for numbers in np.array_split(np.arange(len(layers)), min(stages, len(layers))):
            for number in numbers:
                _randomise(layers[number], generator)
            maps = draw(network, images, classes)
            down_to.append(str(layers[numbers[-1]].name))
            ranks.append([rank_correlation(a, b) for a, b in zip(original, maps, strict=True)])
            likeness.append([_structural_similarity(a, b) for a, b in zip(original, maps, strict=True)])
    finally:
        network.set_weights(weights)
    return Cascade(tuple(down_to), np.array(ranks, np.float32), np.array(likeness, np.float32))


def rank_correlation(a: Maps, b: Maps) -> float:
    """Return Spearman's correlation of two maps of one shape, 0 if one of them is flat."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(a, b, axis=None).statistic)


def _structural_similarity(a: Maps, b: Maps) -> float:
    side = min(7, *a.shape)
    odd_side = side if side % 2 else side - 1
    return float(skimage.metrics.structural_similarity(a, b, data_range=1.0, win_size=odd_side))


def _has_learnt(layer: keras.layers.Layer) -> bool:
    has_kernel = any(len(weight.shape) > 1 for weight in layer.weights)
    return has_kernel or isinstance(layer, keras.layers.BatchNormalization)


def _randomise(layer: keras.layers.Layer, generator: np.random.Generator) -> None:
    """Draw a layer's kernels anew (He et al. 2015); biases become 0, the gains of a normalisation 1."""
    weights: list[NDArray[np.floating]] = []
    is_normalisation = isinstance(layer, keras.layers.BatchNormalization)
    for weight in layer.weights:
        values = np.asarray(weight)
        if values.ndim >= 2:
            sd = np.sqrt(2 / _fan_in(layer, values.shape))
            weights.append(np.asarray(generator.normal(0, sd, values.shape)).astype(values.dtype))
        elif is_normalisation and weight.name.startswith("moving"):
            weights.append(values)
        else:
            weights.append(np.full_like(values, 1.0 if weight.name == "gamma" else 0.0))
    layer.set_weights(weights)


def _fan_in(layer: keras.layers.Layer, shape: Sequence[int]) -> int:
    """Return how many inputs a unit of a layer sums up, given the shape of its kernel."""
    channels = 1 if isinstance(layer, keras.layers.DepthwiseConv2D) else shape[-2]
    return int(np.prod(shape[:-2]) * channels)
