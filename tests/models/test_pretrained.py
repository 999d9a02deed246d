"""Borrowed networks: exact sizes, the preprocessing that they were trained with, and the files that Keras keeps."""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from medcls import BadInputError, models
from medcls.models import backbones
from medcls.tasks import BINARY
from medcls.training.backbone import blocks_of, halves
from medcls.training.network import network

TINY = {"pooling": "average", "dense": (), "dropout": 0.0}


def test_the_head_of_the_course_has_its_exact_size_on_vgg16():
    parts = halves(network(models.pretrained, BINARY, (224, 224, 3), 2))
    assert parts.body.count_params() == 14_714_688
    assert parts.head.count_params() == 3_211_521
    assert parts.whole.count_params() == 14_714_688 + 3_211_521
    assert [len(block) for block in blocks_of(parts.body)] == [2, 2, 3, 3, 3]


@pytest.mark.slow  # half a gigabyte of weights
def test_vgg19_up_to_its_first_dense_layer_has_its_exact_size():
    model = partial(models.pretrained, backbone="vgg19", layer="fc1", dense=(), dropout=0.0)
    assert halves(network(model, BINARY, (224, 224, 3), 2)).body.count_params() == 122_788_928


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch", "none"])
def test_own_preprocessing_is_that_of_keras(mode: str):
    name = next(name for name, each in backbones.BACKBONES.items() if each.mode == mode)
    images = keras.Input((4, 4, 3))
    net = keras.Model(images, backbones._preprocessed(images, mode))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.float32)
    module = {"caffe": "vgg16", "tf": "mobilenet_v2", "torch": "densenet", "none": "efficientnet_v2"}[mode]
    expected = getattr(keras.applications, module).preprocess_input(pixels.copy())
    np.testing.assert_allclose(net.predict(pixels / 255, verbose=0), expected, atol=1e-3, err_msg=name)


class AskedError(Exception):
    """Raised in place of a download."""


@pytest.mark.parametrize(
    ("name", "alpha", "layer"),
    [
        ("vgg16", 1.0, ""),
        pytest.param("mobilenet_v2", 0.35, "", marks=pytest.mark.slow),
        pytest.param("densenet121", 1.0, "", marks=pytest.mark.exhaustive),
        pytest.param("vgg19", 1.0, "fc1", marks=pytest.mark.exhaustive),  # half a gigabyte of weights
    ],
)
def test_the_file_to_put_is_the_one_that_keras_asks_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, alpha: float, layer: str
):
    asked: list[str] = []

    def get_file(fname: str, *_: Any, **__: Any) -> str:
        asked.append(fname)
        raise AskedError

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(AskedError):
        backbones.download(name, alpha, layer)
    assert backbones.imagenet_file(name, alpha, layer) == tmp_path / "models" / asked[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"backbone": "vgg61"}, r"backbone='vgg61' is unknown: the nearest are vgg19"),
        ({"alpha": 0.35}, r"alpha=0\.35: use 1, or for mobilenet_v2"),
        ({"layer": "fc3"}, r"layer='fc3': leave it out"),
        ({"preprocessing": "mine"}, r"preprocessing='mine' is unknown"),
        *(
            (
                {"backbone": f"efficientnet_v2_{size}"},
                r"preprocessing='unit' .*expects 0\.\.255.* black images\. Say 'own'",
            )
            for size in ("b0", "b3")
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str):
    known = {"backbone": "vgg16", "alpha": 1.0, "layer": "", "preprocessing": "unit"}
    with pytest.raises(BadInputError, match=words):
        backbones.check(**{**known, **given})


def test_images_that_are_too_small_are_refused():
    with pytest.raises(BadInputError, match=r"vgg16 takes images from 32x32 up, not 8x8: set data\.size=32"):
        models.pretrained(keras.Input((8, 8, 3)), **TINY)
    with pytest.raises(BadInputError, match=r"needs images.*points"):
        models.pretrained(keras.Input((2,)), **TINY)
