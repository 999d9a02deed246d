"""Guided backpropagation: saliency maps as fine as the image, from gradients that pass a ReLU only if positive."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcls.explain.cam import grad_cam
from medcls.explain.layer_probe import Classes, Images, Maps, batches, opened
from medcls.explain.overlays import finished
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.lazy import tensorflow as tf


def guided_backpropagation(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return saliency maps by guided backpropagation: the largest absolute gradient over an image's channels.

    Springenberg et al., Striving for Simplicity: The All Convolutional Net (2014), arXiv:1412.6806. The maps are sharp,
    but they show the image's edges almost whatever the weights are (Adebayo et al. 2018, arXiv:1810.03292): do not rely
    on them alone. Networks without ReLU have their plain gradients.

    Args:
        network: a Keras classifier, built as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
        layer: not used, but must be the name of a layer with maps, as for the other methods.

    Returns:
        Maps of shape (n, height, width), float32, 0..1.

    Raises:
        BadInputError: there is no such layer or class, or the network has no convolution or no gradients.
    """
    probe, size = opened(_guided_twin(network), layer), images.shape[1:3]
    maps = [np.zeros((0, *size), np.float32)]
    for pixels, classes_of_batch in batches(images, probe.classes(classes, len(images))):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            score = probe.score(probe.network(pixels, training=False)[1], classes_of_batch)
        gradients = tape.gradient(score, pixels)
        if gradients is None:
            raise BadInputError(
                "The model's scores have no gradients with respect to its pixels, as with nearest neighbours: "
                "choose a saliency method that does not need them."
            )
        maps.append(finished(np.abs(gradients.numpy()).max(axis=-1), size))
    return np.concatenate(maps)


def guided_grad_cam(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return guided Grad-CAM saliency maps: guided backpropagation times Grad-CAM, fine detail of one class.

    Selvaraju et al. (2017), arXiv:1610.02391, section 3.2.

    Args:
        network: a Keras classifier, built as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
        layer: the name of the layer whose maps Grad-CAM weighs; by default the last convolution.

    Returns:
        Maps of shape (n, height, width), float32, 0..1.

    Raises:
        BadInputError: there is no such layer or class, or the network has no convolution or no gradients.
    """
    coarse = grad_cam(network, images, classes, layer=layer)
    return finished(coarse * guided_backpropagation(network, images, classes, layer=layer), images.shape[1:3])


def _guided_twin(network: keras.Model) -> keras.Model:
    """Return a copy of a network whose ReLUs have guided gradients; the network itself stays as it is."""

    def twin(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.ReLU) and not layer.negative_slope and not layer.threshold:
            return keras.layers.Activation(_guided_relu(layer.max_value), name=layer.name)
        copy = layer.__class__.from_config(layer.get_config())
        activation = getattr(copy, "activation", None)
        if activation in (keras.activations.relu, keras.activations.relu6):
            copy.activation = _guided_relu(6.0 if activation is keras.activations.relu6 else None)
        return copy

    bare = keras.Model(network.input, network.output)  # the loss of a compiled network cannot be copied
    copy = keras.models.clone_model(bare, clone_function=twin)
    copy.set_weights(network.get_weights())
    return copy


def _guided_relu(most: float | None) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a ReLU, cut off at `most` unless that is None, which lets only positive gradients through."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        passes = x > 0 if most is None else (x > 0) & (x < most)
        bounded = tf.nn.relu(x) if most is None else tf.minimum(tf.nn.relu(x), tf.cast(most, x.dtype))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.where(passes & (upstream > 0), upstream, tf.zeros_like(upstream))

        return bounded, gradient

    return relu  # type: ignore[no-any-return]
