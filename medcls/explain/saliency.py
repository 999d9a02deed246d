"""What a study asks of a trained network: its saliency maps for some images, and tests of whether to trust them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.explain import faithfulness, region_shares, sanity_checks
from medcls.explain.cam import grad_cam
from medcls.explain.example_selection import picks
from medcls.explain.layer_probe import Classes, Images, Maps, opened, probabilities
from medcls.explain.methods import METHODS, Method
from medcls.spec.constraints import at_least, constrained
from medcls.utils.evenly_spaced import evenly_spaced
from medcls.utils.lazy import keras

Arrays = dict[str, NDArray[Any]]
Region = Callable[[int], NDArray[np.bool_] | None]
"""A row of the data set -> the mask of a marked region, of shape (height, width), None where it is not known."""


@constrained(at_least(1, "images", "shown", "steps", "stages"), at_least(0, "checked"))
def heat_maps(
    network: keras.Model,
    data: Dataset,
    rows: NDArray[np.int64],
    predictions: NDArray[np.floating],
    marked: Mapping[str, Region],
    *,
    method: Method = grad_cam,
    layer: str = "",
    images: int = 96,
    shown: int = 8,
    checked: int = 16,
    steps: int = 16,
    stages: int = 8,
) -> Arrays:
    """Return saliency maps of the predicted classes of some images, and tests of whether the maps can be trusted.

    Args:
        network: a trained Keras classifier; it is left as it is.
        data: the data set.
        rows: the rows of the validation images, of shape (n,).
        predictions: the network's predictions for these images, of shape (n, classes).
        marked: name of a region -> its mask in each image.
        method: draws the maps: a function of `medcls.explain`.
        layer: the name of the layer whose maps are used, "" for the last convolution.
        images: how many images have a map at most; they are spread evenly over the rows.
        shown: how many of these images are shown, with the maps of every method.
        checked: how many of these images the tests use.
        steps: of the deletion and insertion curves.
        stages: of the sanity check by random weights.

    Returns:
        The arrays by name. Of the images (m of them): "rows", "labels", "predictions" and "maps", of shape (m, height,
        width), float16, 0..1; "method" and "layer". Of the images that are shown: "places", their positions among the
        m, "reasons", "methods" and "beside", the maps of every method, of shape (methods, shown, height, width).
        "regions", and if there are any "masks", of shape (regions, shown, height, width), "share" of each map and
        "area" of each region, of shape (regions, m), and "filled_in", the predictions with each region filled in, of
        shape (regions, m, classes). If maps were tested: "deletion", "insertion", "random_deletion" and
        "random_insertion", of shape (checked, steps + 1), "down_to", of shape (stages,), "ranks" and "likeness", of
        shape (stages, checked).
    """
    chosen = evenly_spaced(len(rows), images)
    rows, predictions = rows[chosen], np.asarray(predictions[chosen], np.float32)
    pixels, predicted = np.asarray(data.images[rows]), predictions.argmax(axis=1)
    maps = method(network, pixels, predicted, layer=layer)
    chosen_to_show = picks(data.labels[rows], predictions, shown)
    places = np.array([pick.place for pick in chosen_to_show], np.int64)
    arrays: Arrays = {
        "rows": rows,
        "labels": data.labels[rows],
        "predictions": predictions,
        "maps": maps.astype(np.float16),
        "places": places,
        "reasons": np.array([pick.why for pick in chosen_to_show], np.str_),
        "method": np.array(_name(method)),
        "layer": np.array(opened(network, layer).layer),
    }
    arrays |= _by_every_method(network, pixels[places], predicted[places], layer)
    arrays |= _of_regions(network, pixels, rows, maps, marked, places)
    not_empty = np.flatnonzero(maps.any(axis=(1, 2)))
    tested = not_empty[evenly_spaced(len(not_empty), checked)]
    if len(tested):
        grid = opened(network, layer).grid
        arrays |= _curves(network, pixels[tested], predicted[tested], maps[tested], grid, steps)
        draw = partial(_draw, method, layer)
        cascade = sanity_checks.cascade(network, draw, pixels[tested], predicted[tested], stages=stages)
        arrays |= {
            "down_to": np.array(cascade.down_to, np.str_),
            "ranks": cascade.ranks,
            "likeness": cascade.likeness,
        }
    return arrays


def _draw(method: Method, layer: str, network: keras.Model, images: Images, classes: Classes) -> Maps:
    return method(network, images, classes, layer=layer)


def _by_every_method(network: keras.Model, images: Images, classes: NDArray[np.int64], layer: str) -> Arrays:
    maps = [method(network, images, classes, layer=layer) for method in METHODS.values()]
    return {"methods": np.array(list(METHODS), np.str_), "beside": np.stack(maps).astype(np.float16)}


def _name(method: Method) -> str:
    """Return the name that a method's paper gives it, or the name of a function of the user's own."""
    function: Callable[..., Maps] = getattr(method, "func", method)
    for name, listed_method in METHODS.items():
        if listed_method is function:
            return name
    return function.__name__


def _of_regions(
    network: keras.Model,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    maps: Maps,
    marked: Mapping[str, Region],
    places: NDArray[np.int64],
) -> Arrays:
    """Return each region's masks, its share of the maps and of the images, and predictions with it filled in.

    Args:
        network: a trained Keras classifier.
        pixels: the images, of shape (n, height, width, channels).
        rows: the rows of the images in the data set, of shape (n,).
        maps: their saliency maps, of shape (n, height, width).
        marked: name of a region -> its mask in each image.
        places: the positions of the images that are shown.
    """
    arrays: Arrays = {"regions": np.array(list(marked), np.str_)}
    if not marked:
        return arrays
    shown_masks, shares, areas, filled_in = [], [], [], []
    for region in marked.values():
        masks = np.zeros(pixels.shape[:3], bool)
        for number, row in enumerate(rows):
            mask = region(int(row))
            if mask is not None:
                masks[number] = mask
        shown_masks.append(masks[places])
        shares.append(region_shares.shares(maps, masks))
        areas.append(region_shares.areas(masks))
        filled_in.append(probabilities(network, region_shares.filled_in(pixels, masks)))
    arrays["masks"], arrays["share"] = np.stack(shown_masks), np.stack(shares)
    arrays["area"], arrays["filled_in"] = np.stack(areas), np.stack(filled_in)
    return arrays


def _curves(
    network: keras.Model,
    pixels: NDArray[np.uint8],
    classes: NDArray[np.int64],
    maps: Maps,
    grid: tuple[int, int],
    steps: int,
) -> Arrays:
    """Return the deletion and insertion curves of saliency maps and of random maps, of shape (n, steps + 1).

    Args:
        network: a trained Keras classifier.
        pixels: the images, of shape (n, height, width, channels).
        classes: the class of each image whose probability is followed, of shape (n,).
        maps: the saliency maps, of shape (n, height, width).
        grid: the rows and columns of the layer that the maps are drawn from.
        steps: of the curves.
    """
    predict = partial(probabilities, network)
    random = faithfulness.random_maps(len(maps), grid, pixels.shape[1:3])
    deletion, insertion = faithfulness.curves(predict, pixels, classes, maps, steps=steps)
    random_deletion, random_insertion = faithfulness.curves(predict, pixels, classes, random, steps=steps)
    return {
        "deletion": deletion,
        "insertion": insertion,
        "random_deletion": random_deletion,
        "random_insertion": random_insertion,
    }
