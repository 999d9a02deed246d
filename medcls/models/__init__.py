"""Networks: a Keras tensor of images, 0..1, to a Keras tensor of features, as one flat graph."""

from medcls.models.resnet import resnet

__all__ = ["resnet"]
