"""Every format that a model is exported in, for every kind of network: the same answers, alone and by the card."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from test_papers import facts

from medcls import BadInputError, models
from medcls.data.dataset import Dataset
from medcls.export.format_names import FILES
from medcls.export.formats import FORMATS, onnx
from medcls.export.formats.keras import answering, of_all_classes
from medcls.export.model_card import card
from medcls.export.parity import TOLERANCE, parity
from medcls.export.usage_snippets import LINES
from medcls.export.written_formats import cost
from medcls.inference.opening import opened
from medcls.tasks import BINARY, MULTICLASS, SEGMENTATION
from medcls.training.knn_network import voting
from medcls.training.network import network

pytestmark = pytest.mark.filterwarnings("ignore")  # of the converters, which call each other by old names

EXACT = [name for name, each in FORMATS.items() if each.exact]
KINDS = {
    "alexnet": (partial(models.alexnet, base=4, dense=(8,), dropout=0.4, spatial_dropout=0.1, batch_norm=True), BINARY),
    "resnet": (partial(models.resnet, depth=8, base=4, dropout=0.2), MULTICLASS),
    "vgg": (partial(models.vgg, base=2, dense=(8,), batch_norm=True), MULTICLASS),
    "mobilenet": (partial(models.pretrained, backbone="mobilenet_v2", alpha=0.35, dense=(8,)), MULTICLASS),
    "unet": (partial(models.unet, base=2, dropout=0.1), SEGMENTATION),
}


def made(kind: str) -> Any:
    keras.utils.set_random_seed(3)
    if kind == "neighbours":
        return neighbours()
    model, task = KINDS[kind]
    made = network(model, task, (32, 32, 3), 3 if task is MULTICLASS else 2)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.02  # not 0: where a channel hardly varies, that would magnify rounding
    made(some(40).astype(np.float32), training=True)  # else deep networks answer alike, whatever they are shown
    return of_all_classes(made)


def neighbours() -> Any:
    """Return the five nearest of 40 images by a small network's features, as a network."""
    images = keras.Input((32, 32, 3))
    pooled = keras.layers.Conv2D(8, 5, strides=4, activation="relu")(keras.layers.Rescaling(1 / 255)(images))
    body = keras.Model(images, pooled)
    known = answering(body).predict(some(40)).reshape(40, -1)
    return voting(body, known, np.arange(40) % 3, 3, count=5, normalise=False).whole


def some(count: int, shape: tuple[int, ...] = (32, 32, 3)) -> Any:
    return np.random.default_rng(1).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, "neighbours"])
def test_every_format_answers_as_the_network_does(kind: str, tmp_path: Path):
    made_, images = made(kind), some(9)
    expected, rows = answering(made_).predict(images), np.arange(9)
    assert np.ptp(expected, axis=0).max() > 1e-4  # or an equal answer would show nothing
    for name in EXACT:
        FORMATS[name].write(made_, tmp_path / FILES[name], images)
        loaded = FORMATS[name].read(tmp_path / FILES[name], made_)
        assert (loaded.takes, loaded.gives) == ((None, 32, 32, 3), (None, *expected.shape[1:])), name
        found = parity(loaded.predict, images, rows, expected)
        assert found["largest_difference"] <= TOLERANCE / 5, name
        assert found["classes_changed"] == 0, name
        for count in (1, 4):  # any number at once
            assert np.abs(loaded.predict(images[:count]) - expected[:count]).max() <= TOLERANCE, name


@pytest.mark.parametrize("name", [name for name in EXACT if name != "weights"])
def test_a_file_alone_is_a_model(name: str, tmp_path: Path):
    """Predicted with, it answers as the network does; the card's lines do so without medcls."""
    made_ = made("resnet")
    (image,) = some(1)
    Image.fromarray(image).save(tmp_path / "image.png")
    FORMATS[name].write(made_, tmp_path / FILES[name], image[None])
    with opened(str(tmp_path / FILES[name]), str, trust=True) as model:
        assert (model.size, model.channels, len(model.classes), model.numbered) == (32, 3, 3, True)
        found = model.predict(image[None])
    expected = answering(made_).predict(image[None])
    assert np.abs(found - expected).max() <= TOLERANCE
    with opened(str(tmp_path), str, trust=True) as model:  # the folder is as good as the file
        assert np.array_equal(model.predict(image[None]), found)
    (code,) = re.findall(r"```python\n(.*?)```", card(facts(formats=(name,))), re.S)
    command = [sys.executable, "-c", "import sys; sys.modules['medcls'] = None\n" + code]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    printed = [float(number) for number in re.findall(r"\d+\.?\d*(?:e-\d+)?", said.rpartition("[[")[2])]
    assert printed == pytest.approx(expected[0].tolist(), abs=1e-5)


def test_eight_bits_are_smaller_and_answer_nearly_the_same(tmp_path: Path):
    made_, images = made("alexnet"), some(20)
    expected = answering(made_).predict(images)
    for name in ("litert", "litert_int8"):
        FORMATS[name].write(made_, tmp_path / FILES[name], images)
    whole, small = (tmp_path / FILES[name] for name in ("litert", "litert_int8"))
    assert small.stat().st_size < 0.6 * whole.stat().st_size
    predict = FORMATS["litert_int8"].read(small, made_).predict
    assert 0 < np.abs(predict(images) - expected).max() < 0.2


def test_what_eight_bits_cost_is_accuracy_or_dice():
    rows, before = np.array([2, 0, 1]), np.float32([[0.9], [0.2], [0.6]])
    data = Dataset(
        np.zeros((3, 2, 2, 1), np.uint8), np.array([0, 1, 1]), np.full(3, ""), None, ("0", "1", "2"), ("a", "b")
    )
    found = cost(data, rows, before, np.float32([[0.9], [0.2], [0.4]]))
    assert found == {"score_before": 1.0, "score_after": pytest.approx(2 / 3)}
    masks = np.zeros((3, 2, 2, 1), np.uint8)
    masks[2, 0], masks[0, :, 0] = 1, 1
    answers = np.float32([[[0.9, 0.8], [0.6, 0.1]], [[0.2, 0.2], [0.2, 0.2]], [[0.1, 0.1], [0.3, 0.2]]])[..., None]
    found = cost(replace(data, masks=masks), rows, masks[rows].astype(np.float32), answers)
    assert found == {"score_before": 1.0, "score_after": pytest.approx((2 * 2 / 5 + 0) / 2)}


def test_what_is_damaged_is_refused_by_its_name(tmp_path: Path):
    for name in FORMATS:
        file = tmp_path / FILES[name]
        if name == "savedmodel":
            file.mkdir()
            file /= "saved_model.pb"
        file.write_bytes(b"nothing of the kind")
        named = re.escape(str(tmp_path / FILES[name]))
        with pytest.raises(BadInputError, match=named), opened(str(tmp_path / FILES[name]), str, trust=True):
            pass


def test_what_onnx_needs_is_named(monkeypatch: pytest.MonkeyPatch):
    onnx.check()
    monkeypatch.setattr(onnx, "NEEDED", ("numpy", "nothing_of_that_name"))
    with pytest.raises(BadInputError, match=r"nothing_of_that_name must be installed: python -m pip .*\.\[onnx\]"):
        FORMATS["onnx"].check()


def test_a_card_has_lines_for_each_format_that_is_there_and_for_no_other():
    for names in (("keras",), ("onnx", "weights"), tuple(FILES)):
        text = card(replace(facts(), formats=names))
        assert len(re.findall("```python", text)) == len(set(names) & set(LINES))
        assert ("load_weights" in text) == ("weights" in names)
