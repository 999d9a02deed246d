"""The convolutional block of AlexNet, VGG and U-Net."""

from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


def block(x: KerasTensor, filters: int, name: str, *, batch_norm: bool, spatial_dropout: float) -> KerasTensor:
    """Return the output of a 3x3 convolution, optional batch normalization, ReLU and optional spatial dropout.

    Args:
        x: Keras tensor of shape (batch, height, width, channels).
        filters: the number of filters of the convolution.
        name: the name of the convolution.
        batch_norm: whether to normalize between convolution and activation (Ioffe and Szegedy 2015, arXiv:1502.03167).
        spatial_dropout: the rate at which whole feature maps are dropped after the activation (Tompson et al. 2015,
            arXiv:1411.4280); 0 adds no layer.
    """
    x = keras.layers.Conv2D(filters, 3, padding="same", name=name)(x)
    if batch_norm:
        x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    return keras.layers.SpatialDropout2D(spatial_dropout)(x) if spatial_dropout else x
