"""A plain convolutional network of any size: 3x3 convolutions, some followed by max pooling, then dense layers."""

from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import constrained, one_of, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


@constrained(
    units("filters", (8, 16, 32), fewest=1),
    units("dense", (512, 256)),
    one_of("padding", "same", "valid"),
    one_of("activation", "relu", "tanh"),
    one_of("initializer", "glorot_uniform", "he_normal", "random_normal"),
    rates("dropout"),
)
def cnn(
    images: KerasTensor,
    *,
    filters: tuple[int, ...] = (8, 16, 32),
    pooled: tuple[int, ...] = (1, 2),
    padding: str = "same",
    batch_norm: bool = False,
    activation: str = "relu",
    pooling_first: bool = False,
    dense: tuple[int, ...] = (),
    dropout: float = 0.0,
    initializer: str = "glorot_uniform",
) -> KerasTensor:
    """Return the features of a network of convolutions, poolings and hidden dense layers.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1.
        filters: of each 3x3 convolution.
        pooled: the numbers, from 1 on, of the convolutions that are followed by 2x2 max pooling.
        padding: "same", or "valid" for convolutions that stay within the image.
        batch_norm: whether to add batch normalization between each convolution or hidden dense layer and its
            activation.
        activation: "relu" or "tanh", of convolutions and hidden dense layers.
        pooling_first: whether pooling comes before the activation. Both are monotonic, so the features are equal (up
            to rounding) with a quarter of the activations.
        dense: units of the hidden dense layers; the task adds the output layer.
        dropout: rate after each hidden dense layer, or after the flattened features if there is no such layer.
        initializer: of the kernels: "glorot_uniform", "he_normal", or "random_normal" (standard deviation 0.05).

    Returns:
        Keras tensor of shape (batch, features).
    """
    x = images
    for number, width in enumerate(filters, start=1):
        name = "Last_ConvLayer" if number == len(filters) else f"conv{number}"
        x = keras.layers.Conv2D(width, 3, padding=padding, kernel_initializer=initializer, name=name)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
        activate = keras.layers.Activation(activation)
        if number not in pooled:
            x = activate(x)
        elif pooling_first:
            x = activate(keras.layers.MaxPooling2D()(x))
        else:
            x = keras.layers.MaxPooling2D()(activate(x))
    x = hidden_layers(
        x, dense, dropout, len(dense), activation=activation, batch_norm=batch_norm, initializer=initializer
    )
    if dropout and not dense:
        x = keras.layers.Dropout(dropout)(x)
    return x
