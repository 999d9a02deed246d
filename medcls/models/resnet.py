"""Residual networks of any depth (He et al. 2016a, arXiv:1512.03385; He et al. 2016b, arXiv:1603.05027)."""

from dataclasses import dataclass
from types import MappingProxyType

from medcls.spec.constraints import at_least, constrained, rates
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

# Table 1 of He et al. 2016a: the kind of block, and the number of blocks in each of the four stages.
TABLE_1 = MappingProxyType(
    {
        18: ("basic", (2, 2, 2, 2)),
        34: ("basic", (3, 4, 6, 3)),
        50: ("bottleneck", (3, 4, 6, 3)),
        101: ("bottleneck", (3, 4, 23, 3)),
        152: ("bottleneck", (3, 8, 36, 3)),
    }
)

STEMS = ("auto", "small", "large")


def _check(*, depth: int, block: str, stem: str, **_: object) -> None:
    layout(depth, block)
    if stem not in STEMS:
        raise BadInputError(f"stem={stem!r} is unknown: use 'auto', 'small' or 'large'.")


LIMITS = (_check, at_least(1, "base"), rates("dropout", "spatial_dropout"))


@constrained(*LIMITS)
def resnet(
    images: KerasTensor,
    *,
    depth: int = 20,
    base: int = 16,
    block: str = "auto",
    stem: str = "auto",
    preactivation: bool = False,
    batch_norm: bool = True,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
) -> KerasTensor:
    """Return the features of a residual network of `depth` weighted layers, including the task's dense layer.

    Depths 18, 34, 50, 101 and 152 have the four stages of He et al. 2016a, Table 1. All other depths have three stages,
    as their CIFAR networks: 6n+2 layers in basic blocks, or 9n+2 in bottlenecks. The stages have `base`, 2*base, 4*base
    (and 8*base) filters; bottlenecks have four times as many outputs. From the second on, a stage begins with a 3x3
    convolution of stride 2. Shortcuts are the identity, or a 1x1 convolution where the shape changes.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1.
        depth: the number of convolutions on the main path, plus one for the dense layer.
        base: filters of the first convolution.
        block: "basic", "bottleneck" or "auto". The last means, in this order: the block of Table 1; bottlenecks from
            164 layers up if the depth fits (He et al. 2016b); basic blocks; bottlenecks from 50 layers up.
        stem: "small" (3x3 convolution), "large" (7x7 convolution of stride 2, then max pooling: a quarter of the
            resolution) or "auto". The last means large for four stages on images of at least 128 pixels, else small,
            so that small images keep their resolution.
        preactivation: whether batch normalization and ReLU come before each convolution instead of after it (He et al.
            2016b).
        batch_norm: whether to use batch normalization; without it, the convolutions have biases.
        dropout: rate after global average pooling.
        spatial_dropout: the rate at which feature maps are dropped before the last convolution of each block.

    Returns:
        Keras tensor of shape (batch, features).

    Raises:
        BadInputError: no residual network has this depth, or another parameter is unknown.
    """
    for check in LIMITS:
        check(depth=depth, base=base, block=block, stem=stem, dropout=dropout, spatial_dropout=spatial_dropout)
    kind, stages = layout(depth, block)
    large = _has_large_stem(stem, len(stages), min(images.shape[1:3]))
    blocks = _Blocks(kind == "bottleneck", preactivation, batch_norm, spatial_dropout)
    x = blocks.stem(images, base, large)
    for stage, count in enumerate(stages, start=1):
        for number in range(1, count + 1):
            stride = 2 if stage > 1 and number == 1 else 1
            last = "Last_ConvLayer" if stage == len(stages) and number == count else None
            x = blocks.block(x, base * 2 ** (stage - 1), stride, f"stage{stage}_block{number}", last)
    if preactivation:
        x = blocks.activate(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dropout(dropout)(x) if dropout else x


def layout(depth: int, block: str = "auto") -> tuple[str, tuple[int, ...]]:
    """Return the kind of block ("basic" or "bottleneck") and the number of blocks in each stage.

    Raises:
        BadInputError: `block` is unknown, or no network of these blocks has `depth` weighted layers.
    """
    if block not in ("auto", "basic", "bottleneck"):
        raise BadInputError(f"block={block!r} is unknown: use 'auto', 'basic' or 'bottleneck'.")
    fitting = _fitting(depth, block)
    if fitting is None:
        below, above = depth - 1, max(depth, 7) + 1
        while below > 7 and not _fitting(below, block):
            below -= 1
        while not _fitting(above, block):
            above += 1
        nearest = f"{below} or {above}" if below > 7 else f"{above}"
        blocks = "" if block == "auto" else f" of {block} blocks"
        raise BadInputError(f"depth={depth} fits no residual network{blocks}: the nearest is {nearest}.")
    return fitting


def _fitting(depth: int, block: str) -> tuple[str, tuple[int, ...]] | None:
    """Return the layout of `depth` layers: from Table 1, or three stages of 6n+2 or 9n+2 layers; None if none fits."""
    if depth in TABLE_1 and block in ("auto", TABLE_1[depth][0]):
        return TABLE_1[depth]
    fits_basic = depth >= 8 and depth % 6 == 2 and block != "bottleneck"
    fits_bottleneck = depth >= 11 and depth % 9 == 2 and block != "basic"
    if fits_bottleneck and (block == "bottleneck" or depth >= (164 if fits_basic else 50)):
        return "bottleneck", (depth // 9,) * 3
    return ("basic", (depth // 6,) * 3) if fits_basic else None


def _has_large_stem(stem: str, stages: int, pixels: int) -> bool:
    """Tell whether a network of so many stages begins with the large stem on images of so many pixels per side."""
    return stem == "large" or (stem == "auto" and stages == 4 and pixels >= 128)


@dataclass(frozen=True)
class _Blocks:
    """Builds the parts of one network in one style.

    Attributes:
        bottleneck: whether blocks are bottlenecks.
        preactivation: whether normalization and activation come before each convolution.
        batch_norm: whether there is batch normalization.
        spatial_dropout: the rate before the last convolution of each block.
    """

    bottleneck: bool
    preactivation: bool
    batch_norm: bool
    spatial_dropout: float

    def stem(self, images: KerasTensor, filters: int, large: bool) -> KerasTensor:
        """Return the feature maps with which the first stage begins."""
        size, stride = (7, 2) if large else (3, 1)
        x = self.convolve(images, filters, size, stride, "stem")
        if not self.preactivation:
            x = self.activate(x)
        return keras.layers.MaxPooling2D(3, strides=2, padding="same")(x) if large else x

    def block(self, x: KerasTensor, width: int, stride: int, name: str, last: str | None) -> KerasTensor:
        """Return the output of one residual block.

        Args:
            x: Keras tensor of shape (batch, height, width, channels).
            width: filters of the 3x3 convolutions.
            stride: of the first 3x3 convolution.
            name: the beginning of the names of its layers.
            last: the name of its last convolution, if it has a special one.
        """
        convolutions = [(width, 3, stride), (width, 3, 1)]
        if self.bottleneck:
            convolutions = [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
        *earlier, final = convolutions
        y = self.activate(x) if self.preactivation else x
        shortcut = self.shortcut(x, y, final[0], stride, f"{name}_shortcut")
        for number, convolution in enumerate(earlier, start=1):
            y = self.convolve(y, *convolution, f"{name}_conv{number}")
            y = self.activate(y)
        if self.spatial_dropout:
            y = keras.layers.SpatialDropout2D(self.spatial_dropout)(y)
        y = self.convolve(y, *final, last or f"{name}_conv{len(convolutions)}")
        if self.preactivation:
            return keras.layers.Add()([shortcut, y])
        return keras.layers.ReLU()(keras.layers.Add()([shortcut, self.normalise(y)]))

    def shortcut(self, x: KerasTensor, activated: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
        """Return the identity, or a projection of the activated input where the shape changes (He et al. 2016b).

        Args:
            x: the input of the block.
            activated: the input after normalization and activation if these come first, else the input.
            filters: of the block's output.
            stride: of the block.
            name: of the projection.
        """
        if stride == 1 and x.shape[-1] == filters:
            return x
        # Taking every other pixel first equals a 1x1 convolution of stride 2, on whose gradient oneDNN crashes
        # (TensorFlow 2.21, 8 to 16 channels at 64x64).
        every_other = keras.layers.AveragePooling2D(1, strides=stride)(activated) if stride > 1 else activated
        projection = self.convolve(every_other, filters, 1, 1, name)
        return projection if self.preactivation else self.normalise(projection)

    def convolve(self, x: KerasTensor, filters: int, size: int, stride: int, name: str) -> KerasTensor:
        """Return the output of one convolution, without a bias if normalization follows."""
        return keras.layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            use_bias=not self.batch_norm,
            kernel_initializer="he_normal",
            name=name,
        )(x)

    def normalise(self, x: KerasTensor) -> KerasTensor:
        """Return x after batch normalization, if the network has any."""
        # Keras's momentum of 0.99 needs hundreds of steps before validation sees the right statistics.
        return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x) if self.batch_norm else x

    def activate(self, x: KerasTensor) -> KerasTensor:
        """Return x after normalization and ReLU."""
        return keras.layers.ReLU()(self.normalise(x))
