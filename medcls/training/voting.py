"""The nearest neighbours as a Keras network of stock layers: what it knows are weights, so that any format holds it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.lazy import lazy

keras = lazy("keras")


def voting(
    body: Any,
    known: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: int,
    *,
    count: int,
    averaged: bool = False,
    normalise: bool,
) -> Any:
    """Return a network from images to how the `count` nearest neighbours of each vote (Cover and Hart 1967).

    For a query x, |x|^2 - 2 x.k + |k|^2 is its squared distance to a neighbour k, so x.k - |k|^2 / 2 ranks them; it is
    one dense layer.

    Args:
        body: from images to features.
        known: the features of the images that may vote, of shape (n, features).
        labels: their classes, of shape (n,).
        classes: how many classes there are.
        count: how many of them vote on an image.
        averaged: whether the body's maps are averaged, each to one feature.
        normalise: whether an image's features are brought to length 1 first.
    """
    features = body.output
    if averaged and len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(name="average")(features)
    features = keras.layers.Flatten(name="flatten_features")(features)
    if normalise:
        features = keras.layers.UnitNormalization(name="normalise")(features)
    closeness = keras.layers.Dense(len(known), name="closeness")
    votes = keras.layers.Embedding(len(known), classes, name="votes")
    nearest = keras.ops.top_k(closeness(features), count)[1]
    shares = keras.layers.GlobalAveragePooling1D(name="shares")(votes(nearest))
    closeness.set_weights([known.T, -0.5 * np.square(known).sum(axis=1)])
    votes.set_weights([np.eye(classes, dtype=np.float32)[labels]])
    network = keras.Model(body.input, shares)
    network.trainable = False
    return network
