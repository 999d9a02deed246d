"""A trained network opened at a layer: its maps, the scores before the last activation, and the gradients between."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.lazy import tensorflow as tf

LAST = "Last_ConvLayer"  # what networks of medcls.models call their last convolution
PIXELS, FEWEST, MOST = 2**20, 8, 64  # at once: of images in all, and images

Images = NDArray[Any]
Maps = NDArray[np.float32]
Classes = int | Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Opened:
    """A network whose layer can be looked at.

    Attributes:
        layer: its name.
        network: images, of shape (n, height, width, channels), 0..255 -> the layer's maps, what the head is given.
        linear: what the head is given -> the scores of the classes before softmax or sigmoid (logits).
        answers: how many scores there are: 1 of a sigmoid, the second class's.
        grid: height and width of the layer's maps.
    """

    layer: str
    network: Any
    linear: Callable[[Any], Any]
    answers: int
    grid: tuple[int, int]

    def score(self, features: Any, classes: NDArray[np.int64]) -> Any:
        """Return the score of one class an image, of shape (n,): of a sigmoid's first class, minus its logit."""
        logits = self.linear(features)
        if self.answers == 1:
            return logits[:, 0] * tf.constant(2 * classes - 1, logits.dtype)
        return tf.gather(logits, classes, axis=1, batch_dims=1)

    def scores(self, images: Images, classes: NDArray[np.int64]) -> Maps:
        """Return the score of one class an image, of shape (n,)."""
        parts = [self.score(self.network(pixels, training=False)[1], some) for pixels, some in batches(images, classes)]
        return np.concatenate([part.numpy() for part in parts])

    def maps(self, images: Images) -> Maps:
        """Return the layer's maps, of shape (n, rows, columns, maps)."""
        blank = np.zeros(len(images), np.int64)
        parts = [self.network(pixels, training=False)[0].numpy() for pixels, _ in batches(images, blank)]
        return np.concatenate(parts).astype(np.float32)

    def gradients(self, images: Images, classes: NDArray[np.int64]) -> Iterator[tuple[Maps, Maps]]:
        """Yield, batch by batch, the layer's maps and the gradients of the scores by them: of the same shape."""
        for pixels, some in batches(images, classes):
            with tf.GradientTape() as tape:
                tape.watch(pixels)  # else nothing is recorded of a network whose weights are frozen
                maps, features = self.network(pixels, training=False)
                score = self.score(features, some)
            gradients = tape.gradient(score, maps)
            if gradients is None:
                raise BadInputError(f"The scores do not depend on layer {self.layer}: name another.")
            yield maps.numpy().astype(np.float32), gradients.numpy().astype(np.float32)

    def classes(self, classes: Classes, count: int) -> NDArray[np.int64]:
        """Return one class number an image.

        Raises:
            BadInputError: one that the network does not know, or another number of them than of images.
        """
        known, asked = max(2, self.answers), np.asarray(classes, np.int64)
        if asked.ndim > 1 or (asked.ndim == 1 and len(asked) != count):
            raise BadInputError(f"{len(asked)} classes were given for {count} images: give one, or one an image.")
        if np.any((asked < 0) | (asked >= known)):
            raise BadInputError(f"There is no class number {asked.max()}: the network knows 0 to {known - 1}.")
        return np.broadcast_to(asked, count).copy()


def opened(network: Any, layer: str = "") -> Opened:
    """Open a network at a layer, by default its last convolution.

    Args:
        network: a Keras network as one flat graph, ending in softmax units or one sigmoid unit.
        layer: the name of a layer that puts out maps.

    Raises:
        BadInputError: no such layer, none with maps, or a network without scores of classes.
    """
    chosen = named(network, layer) if layer else last_convolution(network)
    head = _head(network)
    features, linear = _before_probabilities(network, head)
    both = keras.Model(network.input, [chosen.output, features])
    rows, columns = chosen.output.shape[1:3]
    return Opened(chosen.name, both, linear, int(head.output.shape[-1]), (int(rows), int(columns)))


