"""The convolutional block of AlexNet and VGG as the course draws it."""

from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


def block(x: KerasTensor, filters: int, name: str, *, batch_norm: bool, spatial_dropout: float) -> KerasTensor:
    """Return convolution (3x3, 'same'), then batch norm, ReLU and spatial dropout, those that are asked for.

    Args:
        x: Keras tensor of shape (batch, height, width, channels).
        filters: of the convolution.
        name: of the convolution.
        batch_norm: after the convolution and before the activation (Ioffe and Szegedy 2015, arXiv:1502.03167).
        spatial_dropout: rate of whole feature maps dropped after the activation (Tompson et al. 2015,
            arXiv:1411.4280); 0 builds no layer.
    """
    x = keras.layers.Conv2D(filters, 3, padding="same", name=name)(x)
    if batch_norm:
        x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    return keras.layers.SpatialDropout2D(spatial_dropout)(x) if spatial_dropout else x
