"""A plain convolutional network of any size: 3x3 convolutions, some followed by a max pooling, then dense layers."""

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
    """Return the features of convolutions, poolings and hidden dense layers.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1.
        filters: of each 3x3 convolution.
        pooled: a 2x2 max pooling follows these convolutions, counted from 1.
        padding: "same", or "valid" for convolutions that stay within the image.
        batch_norm: between each convolution or hidden dense layer and its activation.
        activation: "relu" or "tanh", of convolutions and hidden dense layers.
        pooling_first: the activation comes after the pooling instead of before it, where there are both. Both rise
            with their input, so the features are the same (but for rounding) at a quarter of the activations.
        dense: units of the hidden dense layers; the task adds the last.
        dropout: rate after each hidden dense layer; where there is none, of the flattened features.
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
        steps = [keras.layers.Activation(activation)]
        if number in pooled:
            steps.insert(0 if pooling_first else 1, keras.layers.MaxPooling2D())
        for step in steps:
            x = step(x)
    x = hidden_layers(
        x, dense, dropout, len(dense), activation=activation, batch_norm=batch_norm, initializer=initializer
    )
    return x if dense or not dropout else keras.layers.Dropout(dropout)(x)
