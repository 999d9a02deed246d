"""The networks of keras.applications that features can be borrowed from: how each is built, fed and downloaded."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor

UNIT, OWN = "unit", "own"
RAW = "none"  # the mode of networks that take 0..255 and scale it themselves
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # of the MobileNetV2s that were trained on ImageNet


@dataclass(frozen=True)
class Backbone:
    """A network trained on ImageNet (Deng et al. 2009).

    Attributes:
        function: its function in keras.applications.
        mode: what its `preprocess_input` does: "caffe", "tf", "torch" or RAW, "none" (0..255 as they are).
        file: Keras's file of its weights without the top; {alpha} is its width.
        smallest: height and width of the smallest image that it takes.
        layers: dense layers that its features may be taken from, too.
    """

    function: str
    mode: str
    file: str
    smallest: int = 32
    layers: tuple[str, ...] = ()


TENSORFLOW = "weights_tf_dim_ordering_tf_kernels"
BACKBONES = MappingProxyType(
    {
        **{
            name: Backbone(name.upper(), "caffe", f"{name}_{TENSORFLOW}_notop.h5", layers=("fc1", "fc2"))
            for name in ("vgg16", "vgg19")
        },
        **{
            f"resnet{depth}": Backbone(f"ResNet{depth}", "caffe", f"resnet{depth}_{TENSORFLOW}_notop.h5")
            for depth in (50, 101, 152)
        },
        **{
            f"resnet{depth}_v2": Backbone(f"ResNet{depth}V2", "tf", f"resnet{depth}v2_{TENSORFLOW}_notop.h5")
            for depth in (50, 101, 152)
        },
        **{
            f"densenet{depth}": Backbone(f"DenseNet{depth}", "torch", f"densenet{depth}_{TENSORFLOW}_notop.h5")
            for depth in (121, 169, 201)
        },
        **{
            f"efficientnet_v2_{size}": Backbone(f"EfficientNetV2{size.upper()}", RAW, f"efficientnetv2-{size}_notop.h5")
            for size in ("b0", "b1", "b2", "b3")
        },
        "mobilenet_v2": Backbone("MobileNetV2", "tf", f"mobilenet_v2_{TENSORFLOW}_{{alpha}}_224_no_top.h5"),
        "xception": Backbone("Xception", "tf", f"xception_{TENSORFLOW}_notop.h5", 71),
        "inception_v3": Backbone("InceptionV3", "tf", f"inception_v3_{TENSORFLOW}_notop.h5", 75),
    }
)


def check(*, backbone: str, alpha: float, layer: str, preprocessing: str, **_: object) -> None:
    """Check the parameters that say which network's features are meant.

    Raises:
        BadInputError: one of them cannot be; the ones that can are named.
    """
    if backbone not in BACKBONES:
        near = difflib.get_close_matches(backbone, BACKBONES, n=3, cutoff=0.3) or sorted(BACKBONES)
        raise BadInputError(f"backbone={backbone!r} is unknown: the nearest are {', '.join(near)}.")
    if alpha not in (ALPHAS if backbone == "mobilenet_v2" else (1.0,)):
        raise BadInputError(f"alpha={alpha:g}: say 1, or for mobilenet_v2 {', '.join(map(str, ALPHAS))}.")
    if layer and layer not in BACKBONES[backbone].layers:
        raise BadInputError(f"layer={layer!r}: leave it out, or say fc1 or fc2 of vgg16 or vgg19.")
    if preprocessing not in (UNIT, OWN):
        raise BadInputError(f"preprocessing={preprocessing!r} is unknown: say {UNIT!r} (0..1) or {OWN!r} (its own).")
    if preprocessing == UNIT and BACKBONES[backbone].mode == RAW:
        raise BadInputError(
            f"preprocessing={UNIT!r} gives {backbone} 0..1, and its first layer was made for 0..255: it would see "
            f"black. Say {OWN!r}."
        )


def features(images: KerasTensor, backbone: str, alpha: float, layer: str, preprocessing: str) -> KerasTensor:
    """Return the features of a network without its top, or of one of its dense layers, with random weights.

    Args:
        images: Keras tensor of shape (batch, height, width, 1 or 3), 0..1. Grey is repeated in three channels.
        backbone: a name in BACKBONES.
        alpha: the width of mobilenet_v2.
        layer: a dense layer, "" for the last maps.
        preprocessing: "unit" (0..1 as they are) or "own" (the network's `preprocess_input`).

    Raises:
        BadInputError: the images are too small, or points.
    """
    known = BACKBONES[backbone]
    if len(images.shape) != 4:
        raise BadInputError(f"{backbone} sees images, and these are points: give other data or another model.")
    if min(images.shape[1:3]) < known.smallest:
        small, least = "x".join(map(str, images.shape[1:3])), known.smallest
        raise BadInputError(f"{backbone} takes images from {least}x{least} up, not {small}: set data.size={least}.")
    colours = images if images.shape[-1] == 3 else keras.layers.Concatenate(name="three_channels")([images] * 3)
    scaled = _preprocessed(colours, known.mode) if preprocessing == OWN else colours
    width = {"alpha": alpha} if backbone == "mobilenet_v2" else {}
    build = getattr(keras.applications, known.function)
    whole = build(include_top=bool(layer), weights=None, input_tensor=scaled, **width)
    return whole.get_layer(layer).output if layer else whole.output


def _preprocessed(images: KerasTensor, mode: str) -> KerasTensor:
    """Return images, 0..1, as `preprocess_input` of keras.applications makes them, in layers that every format has."""
    if mode == "tf":
        return keras.layers.Rescaling(2.0, -1.0, name="preprocessing")(images)
    if mode == "torch":
        variance = [0.229**2, 0.224**2, 0.225**2]
        return keras.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=variance, name="preprocessing")(images)
    whole = keras.layers.Rescaling(255.0, name="to_255")(images)
    if mode == RAW:
        return whole
    blue_first = keras.ops.flip(whole, axis=-1)
    return keras.layers.Normalization(mean=[103.939, 116.779, 123.68], variance=[1.0] * 3, name="preprocessing")(
        blue_first
    )


def imagenet_file(backbone: str, alpha: float, layer: str) -> Path:
    """Return where Keras keeps a network's ImageNet weights once they are downloaded."""
    name = BACKBONES[backbone].file.format(alpha=alpha)
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    return Path(os.path.expanduser(home)) / "models" / (name.replace("_notop", "") if layer else name)  # noqa: PTH111


def download(backbone: str, alpha: float, layer: str) -> Path:
    """Have Keras download a network's ImageNet weights, unless they are in its cache, and return their file.

    Raises:
        Exception: they cannot be downloaded or read, with what Keras says of it.
    """
    shape = {"alpha": alpha, "input_shape": (224, 224, 3)} if backbone == "mobilenet_v2" else {}
    getattr(keras.applications, BACKBONES[backbone].function)(include_top=bool(layer), weights="imagenet", **shape)
    return imagenet_file(backbone, alpha, layer)
