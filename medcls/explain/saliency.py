"""What a study asks of a trained network: where it looks, on which images, and whether that can be believed."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.explain import faithfulness, region_shares, sanity_checks
from medcls.explain.cam import grad_cam
from medcls.explain.example_selection import picks
from medcls.explain.layer_probe import Maps, opened, probabilities
from medcls.explain.methods import METHODS
from medcls.spec.constraints import at_least, constrained

Arrays = dict[str, NDArray[Any]]
Region = Callable[[int], NDArray[np.bool_] | None]


@constrained(at_least(1, "images", "shown", "steps", "stages"), at_least(0, "checked"))
def heat_maps(
    network: Any,
    data: Dataset,
    rows: NDArray[np.int64],
    predictions: NDArray[np.floating],
    marked: Mapping[str, Region],
    *,
    method: Callable[..., Maps] = grad_cam,
    layer: str = "",
    images: int = 96,
    shown: int = 8,
    checked: int = 16,
    steps: int = 16,
    stages: int = 8,
) -> Arrays:
    """Return maps of the predicted classes of some images, and what tells whether they can be believed.

    Args:
        network: trained; it is left as it is.
        data: the data set.
        rows: of the images that the run is compared on, of shape (n,).
        predictions: what it says of them, of shape (n, classes).
        marked: region -> (row -> its mask, of shape (height, width), None where it is not known).
        method: draws the maps: a function of `medcls.explain`.
        layer: whose maps are looked at, "" for the last convolution's.
        images: of how many images at most, spread over the rows.
        shown: how many of them are shown, by every method.
        checked: with how many of them the maps are put to the test.
        steps: of the deletion and insertion curves.
        stages: of the cascade of random weights.
    """
    kept = _spread(len(rows), images)
    rows, predictions = rows[kept], np.asarray(predictions[kept], np.float32)
    pixels, predicted = np.asarray(data.images[rows]), predictions.argmax(axis=1)
    maps = method(network, pixels, predicted, layer=layer)
    chosen = picks(data.labels[rows], predictions, shown)
    places = np.array([each.place for each in chosen], np.int64)
    found: Arrays = {
        "rows": rows,
        "labels": data.labels[rows],
        "predictions": predictions,
        "maps": maps.astype(np.float16),
        "places": places,
        "reasons": np.array([each.why for each in chosen], np.str_),
        "method": np.array(_name(method)),
        "layer": np.array(opened(network, layer).layer),
        **_by_every_method(network, pixels[places], predicted[places], layer),
        **_marked(network, pixels, rows, maps, marked, places),
    }
    warm = np.flatnonzero(maps.any(axis=(1, 2)))
    tested = warm[_spread(len(warm), checked)]
    if len(tested):
        draw = partial(_draw, method, layer)
        found |= _believed(network, draw, pixels[tested], predicted[tested], maps[tested], layer, steps, stages)
    return found


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of the first `count` numbers, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _draw(method: Callable[..., Maps], layer: str, network: Any, images: Any, classes: Any) -> Maps:
    return method(network, images, classes, layer=layer)


def _by_every_method(network: Any, images: NDArray[np.uint8], classes: NDArray[np.int64], layer: str) -> Arrays:
    maps = [draw(network, images, classes, layer=layer) for draw in METHODS.values()]
    return {"methods": np.array(list(METHODS), np.str_), "beside": np.stack(maps).astype(np.float16)}


def _name(method: Callable[..., Maps]) -> str:
    function = getattr(method, "func", method)
    return next((name for name, each in METHODS.items() if each is function), function.__name__)


def _marked(
    network: Any,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    maps: Maps,
    marked: Mapping[str, Region],
    places: NDArray[np.int64],
) -> Arrays:
    """Return, region by region, its share of heat and area, and what is said of images in which it is filled in."""
    nowhere = np.zeros(pixels.shape[1:3], bool)
    found: Arrays = {"regions": np.array(list(marked), np.str_)}
    masks, share, area, filled = [], [], [], []
    for region in marked.values():
        each = [region(int(row)) for row in rows]
        mask = np.stack([nowhere if one is None else one for one in each])
        masks.append(mask[places])
        share.append(region_shares.shares(maps, mask))
        area.append(region_shares.areas(mask))
        filled.append(probabilities(network, region_shares.filled_in(pixels, mask)))
    if marked:
        found |= {"masks": np.stack(masks), "share": np.stack(share), "area": np.stack(area)}
        found["filled_in"] = np.stack(filled)
    return found


def _believed(
    network: Any,
    draw: sanity_checks.Draw,
    pixels: NDArray[np.uint8],
    classes: NDArray[np.int64],
    maps: Maps,
    layer: str,
    steps: int,
    stages: int,
) -> Arrays:
    """Return the cascade of random weights, and the curves of these maps beside those of maps that know nothing."""

    def predict(images: Any) -> NDArray[np.float32]:
        return probabilities(network, images)

    random = faithfulness.random_maps(len(maps), opened(network, layer).grid, maps.shape[1:])
    deletion, insertion = faithfulness.curves(predict, pixels, classes, maps, steps=steps)
    random_deletion, random_insertion = faithfulness.curves(predict, pixels, classes, random, steps=steps)
    down = sanity_checks.cascade(network, draw, pixels, classes, stages=stages)
    return {
        "deletion": deletion,
        "insertion": insertion,
        "random_deletion": random_deletion,
        "random_insertion": random_insertion,
        "down_to": np.array(down.down_to, np.str_),
        "ranks": down.ranks,
        "likeness": down.likeness,
    }
