"""A pretrained backbone from keras.applications, with a small head of dense layers on its features."""

from medcls.models import backbones
from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import constrained, one_of, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

FEATURES = "features"  # the layer at which the network is cut into backbone and head
FLATTEN, AVERAGE = "flatten", "average"


@constrained(backbones.check, one_of("pooling", FLATTEN, AVERAGE), units("dense", (128,)), rates("dropout"))
def pretrained(
    images: KerasTensor,
    *,
    backbone: str = "vgg16",
    alpha: float = 1.0,
    layer: str = "",
    preprocessing: str = backbones.UNIT,
    pooling: str = FLATTEN,
    normalise: bool = False,
    dense: tuple[int, ...] = (128,),
    dropout: float = 0.5,
) -> KerasTensor:
    """Return the features of hidden dense layers on a backbone, as one flat graph.

    The backbone's weights are random here; a learner that uses pretrained weights loads them.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1. A gray channel is repeated three times.
        backbone: the name of a backbone, e.g. "vgg16", "vgg19", "resnet50", "mobilenet_v2", "densenet121".
        alpha: the width multiplier of mobilenet_v2.
        layer: "fc1" or "fc2": a dense layer of a VGG network, instead of its last feature maps.
        preprocessing: "unit" (0..1) or "own" (as the backbone was trained).
        pooling: "flatten" the last feature maps, or take the "average" of each.
        normalise: whether to scale the features of each image to length 1.
        dense: units of the hidden dense layers; the task adds the output layer.
        dropout: rate after each hidden dense layer.

    Returns:
        Keras tensor of shape (batch, features).

    Raises:
        BadInputError: the images are too small for the backbone.
    """
    features = backbones.features(images, backbone, alpha, layer, preprocessing)
    x = keras.layers.Identity(name=FEATURES)(features)
    if pooling == AVERAGE and len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    if len(x.shape) == 4:
        x = keras.layers.Flatten(name="flatten_features")(x)  # VGG has a layer of its own called flatten
    if normalise:
        x = keras.layers.UnitNormalization(name="normalise")(x)
    return hidden_layers(x, dense, dropout, len(dense))
