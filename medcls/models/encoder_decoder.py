"""An encoder and decoder without skip connections, used to segment the glands of the Warwick data set."""

from medcls.models.input_checks import check_halves
from medcls.spec.constraints import at_least, constrained, for_task, of_masks, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


@for_task(of_masks)
@constrained(units("filters", (8, 16, 32), fewest=1), rates("dropout"), at_least(0, "l2"))
def encoder_decoder(
    images: KerasTensor, *, filters: tuple[int, ...] = (8, 16, 32), dropout: float = 0.0, l2: float = 0.0
) -> KerasTensor:
    """Return the features of each pixel: convolutions with pooling between them, then transposed convolutions.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1; height and width must be divisible by
            two for each pooling.
        filters: of each 3x3 convolution, with 2x2 max pooling between them. The 2x2 transposed convolutions of stride
            2 have all of these but the last, in reverse order.
        dropout: the rate at which units are dropped after the activation of each convolution, including transposed
            ones.
        l2: weight decay of each kernel: l2 times the sum of its squares is added to the loss.

    Returns:
        Keras tensor of shape (batch, height, width, filters[0]).

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
        if not last:
            x = keras.layers.MaxPooling2D()(x)
    for number, width in enumerate(reversed(filters[:-1]), start=1):
        up = keras.layers.Conv2DTranspose(width, 2, strides=2, name=f"up{number}", kernel_regularizer=_decay(l2))
        x = _activated(up(x), dropout)
    return x


def _decay(l2: float) -> object:
    """Return the regularizer of a kernel, None without weight decay."""
    return keras.regularizers.L2(l2) if l2 else None


def _activated(x: KerasTensor, dropout: float) -> KerasTensor:
    """Return a tensor after ReLU and, if there is a rate, dropout."""
    x = keras.layers.ReLU()(x)
    return keras.layers.Dropout(dropout)(x) if dropout else x
