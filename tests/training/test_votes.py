"""How neighbours vote: equally far ones share, alike in one batch, image by image, and in every file of the network."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from medcls.training.knn_network import Voting, voting
from medcls.training.network import save

Numbers = NDArray[np.float64]


def asking(known: Any, labels: Any, classes: int, **more: Any) -> Voting:
    """Return a voting whose body leaves its features as they are."""
    features = keras.Input((known.shape[1],))
    body = keras.Model(features, keras.layers.Identity()(features))
    return voting(body, np.asarray(known, np.float32), np.asarray(labels), classes, **more)


def counted(distances: Numbers, labels: Any, classes: int, count: int) -> Numbers:
    """Return the votes by hand: those nearer than the last one vote, those as far as it share what is left."""
    votes = np.zeros((len(distances), classes))
    for row, far in enumerate(distances):
        last = np.sort(far)[count - 1]
        nearer, tied = far < last - 1e-9, np.abs(far - last) <= 1e-9
        for label in range(classes):
            share = (count - nearer.sum()) * (tied & (labels == label)).sum() / tied.sum()
            votes[row, label] = ((nearer & (labels == label)).sum() + share) / count
    return votes


def squared_distances(queries: Any, known: Any) -> Numbers:
    difference = np.asarray(queries, np.float64)[:, None] - np.asarray(known, np.float64)[None]
    return np.asarray((difference**2).sum(axis=2))


def points(kind: str) -> tuple[Any, Any, Any]:
    """Return what is known, its labels and what is asked: with many exactly equal distances."""
    rng = np.random.default_rng(3)
    if kind == "whole numbers":
        return rng.integers(0, 4, (60, 5)), rng.integers(0, 3, 60), rng.integers(0, 4, (50, 5))
    if kind == "one picture in two classes":
        half = np.abs(rng.normal(size=(30, 40)))
        return np.concatenate([half, half]), np.arange(60) // 30, np.concatenate([half, half[:20] + 0.01])
    if kind == "blank patches":
        known = np.abs(rng.normal(size=(60, 40)))
        known[::2] = 1.0
        return known, np.arange(60) % 3, np.concatenate([np.ones((25, 40)), known[1:51:2]])
    if kind == "patches of no features":
        known = np.zeros((60, 8))
        return known, np.arange(60) % 3, np.zeros((50, 8))
    large = 1000.0 * np.abs(rng.normal(size=(20, 300)))
    return np.repeat(large, 3, axis=0), np.arange(60) % 3, np.concatenate([large, large, large[:10] * 1.5])


KINDS = ["whole numbers", "one picture in two classes", "blank patches", "patches of no features", "long features"]


@pytest.mark.parametrize("lengthless", [True, False], ids=["angles", "distances"])
@pytest.mark.parametrize("kind", KINDS)
def test_equally_far_neighbours_share_what_is_left(kind: str, lengthless: bool, tmp_path: Path) -> None:
    known, labels, queries = points(kind)
    as_asked = np.asarray(queries, np.float32)
    prepared = normalize(np.asarray(known, np.float64)) if lengthless else known
    distances = squared_distances(normalize(np.asarray(queries, np.float64)) if lengthless else queries, prepared)
    for count in (*range(1, 8), *range(8, 61, 13), 60):
        network = asking(prepared, labels, 3, count=count, normalise=lengthless).whole
        expected = counted(distances, labels, 3, count)
        np.testing.assert_allclose(network(as_asked), expected, atol=1e-5)
        for some in (slice(0, 1), slice(7, 8), slice(3, 12)):  # alone, and among others
            np.testing.assert_allclose(network(as_asked[some]), expected[some], atol=1e-5)
    np.testing.assert_allclose(network.predict_on_batch(as_asked), expected, atol=1e-5)
    save(network, tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(as_asked), expected, atol=1e-5)


def test_the_order_of_the_training_images_decides_nothing() -> None:
    known, labels, queries = points("one picture in two classes")
    order = np.random.default_rng(0).permutation(60)
    ask = np.asarray(queries, np.float32)
    one = asking(known, labels, 2, count=3, normalise=False).whole(ask)
    other = asking(known[order], labels[order], 2, count=3, normalise=False).whole(ask)
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.asarray(one)[0] == pytest.approx([0.5, 0.5], abs=0.2)  # both classes of the picture itself have their say


@pytest.mark.parametrize("scale", [1.0, 1e-11], ids=["as usual", "of random weights"])
@pytest.mark.parametrize("lengthless", [True, False], ids=["angles", "distances"])
@pytest.mark.parametrize("count", [1, 3, 11, 60])
def test_without_ties_the_votes_are_scikit_learns_to_the_bit(count: int, lengthless: bool, scale: float) -> None:
    rng = np.random.default_rng(count)
    known = np.asarray(scale * np.abs(rng.normal(size=(60, 32))), np.float32)
    queries = np.asarray(scale * np.abs(rng.normal(size=(200, 32))), np.float32)
    labels = rng.integers(0, 4, 60)
    prepared, asked = (normalize(known), normalize(queries)) if lengthless else (known, queries)
    told = KNeighborsClassifier(count).fit(prepared, labels).predict_proba(asked).astype(np.float32)
    network = asking(prepared, labels, 4, count=count, normalise=lengthless)
    np.testing.assert_array_equal(network.whole(queries), told)
    votes = network.head.predict(queries, batch_size=64, verbose=0)
    np.testing.assert_array_equal(votes / np.float32(count), told)
