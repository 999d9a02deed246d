"""Backbones from keras.applications: how each is built, how its input is scaled, and where its weights come from."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

UNIT, OWN = "unit", "own"
RAW = "none"  # the mode of networks that take 0..255 and scale their input themselves
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # the widths of MobileNetV2 for which there are ImageNet weights


@dataclass(frozen=True)
class Backbone:
    """A network for which there are ImageNet weights (Deng et al. 2009).

    Attributes:
        function: its function in keras.applications.
        mode: how its `preprocess_input` scales images: "caffe", "tf", "torch" or "none" (0..255, unchanged).
        file: the name of Keras's file of its weights without the top; {alpha} is the width multiplier.
        smallest: height and width of the smallest image that the network takes.
        layers: the dense layers that may be used as features.
    """

    function: str
    mode: str
    file: str
    smallest: int = 32
    layers: tuple[str, ...] = ()


TENSORFLOW = "weights_tf_dim_ordering_tf_kernels"


def _backbones() -> dict[str, Backbone]:
    backbones = {
        "mobilenet_v2": Backbone("MobileNetV2", "tf", f"mobilenet_v2_{TENSORFLOW}_{{alpha}}_224_no_top.h5"),
        "xception": Backbone("Xception", "tf", f"xception_{TENSORFLOW}_notop.h5", 71),
        "inception_v3": Backbone("InceptionV3", "tf", f"inception_v3_{TENSORFLOW}_notop.h5", 75),
    }
    for name in ("vgg16", "vgg19"):
        file = f"{name}_{TENSORFLOW}_notop.h5"
        backbones[name] = Backbone(name.upper(), "caffe", file, layers=("fc1", "fc2"))
    for depth in (50, 101, 152):
        file, file_v2 = f"resnet{depth}_{TENSORFLOW}_notop.h5", f"resnet{depth}v2_{TENSORFLOW}_notop.h5"
        backbones[f"resnet{depth}"] = Backbone(f"ResNet{depth}", "caffe", file)
        backbones[f"resnet{depth}_v2"] = Backbone(f"ResNet{depth}V2", "tf", file_v2)
    for depth in (121, 169, 201):
        file = f"densenet{depth}_{TENSORFLOW}_notop.h5"
        backbones[f"densenet{depth}"] = Backbone(f"DenseNet{depth}", "torch", file)
    for size in ("b0", "b1", "b2", "b3"):
        file = f"efficientnetv2-{size}_notop.h5"
        backbones[f"efficientnet_v2_{size}"] = Backbone(f"EfficientNetV2{size.upper()}", RAW, file)
    return backbones


BACKBONES = MappingProxyType(_backbones())
"""Name -> the backbone."""


def check(*, backbone: str, alpha: float, layer: str, preprocessing: str, **_: object) -> None:
    """Check the parameters that choose a backbone and its features.

    Raises:
        BadInputError: a parameter is unknown or does not go with another; the message names possible values.
    """
    if backbone not in BACKBONES:
        near = difflib.get_close_matches(backbone, BACKBONES, n=3, cutoff=0.3) or sorted(BACKBONES)
        raise BadInputError(f"backbone={backbone!r} is unknown: the nearest are {', '.join(near)}.")
    if alpha not in (ALPHAS if backbone == "mobilenet_v2" else (1.0,)):
        raise BadInputError(f"alpha={alpha:g}: use 1, or for mobilenet_v2 {', '.join(map(str, ALPHAS))}.")
    if layer and layer not in BACKBONES[backbone].layers:
        raise BadInputError(f"layer={layer!r}: leave it out, or say fc1 or fc2 of vgg16 or vgg19.")
    if preprocessing not in (UNIT, OWN):
        raise BadInputError(f"preprocessing={preprocessing!r} is unknown: use {UNIT!r} (0..1) or {OWN!r} (its own).")
    if preprocessing == UNIT and BACKBONES[backbone].mode == RAW:
        raise BadInputError(
            f"preprocessing={UNIT!r} scales images to 0..1, but {backbone} expects 0..255 and would see black images. "
            f"Say {OWN!r}."
        )


def features(images: KerasTensor, backbone: str, alpha: float, layer: str, preprocessing: str) -> KerasTensor:
    """Return the features of a backbone with random weights: its last feature maps, or one of its dense layers.

    Args:
        images: Keras tensor of shape (batch, height, width, 1 or 3), 0..1. A gray channel is
            repeated three times.
        backbone: a name in BACKBONES.
        alpha: the width multiplier of mobilenet_v2.
        layer: the name of a dense layer, "" for the last feature maps.
        preprocessing: "unit" (0..1, unchanged) or "own" (the backbone's `preprocess_input`).

    Returns:
        Keras tensor of shape (batch, height, width, channels), or (batch, features) of a dense layer.

    Raises:
        BadInputError: the images are too small, or the data are points.
    """
    entry = BACKBONES[backbone]
    if len(images.shape) != 4:
        raise BadInputError(f"{backbone} needs images, but these data are points: use other data or another model.")
    if min(images.shape[1:3]) < entry.smallest:
        (height, width), least = images.shape[1:3], entry.smallest
        raise BadInputError(
            f"{backbone} takes images from {least}x{least} up, not {height}x{width}: set data.size={least}."
        )
    colours = images if images.shape[-1] == 3 else keras.layers.Concatenate(name="three_channels")([images] * 3)
    scaled = _preprocessed(colours, entry.mode) if preprocessing == OWN else colours
    options = {"alpha": alpha} if backbone == "mobilenet_v2" else {}
    build = getattr(keras.applications, entry.function)
    network = build(include_top=bool(layer), weights=None, input_tensor=scaled, **options)
    return network.get_layer(layer).output if layer else network.output


def _preprocessed(images: KerasTensor, mode: str) -> KerasTensor:
    """Return images, 0..1, scaled as `preprocess_input` scales them, in layers that every export format supports."""
    if mode == "tf":
        return keras.layers.Rescaling(2.0, -1.0, name="preprocessing")(images)
    if mode == "torch":
        variance = [0.229**2, 0.224**2, 0.225**2]
        return keras.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=variance, name="preprocessing")(images)
    to_255 = keras.layers.Rescaling(255.0, name="to_255")(images)
    if mode == RAW:
        return to_255
    blue_first = keras.ops.flip(to_255, axis=-1)
    return keras.layers.Normalization(mean=[103.939, 116.779, 123.68], variance=[1.0] * 3, name="preprocessing")(
        blue_first
    )


def imagenet_file(backbone: str, alpha: float, layer: str) -> Path:
    """Return where Keras keeps the ImageNet weights of a backbone once they are downloaded.

    Args:
        backbone: a name in BACKBONES.
        alpha: the width multiplier of mobilenet_v2.
        layer: the name of a dense layer, for which the top is needed, or "".
    """
    name = BACKBONES[backbone].file.format(alpha=alpha)
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    if layer:
        name = name.replace("_notop", "")
    return Path(os.path.expanduser(home)) / "models" / name  # noqa: PTH111


def download(backbone: str, alpha: float, layer: str) -> Path:
    """Let Keras download the ImageNet weights of a backbone, unless they are in its cache, and return their file.

    Args:
        backbone: a name in BACKBONES.
        alpha: the width multiplier of mobilenet_v2.
        layer: the name of a dense layer, for which the top is needed, or "".

    Raises:
        Exception: the weights cannot be downloaded or read, with Keras's own message.
    """
    shape = {"alpha": alpha, "input_shape": (224, 224, 3)} if backbone == "mobilenet_v2" else {}
    getattr(keras.applications, BACKBONES[backbone].function)(include_top=bool(layer), weights="imagenet", **shape)
    return imagenet_file(backbone, alpha, layer)
