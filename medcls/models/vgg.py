"""VGG networks of any width (Simonyan and Zisserman 2014, arXiv:1409.1556), with dense layers of any width."""

from types import MappingProxyType

from medcls.models.conv_block import block
from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import at_least, constrained, rates, units
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

# Table 1 of the paper, columns A, B, D and E: how many convolutions before each of the five poolings.
CONVOLUTIONS = MappingProxyType({11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)})
WIDTHS = (1, 2, 4, 8, 8)  # of the five stages, as multiples of base


def _check(*, depth: int, **_: object) -> None:
    if depth not in CONVOLUTIONS:
        raise BadInputError(f"depth={depth} is not a VGG network: use {', '.join(map(str, CONVOLUTIONS))}.")


@constrained(
    _check,
    units("dense", (64, 64, 64)),
    at_least(1, "base"),
    at_least(0, "dropped"),
    rates("dropout", "spatial_dropout"),
)
def vgg(
    images: KerasTensor,
    *,
    depth: int = 16,
    base: int = 64,
    dense: tuple[int, ...] = (64, 64, 64),
    dropout: float = 0.0,
    dropped: int = 2,
    spatial_dropout: float = 0.0,
    batch_norm: bool = False,
) -> KerasTensor:
    """Return the features of a VGG network and its hidden dense layers.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1, at least 32 pixels wide.
        depth: 11, 13, 16 or 19, as in the paper, which counts three dense layers.
        base: filters of the first stage (64 in the paper); the others have 2, 4, 8 and 8 times as many.
        dense: units of the hidden dense layers; the task adds the output layer.
        dropout: rate after the first hidden dense layers.
        dropped: the number of hidden dense layers that are followed by dropout.
        spatial_dropout: rate after the activation of each convolution.
        batch_norm: whether to add batch normalization between each convolution and its activation.

    Returns:
        Keras tensor of shape (batch, features).
    """
    x = images
    for stage, (count, width) in enumerate(zip(CONVOLUTIONS[depth], WIDTHS, strict=True), start=1):
        for number in range(1, count + 1):
            last = stage == len(WIDTHS) and number == count
            name = "Last_ConvLayer" if last else f"stage{stage}_conv{number}"
            x = block(x, base * width, name, batch_norm=batch_norm, spatial_dropout=spatial_dropout)
        x = keras.layers.MaxPooling2D()(x)
    return hidden_layers(x, dense, dropout, dropped)
