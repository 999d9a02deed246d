"""Networks: a Keras tensor of images, 0..1, to a Keras tensor of features, as one flat graph."""

from medcls.models.alexnet import alexnet
from medcls.models.cnn import cnn
from medcls.models.mlp import mlp
from medcls.models.pretrained import pretrained
from medcls.models.resnet import resnet
from medcls.models.vgg import vgg

__all__ = ["alexnet", "cnn", "mlp", "pretrained", "resnet", "vgg"]
