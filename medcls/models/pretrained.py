"""A network of keras.applications without its top, and a small head of dense layers on its features."""

from medcls.models import backbones
from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import constrained, one_of, rates, units
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

FEATURES = "features"  # the layer at which a network is cut into what is borrowed and what is trained
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
    """Return the features of hidden dense layers on those of a known network, as one flat graph.

    The network's weights are random here: a learner that begins with trained ones puts them in.

    Args:
        images: Keras tensor of shape (batch, height, width, channels), 0..1. Grey is repeated in three channels.
        backbone: a network of keras.applications, e.g. "vgg16", "vgg19", "resnet50", "mobilenet_v2", "densenet121".
        alpha: the width of mobilenet_v2.
        layer: "fc1" or "fc2" of a VGG network, in place of its last maps.
        preprocessing: "unit", as the course feeds it (0..1), or "own", as the network was trained.
        pooling: "flatten" the last maps or take the "average" of each.
        normalise: bring the features of each image to length 1.
        dense: units of the hidden dense layers; the task adds the last.
        dropout: rate after each of them.

    Returns:
        Keras tensor of shape (batch, features).

    Raises:
        BadInputError: the images are too small for the network.
    """
    borrowed = backbones.features(images, backbone, alpha, layer, preprocessing)
    x = keras.layers.Identity(name=FEATURES)(borrowed)
    if pooling == AVERAGE and len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    if len(x.shape) == 4:
        x = keras.layers.Flatten(name="flatten_features")(x)  # VGG's own, before its dense layers, is called flatten
    if normalise:
        x = keras.layers.UnitNormalization(name="normalise")(x)
    return hidden_layers(x, dense, dropout, len(dense))
