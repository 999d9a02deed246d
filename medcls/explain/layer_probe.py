"""A trained network opened at a layer: the layer's maps, the scores before softmax or sigmoid, and their gradients."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import with_both_classes
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.lazy import tensorflow as tf

LAST = "Last_ConvLayer"  # the name of the last convolution in networks of medcls.models
PIXELS, FEWEST, MOST = 2**20, 8, 64  # of a batch: pixels in all, and the limits of its number of images

Images = NDArray[np.integer] | NDArray[np.floating]
Maps = NDArray[np.float32]
Classes = int | Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Opened:
    """A network opened at a layer.

    Attributes:
        layer: the name of the layer.
        network: a Keras network of two outputs: images, of shape (n, height, width, channels), 0..255 -> the layer's
            maps, and the features that the head is given.
        linear: features -> scores of the classes before softmax or sigmoid (logits), of shape (n, answers).
        answers: how many scores there are; the single one of a sigmoid is the second class's.
        grid: height and width of the layer's maps.
    """

    layer: str
    network: keras.Model
    linear: Callable[[tf.Tensor], tf.Tensor]
    answers: int
    grid: tuple[int, int]

    def score(self, features: tf.Tensor, classes: NDArray[np.int64]) -> tf.Tensor:
        """Return the score of one class per image, of shape (n,).

        Args:
            features: what the head is given, of shape (n, ...).
            classes: the class of each image, of shape (n,). The first class of a sigmoid scores minus its logit.
        """
        logits = self.linear(features)
        if self.answers == 1:
            return logits[:, 0] * tf.constant(2 * classes - 1, logits.dtype)
        return tf.gather(logits, classes, axis=1, batch_dims=1)

    def scores(self, images: Images, classes: NDArray[np.int64]) -> Maps:
        """Return the score of one class per image, of shape (n,).

        Args:
            images: of shape (n, height, width, channels), 0..255.
            classes: the class of each image, of shape (n,).
        """
        scores = []
        for pixels, classes_of_batch in batches(images, classes):
            _, features = self.network(pixels, training=False)
            scores.append(self.score(features, classes_of_batch).numpy())
        return np.concatenate(scores)

    def maps(self, images: Images) -> Maps:
        """Return the layer's maps, of shape (n, rows, columns, maps)."""
        maps = [self.network(pixels, training=False)[0].numpy() for pixels in image_batches(images)]
        return np.concatenate(maps).astype(np.float32)

    def gradients(self, images: Images, classes: NDArray[np.int64]) -> Iterator[tuple[Maps, Maps]]:
        """Yield, batch by batch, the layer's maps and the gradients of the scores with respect to them.

        Both are of shape (images of the batch, rows, columns, maps).

        Args:
            images: of shape (n, height, width, channels), 0..255.
            classes: the class of each image, of shape (n,).

        Raises:
            BadInputError: the scores do not depend on the layer.
        """
        for pixels, classes_of_batch in batches(images, classes):
            with tf.GradientTape() as tape:
                tape.watch(pixels)  # else nothing is recorded for a network whose weights are frozen
                maps, features = self.network(pixels, training=False)
                score = self.score(features, classes_of_batch)
            gradients = tape.gradient(score, maps)
            if gradients is None:
                raise BadInputError(f"The scores do not depend on layer {self.layer}: name another one.")
            yield maps.numpy().astype(np.float32), gradients.numpy().astype(np.float32)

    def classes(self, classes: Classes, count: int) -> NDArray[np.int64]:
        """Return one class number per image, of shape (count,).

        Args:
            classes: one class number for all images, or one per image.
            count: the number of images.

        Raises:
            BadInputError: the network has no such class, or there are not as many classes as images.
        """
        class_count, wanted = max(2, self.answers), np.asarray(classes, np.int64)
        if wanted.ndim > 1 or (wanted.ndim == 1 and len(wanted) != count):
            raise BadInputError(f"{len(wanted)} classes were given for {count} images: give one, or one per image.")
        wrong = wanted[(wanted < 0) | (wanted >= class_count)]
        if wrong.size:
            raise BadInputError(f"There is no class number {wrong[0]}: the network knows 0 to {class_count - 1}.")
        return np.broadcast_to(wanted, count).copy()


def opened(network: keras.Model, layer: str = "") -> Opened:
    """Open a network at a layer, by default at its last convolution.

    Args:
        network: a Keras network as one flat graph, ending in softmax units or one sigmoid unit.
        layer: the name of a layer whose output is maps.

    Raises:
        BadInputError: there is no such layer, it has no maps, or the network's scores before softmax are not known.
    """
    chosen = named(network, layer) if layer else last_convolution(network)
    head = _head(network)
    features, linear = _before_probabilities(network, head)
    both = keras.Model(network.input, [chosen.output, features])
    rows, columns = chosen.output.shape[1:3]
    return Opened(chosen.name, both, linear, int(head.output.shape[-1]), (int(rows), int(columns)))


