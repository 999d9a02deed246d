"""An encoder and decoder without skip connections, as the Warwick homework finds glands with."""

from typing import Any

from medcls.models.input_checks import check_halves
from medcls.spec.constraints import at_least, constrained, for_task, of_masks, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


@for_task(of_masks)
@constrained(units("filters", (8, 16, 32), fewest=1), rates("dropout"), at_least(0, "l2"))
def encoder_decoder(
    images: KerasTensor, *, filters: tuple[int, ...] = (8, 16, 32), dropout: float = 0.0, l2: float = 0.0
) -> KerasTensor:
    """Return the features of each pixel: convolutions with poolings between them, then transposed convolutions.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1; height and width can be halved between
            any two convolutions.
        filters: of each 3x3 convolution, a 2x2 max pooling between any two; the 2x2 transposed convolutions of
            stride 2 have those of all but the last, backwards.
        dropout: rate of units dropped after the activation of each convolution, transposed ones too.
        l2: weight decay of each kernel here as a part of the loss: l2 times the sum of its squares.

    Returns:
        Keras tensor of shape (batch, height, width, first of the filters).

    Raises:
        BadInputError: the images cannot be halved that often.
    """
    check_halves("encoder_decoder", images, len(filters) - 1)
    x = images
    for number, width in enumerate(filters, start=1):
        last = number == len(filters)
        name = "Last_ConvLayer" if last else f"conv{number}"
        x = keras.layers.Conv2D(width, 3, padding="same", name=name, kernel_regularizer=_decay(l2))(x)
        x = _activated(x, dropout)
        x = x if last else keras.layers.MaxPooling2D()(x)
    for number, width in enumerate(reversed(filters[:-1]), start=1):
        up = keras.layers.Conv2DTranspose(width, 2, strides=2, name=f"up{number}", kernel_regularizer=_decay(l2))
        x = _activated(up(x), dropout)
    return x


def _decay(l2: float) -> Any:
    return keras.regularizers.L2(l2) if l2 else None


def _activated(x: KerasTensor, dropout: float) -> KerasTensor:
    x = keras.layers.ReLU()(x)
    return keras.layers.Dropout(dropout)(x) if dropout else x
