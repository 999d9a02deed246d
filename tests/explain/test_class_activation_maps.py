"""Class activation maps against independent computations, by their laws, and every method on every kind of network."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from networks import FEWER, KINDS, built, by_hand, pictures
from scipy.special import softmax

from medcls import BadInputError, explain
from medcls.explain.layer_probe import last_convolution, opened, probabilities
from medcls.explain.methods import METHODS

IMAGES = pictures(3, 12)


def parts(network: Any, images: Any = IMAGES) -> tuple[Any, Any, Any]:
    """Return the last convolution's maps, computed apart, and the head's kernel and bias."""
    before = keras.Model(network.inputs, network.get_layer("Last_ConvLayer").output)
    return before.predict(images, verbose=0), *network.layers[-1].get_weights()


def scaled(maps: Any) -> Any:
    """Return what is positive in maps, each divided by its largest value."""
    positive = np.maximum(maps, 0)
    return positive / np.maximum(positive.max(axis=(1, 2), keepdims=True), 1e-12)


@pytest.mark.parametrize("method", [explain.hires_cam, explain.grad_cam])
@pytest.mark.parametrize("label", [0, 1])
def test_after_an_average_both_are_the_class_activation_map_of_zhou(method: Any, label: int) -> None:
    """Zhou et al. 2016: the maps weighted by the head's own weights."""
    network = by_hand()
    maps, kernel, _ = parts(network)
    assert np.allclose(method(network, IMAGES, label), scaled(maps @ kernel[:, label]), atol=1e-5)


def test_hires_cam_sums_to_the_score_where_grad_cam_does_not() -> None:
    network = by_hand("flatten")
    maps, kernel, bias = parts(network)
    contributions = (maps * kernel[:, 1].reshape(12, 12, 5)).sum(axis=-1)
    scores = opened(network).scores(IMAGES, np.ones(3, int))
    assert np.allclose(contributions.sum(axis=(1, 2)) + bias[1], scores, atol=1e-4)
    assert np.allclose(explain.hires_cam(network, IMAGES, 1), scaled(contributions), atol=1e-5)
    averaged = maps @ kernel[:, 1].reshape(144, 5).mean(axis=0)
    assert np.allclose(explain.grad_cam(network, IMAGES, 1), scaled(averaged), atol=1e-4)
    assert not np.allclose(scaled(averaged), scaled(contributions), atol=0.1)


def test_grad_cam_plus_plus_is_the_papers_formula() -> None:
    """Equations 10 and 19, place by place and map by map; the exponential's own factor falls out."""
    network = by_hand("flatten")
    maps, kernel, _ = parts(network)
    gradient = kernel[:, 0].reshape(12, 12, 5)
    expected = np.zeros((3, 12, 12))
    for image in range(3):
        for number in range(5):
            weight, whole = 0.0, float(maps[image, :, :, number].sum())
            for row in range(12):
                for column in range(12):
                    slope = float(gradient[row, column, number])
                    alpha = slope**2 / (2 * slope**2 + whole * slope**3)
                    weight += alpha * max(slope, 0)
            expected[image] += weight * maps[image, :, :, number]
    assert np.allclose(explain.grad_cam_plus_plus(network, IMAGES, 0), scaled(expected), atol=1e-4)


def test_score_cam_is_what_the_network_says_of_each_masked_image() -> None:
    network = by_hand("flatten")
    maps, kernel, bias = parts(network)
    logits = keras.Model(network.inputs, network.layers[-1].input)

    def score(images: Any) -> Any:
        return (logits.predict(images, verbose=0) @ kernel + bias)[:, 1]

    expected = np.zeros((3, 12, 12))
    for image in range(3):
        rises = []
        for number in range(5):
            one = maps[image, :, :, number]
            mask = (one - one.min()) / (one.max() - one.min())
            rises.append(score((IMAGES[image, :, :, 0] * mask)[None, :, :, None])[0])
        weights = np.exp(np.array(rises) - score(np.zeros((1, 12, 12, 1)))[0])
        expected[image] = maps[image] @ (weights / weights.sum())
    assert np.allclose(explain.score_cam(network, IMAGES, 1), scaled(expected), atol=1e-4)


def test_guided_backpropagation_passes_a_relu_only_where_both_ways_are_positive() -> None:
    keras.utils.set_random_seed(5)
    images = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(1, 1, use_bias=False, name="Last_ConvLayer")(images))
    x = keras.layers.ReLU()(keras.layers.Dense(6, name="inner")(x))
    network = keras.Model(images, keras.layers.Dense(1, activation="sigmoid")(x))
    pixels = pictures(2, 4)
    factor = float(network.get_layer("Last_ConvLayer").get_weights()[0].item())
    (first, bias), (second, _) = network.get_layer("inner").get_weights(), network.layers[-1].get_weights()
    inside = pixels.reshape(2, 16).astype(np.float32) * factor @ first + bias
    for label, sign in ((1, 1.0), (0, -1.0)):
        upstream = sign * second[:, 0]
        passed = np.where((inside > 0) & (upstream > 0), upstream, 0)
        expected = np.abs(passed @ first.T * factor).reshape(2, 4, 4)
        found = explain.guided_backpropagation(network, pixels, label)
        assert np.allclose(found, scaled(expected), atol=1e-5)


