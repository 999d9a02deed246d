"""The toys are points of two classes in the shapes that their names say, and pass through the cache as they are."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.data.toy2d import TOYS

HASHES = data.Hashes(Path("/nowhere"))  # is not looked at, as there are no files


def points(toy: DatasetSpec) -> np.ndarray:
    return np.stack([toy.decode(row) for row in range(len(toy.labels))])


@settings(max_examples=20)
@given(st.sampled_from(TOYS), st.integers(20, 300), st.integers(0, 1000))
def test_a_toy_is_half_of_each_class_and_follows_from_its_seed(name: str, count: int, seed: int) -> None:
    toy, again = (data.toy2d(HASHES, name=name, points=count, seed=seed) for _ in range(2))
    assert np.bincount(toy.labels).tolist() == [count // 2, count // 2]
    assert points(toy).shape == (count // 2 * 2, 2)
    assert np.array_equal(points(toy), points(again))
    assert toy.fingerprint == again.fingerprint
    assert toy.fingerprint != data.toy2d(HASHES, name=name, points=count, seed=seed + 1).fingerprint


@pytest.mark.parametrize(("name", "straight"), [("2blob", True), ("blob_circle", False), ("4blob", False)])
def test_one_line_parts_two_blobs_and_nothing_else_but_neighbours_part_all(name: str, straight: bool) -> None:
    toy = data.toy2d(HASHES, name=name)
    line = LogisticRegression().fit(points(toy), toy.labels).score(points(toy), toy.labels)
    near = KNeighborsClassifier(5).fit(points(toy)[::2], toy.labels[::2]).score(points(toy)[1::2], toy.labels[1::2])
    assert (line > 0.98) == straight
    assert line > 0.98 or line < 0.7
    assert near > 0.97


def test_opposite_blobs_of_four_are_of_one_class() -> None:
    toy = data.toy2d(HASHES, name="4blob")
    same_side = np.sign(points(toy)).prod(axis=1) > 0
    assert (same_side == (toy.labels == 0)).mean() > 0.99


def test_points_lie_in_the_cache_as_they_are(tmp_path: Path) -> None:
    toy = data.toy2d(HASHES, name="blob_circle", points=100)
    decoded = open_decoded(prepare(toy, tmp_path))
    assert (decoded.images.dtype, decoded.images.shape, decoded.holds_images) == (np.float32, (100, 2), False)
    assert np.array_equal(decoded.images, points(toy))
    assert (toy.kind, toy.noun, toy.shape) == ("toolkit", "points", (2,))


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"name": "3blob"}, "2blob, blob_circle, 4blob"),
        ({"source": "skin"}, "its points are made"),
        ({"points": 4}, "at least 20"),
        ({"seed": -1}, "seed from 0"),
    ],
)
def test_what_makes_no_toy_is_refused(given_: dict[str, object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        data.toy2d(HASHES, **given_)  # type: ignore[arg-type]