def named(network: Any, layer: str) -> Any:
    """Return the layer of that name, whose output must be maps.

    Raises:
        BadInputError: there is none, or it puts out something else; those that will do are named.
    """
    fitting = [each.name for each in network.layers if _has_maps(each)]
    found = next((each for each in network.layers if each.name == layer), None)
    if found is not None and _has_maps(found):
        return found
    near = difflib.get_close_matches(layer, fitting, n=3, cutoff=0.3) or fitting[-3:]
    if not near:
        raise BadInputError("The network has no layer that puts out maps: there is nothing to look at.")
    fault = f"There is no layer {layer}" if found is None else f"Layer {layer} puts out no maps"
    raise BadInputError(f"{fault}: the nearest that do are {', '.join(near)}.")


def last_convolution(network: Any) -> Any:
    """Return the layer that networks of medcls call their last convolution, or else the last one there is.

    Raises:
        BadInputError: there is no convolution.
    """
    found = [each for each in network.layers if _has_maps(each) and _convolves(each)]
    for each in found:
        if each.name == LAST:
            return each
    if found:
        return found[-1]
    inner = next((each.name for each in network.layers if isinstance(each, keras.Model)), "")
    if inner:
        raise BadInputError(f"The network's layers lie within its layer {inner}: build it as one flat graph.")
    raise BadInputError("The network has no convolution, so there are no maps to look at.")


def batches(images: Images, classes: NDArray[np.int64]) -> Iterator[tuple[Any, NDArray[np.int64]]]:
    """Yield images as tensors, with their classes, a few at a time."""
    at_once = min(max(PIXELS // int(np.prod(images.shape[1:3])), FEWEST), MOST)
    for start in range(0, len(images), at_once):
        some = slice(start, start + at_once)
        yield tf.convert_to_tensor(np.asarray(images[some], np.float32)), classes[some]


def _has_maps(layer: Any) -> bool:
    if isinstance(layer, keras.layers.InputLayer | keras.Model):
        return False
    shape = getattr(layer.output, "shape", ())
    return len(shape) == 4 and None not in shape[1:]


def _convolves(layer: Any) -> bool:
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
    return isinstance(layer, convolutions)


def _head(network: Any) -> Any:
    """Return the layer that makes a network's probabilities: the last, or the sigmoid whose answer is told twice.

    An exported network of two classes puts the rest to 1 beside the probability of its sigmoid unit.
    """
    head = network.layers[-1]
    if isinstance(head, keras.layers.Concatenate) and len(head.input) == 2:
        rest, second = (_layer_of(network, tensor) for tensor in head.input)
        if isinstance(rest, keras.layers.Rescaling) and second is not None and rest.input is second.output:
            return second
    return head


def _layer_of(network: Any, tensor: Any) -> Any:
    """Return the layer of a network that puts out a tensor of its graph, None if no layer does."""
    return next((layer for layer in network.layers if layer.output is tensor), None)


def _before_probabilities(network: Any, head: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return what the head of a network is given, and what makes scores before probabilities of that."""
    if len(network.outputs) == 1 and len(network.output.shape) == 2:
        if isinstance(head, keras.layers.Softmax) or (isinstance(head, keras.layers.Activation) and _is_known(head)):
            return head.input, lambda features: features
        if isinstance(head, keras.layers.Dense) and _is_known(head):
            return head.input, lambda features: _dense(head, features)
    raise BadInputError(
        f"The network ends in {head.name}, and its scores before the probabilities are not known: end it with softmax "
        "units or one sigmoid unit."
    )


def _is_known(head: Any) -> bool:
    return head.activation in (keras.activations.softmax, keras.activations.sigmoid, keras.activations.linear)


def _dense(head: Any, features: Any) -> Any:
    scores = tf.matmul(tf.cast(features, head.kernel.dtype), tf.convert_to_tensor(head.kernel))
    return scores if head.bias is None else scores + tf.convert_to_tensor(head.bias)


def probabilities(network: Any, images: Images) -> NDArray[np.float32]:
    """Return what a network says of images: a probability a class, of shape (n, classes), also of one sigmoid."""
    blank = np.zeros(len(images), np.int64)
    answers = np.concatenate([network(pixels, training=False).numpy() for pixels, _ in batches(images, blank)])
    return answers if answers.shape[1] > 1 else np.concatenate([1 - answers, answers], axis=1)