def test_guided_grad_cam_is_their_product() -> None:
    network = by_hand("flatten", pooled=2)
    product = explain.guided_backpropagation(network, IMAGES, 1) * explain.grad_cam(network, IMAGES, 1)
    assert np.allclose(explain.guided_grad_cam(network, IMAGES, 1), scaled(product), atol=1e-5)


@pytest.fixture(scope="module", params=list(KINDS))
def network(request: pytest.FixtureRequest) -> Any:
    """Return a network of each kind, and the layer to look at."""
    return built(request.param), FEWER.get(request.param, "")


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_on_every_kind_of_network(network: Any, method: str) -> None:
    network, layer = network
    draw, channels = partial(METHODS[method], layer=layer), network.input_shape[-1]
    images, before = pictures(2, 48, channels), network.get_weights()
    kept = images.copy()
    maps = draw(network, images, [1, 0])

    assert maps.shape == (2, 48, 48)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert all(each.max() == pytest.approx(1) or not each.any() for each in maps)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))
    assert np.array_equal(images, kept)

    head = network.layers[-1]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 2])
    same = draw(network, images[:1], 1)
    head.set_weights([kernel, bias])
    assert np.allclose(maps[:1], same, atol=2e-3)  # only differences of scores count, and no other image of the batch


@pytest.mark.parametrize("method", list(METHODS))
def test_a_sigmoids_first_class_is_minus_its_score(method: str) -> None:
    network, turned = by_hand("flatten", units=1, pooled=2), by_hand("flatten", units=1, pooled=2)
    turned.layers[-1].set_weights([-weight for weight in network.layers[-1].get_weights()])
    for label in (0, 1):
        a, b = (METHODS[method](each, IMAGES, which) for each, which in ((network, label), (turned, 1 - label)))
        assert np.allclose(a, b, atol=1e-5)
    assert not np.allclose(METHODS[method](network, IMAGES, 0), METHODS[method](network, IMAGES, 1), atol=0.05)


@pytest.mark.parametrize("activation", ["dense", "apart", "layer"])
def test_the_score_is_what_goes_into_the_softmax_however_it_is_built(activation: str) -> None:
    keras.utils.set_random_seed(0)
    images = keras.Input((12, 12, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, name="one")(images))
    dense = keras.layers.Dense(3, activation="softmax" if activation == "dense" else None)
    x = dense(x)
    if activation != "dense":
        x = keras.layers.Activation("softmax")(x) if activation == "apart" else keras.layers.Softmax()(x)
    network = keras.Model(images, x)
    scores = np.stack([opened(network).scores(IMAGES, np.full(3, label)) for label in range(3)], axis=1)
    said = softmax(scores, axis=1)  # scores of bright images are hundreds
    assert np.allclose(said, probabilities(network, IMAGES), atol=1e-5)


def test_any_layer_with_maps_can_be_looked_at_and_others_are_refused() -> None:
    network = built("VGG, softmax")
    images = pictures(1, 48, 3)
    assert opened(network).layer == "Last_ConvLayer"
    assert opened(network, "stage1_conv1").grid == (48, 48)
    early, late = (explain.grad_cam(network, images, 0, layer=layer) for layer in ("stage1_conv1", "stage4_conv2"))
    assert early.shape == late.shape == (1, 48, 48)
    assert not np.allclose(early, late, atol=0.1)
    with pytest.raises(BadInputError, match=r"no layer stage1_conv2.*stage1_conv1"):
        explain.grad_cam(network, images, 0, layer="stage1_conv2")
    with pytest.raises(BadInputError, match="dense1 puts out no maps"):
        explain.hires_cam(network, images, 0, layer="dense1")
    with pytest.raises(BadInputError, match=r"no class number 3.*0 to 2"):
        explain.grad_cam(network, images, 3)
    with pytest.raises(BadInputError, match="2 classes were given for 1 images"):
        explain.score_cam(network, images, [0, 1])


def test_the_last_convolution_of_a_borrowed_network_is_found() -> None:
    assert last_convolution(built("borrowed MobileNetV2")).name == "Conv_1"


def test_networks_without_maps_or_scores_are_refused_in_a_sentence() -> None:
    images = keras.Input((12, 12, 1))
    flat = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(images))
    with pytest.raises(BadInputError, match="no convolution"):
        explain.grad_cam(keras.Model(images, flat), IMAGES, 0)
    inner = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(2, 3)], name="body")
    nested = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inner(images)))
    with pytest.raises(BadInputError, match="within its layer body"):
        explain.grad_cam(keras.Model(images, nested), IMAGES, 0)
    odd = keras.layers.Dense(2, activation="tanh")(keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(images)))
    with pytest.raises(BadInputError, match="softmax"):
        explain.grad_cam(keras.Model(images, odd), IMAGES, 0)
