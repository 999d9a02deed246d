"""Networks: functions from a Keras tensor of images, 0..1, to a Keras tensor of features, as one flat graph.

Features are one row per image for classification, or one row per pixel for segmentation.
"""

from medcls.models.alexnet import alexnet
from medcls.models.cnn import cnn
from medcls.models.encoder_decoder import encoder_decoder
from medcls.models.mlp import mlp
from medcls.models.pretrained import pretrained
from medcls.models.resnet import resnet
from medcls.models.unet import unet
from medcls.models.vgg import vgg

__all__ = ["alexnet", "cnn", "encoder_decoder", "mlp", "pretrained", "resnet", "unet", "vgg"]
