"""AlexNet scaled down for a course (after Krizhevsky et al. 2012): five 3x3 convolutions, three poolings."""

from medcls.models.conv_block import block
from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import at_least, constrained, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

WIDTHS = (1, 2, 4, 4, 2)  # of the five convolutions, as multiples of base
POOLED = (1, 2, 5)  # the numbers of the convolutions that are followed by max pooling


@constrained(units("dense", (64, 64)), at_least(1, "base"), at_least(0, "dropped"), rates("dropout", "spatial_dropout"))
def alexnet(
    images: KerasTensor,
    *,
    base: int = 8,
    dense: tuple[int, ...] = (64, 64),
    dropout: float = 0.0,
    dropped: int = 2,
    spatial_dropout: float = 0.0,
    batch_norm: bool = False,
) -> KerasTensor:
    """Return the features of an AlexNet: five convolutions and the hidden dense layers.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1, at least 8 pixels wide.
        base: filters of the first convolution; the others have 2, 4, 4 and 2 times as many.
        dense: units of the hidden dense layers; the task adds the output layer.
        dropout: rate after the first hidden dense layers.
        dropped: the number of hidden dense layers that are followed by dropout.
        spatial_dropout: rate after the activation of each convolution, before pooling.
        batch_norm: whether to add batch normalization between each convolution and its activation.

    Returns:
        Keras tensor of shape (batch, features).
    """
    x = images
    for number, width in enumerate(WIDTHS, start=1):
        name = "Last_ConvLayer" if number == len(WIDTHS) else f"conv{number}"
        x = block(x, base * width, name, batch_norm=batch_norm, spatial_dropout=spatial_dropout)
        if number in POOLED:
            x = keras.layers.MaxPooling2D()(x)
    return hidden_layers(x, dense, dropout, dropped)
