"""Nearest neighbours as a Keras network of stock layers: the training images are weights, so any format can hold it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasModel, KerasTensor

SAME = 2e-6  # of a distance: what rounding may make of two equal ones, in whatever batch and format they are computed
SHORTEST = 10 * float(np.finfo(np.float32).eps)  # what is shorter stays so, as scikit-learn's `normalize` leaves it


@dataclass(frozen=True)
class Voting:
    """A network of nearest neighbours, whole and without its body; the two share their layers.

    Attributes:
        whole: from images to the shares of the votes.
        head: from the body's features to the numbers of votes, which are whole where nothing is tied.
    """

    whole: KerasModel
    head: KerasModel


def voting(
    body: KerasModel,
    training_features: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: int,
    *,
    count: int,
    averaged: bool = False,
    normalise: bool,
) -> Voting:
    """Return a network from an image to the votes of its `count` nearest neighbours (Cover and Hart 1967).

    For a query x, |x|^2 - 2 x.k + |k|^2 is its squared distance to a neighbour k, so x.k - |k|^2 / 2 ranks them; it is
    one dense layer. Neighbours at the distance of the last one that may vote (one picture in two classes, blank
    patches) share the votes that are left, so that neither their order nor rounding decides.

    Args:
        body: from images to features.
        training_features: the features of the images that may vote, of shape (n, features).
        labels: their classes, of shape (n,).
        classes: how many classes there are.
        count: how many images vote.
        averaged: whether the body's maps are averaged, each to one feature.
        normalise: whether an image's features are brought to length 1 first, as scikit-learn's `normalize` does it.
    """
    features = body.output
    if averaged and len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(name="average")(features)
    features = keras.layers.Flatten(name="flatten_features")(features)
    if normalise:
        lengths = _lengths(features)
        lengths = keras.ops.where(keras.ops.less(lengths, SHORTEST), keras.ops.ones_like(lengths), lengths)
        features = keras.ops.divide(features, lengths)
    closeness = keras.layers.Dense(len(training_features), name="closeness")
    votes = keras.layers.Dense(classes, use_bias=False, name="votes")
    length = float(np.median(np.linalg.norm(training_features, axis=1)))
    numbers = votes(_weights(closeness(features), features, count, length))
    shares = keras.ops.divide(numbers, float(count))
    closeness.set_weights([training_features.T, -0.5 * np.square(training_features).sum(axis=1)])
    votes.set_weights([np.eye(classes, dtype=np.float32)[labels]])
    network = keras.Model(body.input, shares)
    network.trainable = False
    return Voting(network, keras.Model(body.output, numbers))


def _weights(closeness: KerasTensor, features: KerasTensor, count: int, length: float) -> KerasTensor:
    """Return how much each neighbour's vote weighs on each image, of shape (batch, neighbours), `count` in sum.

    Args:
        closeness: of each image and neighbour, of shape (batch, neighbours).
        features: of the images, of shape (batch, features).
        count: how many neighbours vote.
        length: of a neighbour's features.
    """
    last = keras.ops.min(keras.ops.top_k(closeness, count)[0], axis=-1, keepdims=True)
    scale = keras.ops.add(keras.ops.multiply(_lengths(features), length), keras.ops.absolute(last))
    margin = keras.ops.multiply(scale, SAME)
    nearer = keras.ops.cast(keras.ops.greater(closeness, keras.ops.add(last, margin)), "float32")
    as_far = keras.ops.cast(keras.ops.greater_equal(closeness, keras.ops.subtract(last, margin)), "float32")
    tied = keras.ops.subtract(as_far, nearer)
    left = keras.ops.subtract(float(count), keras.ops.sum(nearer, axis=-1, keepdims=True))
    share = keras.ops.divide(left, keras.ops.sum(tied, axis=-1, keepdims=True))
    return keras.ops.add(nearer, keras.ops.multiply(tied, share))


def _lengths(features: KerasTensor) -> KerasTensor:
    """Return the lengths of rows of features, of shape (batch, 1)."""
    return keras.ops.sqrt(keras.ops.sum(keras.ops.square(features), axis=-1, keepdims=True))