def named(network: keras.Model, name: str) -> keras.layers.Layer:
    """Return the layer with a name, whose output must be maps.

    Raises:
        BadInputError: there is no such layer, or its output is not maps; the nearest that would do are named.
    """
    suitable, exists = [], False
    for layer in network.layers:
        if layer.name == name and _has_maps(layer):
            return layer
        exists = exists or layer.name == name
        if _has_maps(layer):
            suitable.append(layer.name)
    if not suitable:
        raise BadInputError("No layer of the network puts out maps, so no saliency map can be drawn.")
    nearest = difflib.get_close_matches(name, suitable, n=3, cutoff=0.3) or suitable[-3:]
    fault = f"Layer {name} puts out no maps" if exists else f"There is no layer {name}"
    raise BadInputError(f"{fault}. Did you mean {', '.join(nearest)}?")


def last_convolution(network: keras.Model) -> keras.layers.Layer:
    """Return the layer that networks of medcls name as their last convolution, or else the last convolution there is.

    Raises:
        BadInputError: there is no convolution.
    """
    last: keras.layers.Layer | None = None
    for layer in network.layers:
        if _has_maps(layer) and _convolves(layer):
            if layer.name == LAST:
                return layer
            last = layer
    if last is not None:
        return last
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            raise BadInputError(f"The network's layers lie within its layer {layer.name}: build it as one flat graph.")
    raise BadInputError("The network has no convolution, so no saliency map can be drawn.")


def batches(images: Images, classes: NDArray[np.int64]) -> Iterator[tuple[tf.Tensor, NDArray[np.int64]]]:
    """Yield images as tensors, with their classes, a batch at a time.

    Args:
        images: of shape (n, height, width, channels).
        classes: the class of each image, of shape (n,).
    """
    start = 0
    for pixels in image_batches(images):
        end = start + len(pixels)
        yield pixels, classes[start:end]
        start = end


def image_batches(images: Images) -> Iterator[tf.Tensor]:
    """Yield images, of shape (n, height, width, channels), as float32 tensors, a batch at a time."""
    size = min(max(PIXELS // int(np.prod(images.shape[1:3])), FEWEST), MOST)
    for start in range(0, len(images), size):
        yield tf.convert_to_tensor(np.asarray(images[start : start + size], np.float32))


def probabilities(network: keras.Model, images: Images) -> NDArray[np.float32]:
    """Return a network's probabilities for images, of shape (n, classes), also where it ends in one sigmoid unit."""
    answers = [network(pixels, training=False).numpy() for pixels in image_batches(images)]
    return with_both_classes(np.concatenate(answers))


def _has_maps(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.InputLayer | keras.Model):
        return False
    shape = getattr(layer.output, "shape", ())
    return len(shape) == 4 and None not in shape[1:]


def _convolves(layer: keras.layers.Layer) -> bool:
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
    return isinstance(layer, convolutions)


def _head(network: keras.Model) -> keras.layers.Layer:
    """Return the layer that makes a network's probabilities: the last one, or the sigmoid before a concatenation.

    An exported network of two classes concatenates the probability of its sigmoid unit and the rest to 1.
    """
    head = network.layers[-1]
    if isinstance(head, keras.layers.Concatenate) and len(head.input) == 2:
        rest, second = (_layer_of(network, tensor) for tensor in head.input)
        if isinstance(rest, keras.layers.Rescaling) and second is not None and rest.input is second.output:
            return second
    return head


def _layer_of(network: keras.Model, tensor: keras.KerasTensor) -> keras.layers.Layer | None:
    """Return the layer of a network whose output is a tensor of its graph, None if there is none."""
    for layer in network.layers:
        if layer.output is tensor:
            return layer
    return None


def _before_probabilities(
    network: keras.Model, head: keras.layers.Layer
) -> tuple[keras.KerasTensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return the input of a network's head, and the function that makes scores before probabilities of it."""
    if len(network.outputs) == 1 and len(network.output.shape) == 2:
        is_activation = isinstance(head, keras.layers.Activation) and _has_known_scores(head)
        if isinstance(head, keras.layers.Softmax) or is_activation:
            return head.input, lambda features: features
        if isinstance(head, keras.layers.Dense) and _has_known_scores(head):
            return head.input, lambda features: _dense(head, features)
    raise BadInputError(
        f"The network ends in {head.name}, so its scores before the probabilities are not known: end it with softmax "
        "units or one sigmoid unit."
    )


def _has_known_scores(head: keras.layers.Layer) -> bool:
    """Tell whether a layer's output before its activation is the score of each class."""
    return head.activation in (keras.activations.softmax, keras.activations.sigmoid, keras.activations.linear)


def _dense(head: keras.layers.Dense, features: tf.Tensor) -> tf.Tensor:
    scores = tf.matmul(tf.cast(features, head.kernel.dtype), tf.convert_to_tensor(head.kernel))
    return scores if head.bias is None else scores + tf.convert_to_tensor(head.bias)
