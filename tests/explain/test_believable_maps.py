"""What tells whether maps can be believed: random weights, deletion and insertion, the heat within a region."""

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import by_hand, pictures

from medcls import explain
from medcls.explain import faithfulness, region_shares, sanity_checks
from medcls.explain.example_selection import picks

IMAGES = pictures(4, 12)


def test_maps_of_the_weights_change_with_them_and_maps_of_the_image_do_not() -> None:
    network = by_hand("flatten")
    before = network.get_weights()
    found = sanity_checks.cascade(network, explain.hires_cam, IMAGES, 1, stages=8)
    assert found.down_to == (network.layers[-1].name, "Last_ConvLayer")  # there are two layers with weights
    assert found.ranks.shape == found.likeness.shape == (2, 4)
    assert found.ranks.max() < 0.9
    assert found.likeness.max() < 0.9
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))

    def edges(network: Any, images: Any, classes: Any) -> Any:
        return images[..., 0].astype(np.float32) / 255

    blind = sanity_checks.cascade(network, edges, IMAGES, 1)
    assert np.allclose(blind.ranks, 1)
    assert np.allclose(blind.likeness, 1)


def test_the_network_has_its_weights_again_even_if_drawing_fails() -> None:
    network = by_hand()
    before, calls = network.get_weights(), []

    def failing(network: Any, images: Any, classes: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("no map")
        return explain.grad_cam(network, images, classes)

    with pytest.raises(ValueError, match="no map"):
        sanity_checks.cascade(network, failing, IMAGES, 1)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_a_normalisation_keeps_what_it_has_seen_of_the_data() -> None:
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 1), keras.layers.BatchNormalization()])
    gamma, beta, mean, variance = network.layers[-1].get_weights()
    network.layers[-1].set_weights([gamma * 3, beta + 2, mean + 5, variance * 7])
    seen: list[Any] = []

    def looking(network: Any, images: Any, classes: Any) -> Any:
        seen.append(network.layers[-1].get_weights())
        return np.zeros((1, 8, 8), np.float32)

    sanity_checks.cascade(network, looking, IMAGES[:1], 0)
    assert [float(each[0]) for each in seen[1]] == [1, 0, 5, 7]


def test_flat_maps_are_like_nothing() -> None:
    assert sanity_checks.rank_correlation(np.zeros((3, 3)), np.arange(9.0).reshape(3, 3)) == 0
    assert sanity_checks.rank_correlation(np.arange(9.0), -np.arange(9.0)) == pytest.approx(-1)


def test_deletion_and_insertion_of_a_network_that_needs_a_known_quarter() -> None:
    """It says how much is left of the bright quarter: the map that knows it is best, the opposite one worst."""
    images = np.zeros((1, 8, 8, 1), np.uint8)
    images[:, :4, :4] = 200
    quarter = np.zeros((1, 8, 8), np.float32)
    quarter[:, :4, :4] = 1

    def predict(shown: Any) -> Any:
        left = ((shown[:, :4, :4, 0] - 50) / 150).mean(axis=(1, 2)).clip(0, 1)  # 50 is the image's mean
        return np.stack([1 - left, left], axis=1)

    label = np.array([1])
    deletion, insertion = faithfulness.curves(predict, images, label, quarter, steps=4)
    assert np.allclose(deletion, [[1, 0, 0, 0, 0]], atol=1e-6)
    assert np.allclose(insertion[:, 1:], 1, atol=1e-6)
    assert faithfulness.area(deletion) == pytest.approx(0.125)
    worst, late = faithfulness.curves(predict, images, label, 1 - quarter, steps=4)
    assert np.allclose(worst, [[1, 1, 1, 1, 0]], atol=1e-6)
    assert late[0, 3] < insertion[0, 1]
    random = faithfulness.random_maps(1, (4, 4), (8, 8))
    between, _ = faithfulness.curves(predict, images, label, random, steps=4)
    assert faithfulness.area(deletion) < faithfulness.area(between) < faithfulness.area(worst)


def test_random_maps_know_nothing_but_are_as_coarse() -> None:
    maps = faithfulness.random_maps(50, (2, 2), (8, 8))
    assert maps.shape == (50, 8, 8)
    assert np.array_equal(maps, faithfulness.random_maps(50, (2, 2), (8, 8)))
    assert np.abs(maps.mean(axis=0) - maps.mean()).max() < 0.15
    assert np.abs(np.diff(maps, axis=1)).max() < 0.3


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_shares_of_a_region_and_of_the_rest_make_one_and_even_heat_has_its_area(seed: int, dense: float) -> None:
    generator = np.random.default_rng(seed)
    maps = generator.random((3, 6, 5), np.float32)
    masks = generator.random((3, 6, 5)) < dense
    masks[:, 0, 0], masks[:, 0, 1] = True, False
    assert np.allclose(region_shares.shares(maps, masks) + region_shares.shares(maps, ~masks), 1, atol=1e-5)
    assert np.allclose(region_shares.shares(np.ones_like(maps), masks), region_shares.areas(masks), atol=1e-6)
    assert np.allclose(region_shares.shares(maps * 7, masks), region_shares.shares(maps, masks), atol=1e-5)


def test_without_heat_or_mask_no_share_is_known() -> None:
    maps, masks = np.ones((2, 3, 3), np.float32), np.ones((2, 3, 3), bool)
    maps[0], masks[1] = 0, False
    assert np.isnan(region_shares.shares(maps, masks)).all()


def test_a_region_is_filled_in_from_around_it_and_nothing_else_changes() -> None:
    images = np.full((2, 16, 16, 1), 60, np.uint8)
    masks = np.zeros((2, 16, 16), bool)
    masks[0, 4:8, 5:11] = True
    images[0, 4:8, 5:11] = 255
    assert np.abs(region_shares.filled_in(images, masks).astype(int) - 60).max() <= 2
    assert images[0, 5, 6] == 255
    colour = pictures(1, 16, 3)
    filled = region_shares.filled_in(colour, masks[:1])
    assert np.array_equal(filled[~masks[:1]], colour[~masks[:1]])


def test_picks_are_right_and_wrong_certain_and_not_of_every_class() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    second = np.array([0.1, 0.4, 0.9, 0.6, 0.95, 0.7, 0.2])
    found = picks(labels, np.stack([1 - second, second], axis=1), 8)
    assert [(each.place, each.why) for each in found] == [
        (0, "right, most certain"),
        (2, "wrong, most certain"),
        (1, "right, least certain"),
        (3, "wrong, least certain"),
        (4, "right, most certain"),
        (6, "wrong, most certain"),
        (5, "right, least certain"),
    ]
    few = picks(labels, np.stack([1 - second, second], axis=1), 4)
    assert [each.place for each in few] == [0, 2, 4, 6]
