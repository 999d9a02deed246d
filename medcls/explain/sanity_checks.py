"""Whether maps show what a network has learnt: they must change when its weights are made random."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Classes, Images, Maps
from medcls.utils.lazy import keras, scipy, skimage

Draw = Callable[[Any, Images, Classes], Maps]


@dataclass(frozen=True)
class Cascade:
    """How alike maps stay to those of the trained network while more and more of it is random.

    Attributes:
        down_to: the lowest layer that is random, a name a stage, from the head down.
        ranks: Spearman's correlation of the pixels' ranks, of shape (stages, n); 0 where a map is flat.
        likeness: structural similarity (Wang et al. 2004), of shape (stages, n).
    """

    down_to: tuple[str, ...]
    ranks: NDArray[np.float32]
    likeness: NDArray[np.float32]


def cascade(network: Any, draw: Draw, images: Images, classes: Classes, *, stages: int = 8, seed: int = 0) -> Cascade:
    """Make a network random from the head down and compare its maps (Adebayo et al. 2018, arXiv:1810.03292).

    The network has its own weights again when this returns.

    Args:
        network: a Keras network.
        draw: (network, images, classes) -> maps.
        images: of shape (n, height, width, channels).
        classes: whose maps are drawn.
        stages: how many times maps are compared, with as many more layers random each time.
        seed: of the random weights.
    """
    original, kept = draw(network, images, classes), network.get_weights()
    layers = [each for each in reversed(network.layers) if _has_learnt(each)]
    groups = [group for group in np.array_split(np.arange(len(layers)), min(stages, len(layers))) if len(group)]
    generator = np.random.default_rng(seed)
    ranks, likeness = [], []
    try:
        for group in groups:
            for number in group:
                _randomise(layers[number], generator)
            maps = draw(network, images, classes)
            ranks.append([rank_correlation(a, b) for a, b in zip(original, maps, strict=True)])
            likeness.append([_likeness(a, b) for a, b in zip(original, maps, strict=True)])
    finally:
        network.set_weights(kept)
    names = tuple(str(layers[group[-1]].name) for group in groups)
    return Cascade(names, np.array(ranks, np.float32), np.array(likeness, np.float32))


def rank_correlation(a: Maps, b: Maps) -> float:
    """Return Spearman's correlation of two maps, 0 where one of them is the same everywhere."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(a, b, axis=None).statistic)


def _likeness(a: Maps, b: Maps) -> float:
    side = min(7, *a.shape)
    return float(skimage.metrics.structural_similarity(a, b, data_range=1.0, win_size=side - 1 + side % 2))


def _has_learnt(layer: Any) -> bool:
    kernels = any(len(weight.shape) > 1 for weight in layer.weights)
    return kernels or isinstance(layer, keras.layers.BatchNormalization)


def _randomise(layer: Any, generator: np.random.Generator) -> None:
    """Draw a layer's kernels anew (He et al. 2015); biases become 0, the gains of a normalisation 1."""
    drawn: list[Any] = []
    normalises = isinstance(layer, keras.layers.BatchNormalization)
    for weight in layer.weights:
        values, name = np.asarray(weight), weight.name
        if values.ndim < 2:
            moving = normalises and name.startswith("moving")
            drawn.append(values if moving else np.full_like(values, float(name == "gamma")))
        else:
            inputs = _inputs(layer, values.shape)
            drawn.append(np.asarray(generator.normal(0, np.sqrt(2 / inputs), values.shape), values.dtype))
    layer.set_weights(drawn)


def _inputs(layer: Any, shape: Sequence[int]) -> int:
    """Return how many numbers a unit of a layer sums up."""
    channels = 1 if isinstance(layer, keras.layers.DepthwiseConv2D) else shape[-2]
    return int(np.prod(shape[:-2]) * channels)
