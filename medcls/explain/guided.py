"""Maps at the resolution of the image: gradients by its pixels that pass a ReLU only where they are positive."""

from typing import Any

import numpy as np

from medcls.explain.cam import grad_cam
from medcls.explain.layer_probe import Classes, Images, Maps, batches, opened
from medcls.explain.overlays import finished
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.lazy import tensorflow as tf


def guided_backpropagation(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return where pixels speak for a class by guided backpropagation (Springenberg et al. 2014, arXiv:1412.6806).

    The largest absolute value over the channels. Sharp, but it shows the image's edges almost whatever the weights are
    (Adebayo et al. 2018): do not believe it alone. Networks without ReLU have their plain gradients. `layer` is only
    checked. Arguments, maps and errors as of `grad_cam`.
    """
    cut, size = opened(_guided_twin(network), layer), images.shape[1:3]
    found = []
    for pixels, some in batches(images, cut.classes(classes, len(images))):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            score = cut.score(cut.network(pixels, training=False)[1], some)
        gradients = tape.gradient(score, pixels)
        if gradients is None:
            raise BadInputError("The model has no gradients to its pixels, as the nearest neighbours have none.")
        gradients = np.abs(gradients.numpy())
        found.append(finished(gradients.max(axis=-1), size))
    return np.concatenate(found) if found else np.zeros((0, *size), np.float32)


def guided_grad_cam(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Multiply guided backpropagation by Grad-CAM (Selvaraju et al. 2017, section 3.2): fine detail, of one class.

    Arguments, maps and errors as of `grad_cam`.
    """
    where = grad_cam(network, images, classes, layer=layer)
    return finished(where * guided_backpropagation(network, images, classes, layer=layer), images.shape[1:3])


def _guided_twin(network: Any) -> Any:
    """Return the network with other gradients of its ReLUs; the network itself is left as it is."""

    def twin(layer: Any) -> Any:
        if isinstance(layer, keras.layers.ReLU) and not layer.negative_slope and not layer.threshold:
            return keras.layers.Activation(_guided_relu(layer.max_value), name=layer.name)
        copy = layer.__class__.from_config(layer.get_config())
        activation = getattr(copy, "activation", None)
        if activation in (keras.activations.relu, keras.activations.relu6):
            copy.activation = _guided_relu(6.0 if activation is keras.activations.relu6 else None)
        return copy

    bare = keras.Model(network.input, network.output)  # a compiled one's loss cannot be copied
    other = keras.models.clone_model(bare, clone_function=twin)
    other.set_weights(network.get_weights())
    return other


def _guided_relu(most: float | None) -> Any:
    """Return a ReLU, cut off at `most`, whose gradient is let through only where it is positive itself."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def relu(x: Any) -> Any:
        passes = x > 0 if most is None else (x > 0) & (x < most)
        bounded = tf.nn.relu(x) if most is None else tf.minimum(tf.nn.relu(x), tf.cast(most, x.dtype))

        def gradient(upstream: Any) -> Any:
            return tf.where(passes & (upstream > 0), upstream, tf.zeros_like(upstream))

        return bounded, gradient

    return relu
