"""The U-Net (Ronneberger et al. 2015, arXiv:1505.04597) with 'same' convolutions and any width."""

from medcls.models.conv_block import block
from medcls.models.input_checks import check_halves
from medcls.spec.constraints import at_least, constrained, for_task, of_masks, rates
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


@for_task(of_masks)
@constrained(at_least(1, "base", "depth"), rates("dropout"))
def unet(
    images: KerasTensor, *, base: int = 8, depth: int = 4, dropout: float = 0.0, batch_norm: bool = False
) -> KerasTensor:
    """Return the features of each pixel: an encoder of `depth` levels and a decoder with skip connections.

    A level has two 3x3 convolutions. The encoder pools by 2x2 max pooling, the decoder enlarges by 3x3 transposed
    convolutions of stride 2.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1; height and width must be divisible by
            2^depth.
        base: filters of the first level's convolutions (64 in the paper); each level has twice as many as the one
            above it.
        depth: how often the images are halved.
        dropout: the rate at which whole feature maps are dropped after each pooling and each skip connection (Tompson
            et al. 2015).
        batch_norm: whether to add batch normalization between each 3x3 convolution and its activation; not after
            transposed convolutions.

    Returns:
        Keras tensor of shape (batch, height, width, base).

    Raises:
        BadInputError: the images cannot be halved that often.
    """
    check_halves("unet", images, depth)
    x, levels = images, []
    for level in range(depth):
        x = _twice(x, base << level, f"down{level + 1}", batch_norm=batch_norm)
        levels.append(x)
        x = _dropped(keras.layers.MaxPooling2D()(x), dropout)
    x = _twice(x, base << depth, "bottom", batch_norm=batch_norm)
    for level in reversed(range(depth)):
        up = keras.layers.Conv2DTranspose(base << level, 3, strides=2, padding="same", name=f"up{level + 1}")
        x = _dropped(keras.layers.Concatenate()([levels[level], up(x)]), dropout)
        last = None if level else "Last_ConvLayer"
        x = _twice(x, base << level, f"up{level + 1}", last, batch_norm=batch_norm)
    return x


def _twice(x: KerasTensor, filters: int, name: str, last: str | None = None, *, batch_norm: bool) -> KerasTensor:
    """Return the output of two convolutions with activations.

    Args:
        x: Keras tensor of shape (batch, height, width, channels).
        filters: of both convolutions.
        name: the beginning of their names.
        last: the name of the second convolution, if it has a special one.
        batch_norm: whether to normalize before the activations.
    """
    x = block(x, filters, f"{name}_conv1", batch_norm=batch_norm, spatial_dropout=0.0)
    return block(x, filters, last or f"{name}_conv2", batch_norm=batch_norm, spatial_dropout=0.0)


def _dropped(x: KerasTensor, rate: float) -> KerasTensor:
    """Return feature maps after spatial dropout, if there is a rate."""
    return keras.layers.SpatialDropout2D(rate)(x) if rate else x
