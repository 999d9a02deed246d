"""Models from elsewhere: none runs code, writes a file or ends the command, unless it is said to be trusted."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import tensorflow
from export_commands import medcls
from onnx import TensorProto, helper, numpy_helper

import medcls as package
from medcls import BadInputError
from medcls.export.formats import FORMATS

pytestmark = pytest.mark.filterwarnings("ignore")  # of the converters, which call each other by old names

SIZE = 10


@pytest.fixture(scope="module")
def network() -> Any:
    keras.utils.set_random_seed(0)
    images = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(images)))
    return keras.Model(images, keras.layers.Dense(3, activation="softmax")(pooled))


@pytest.fixture
def image(tmp_path: Path, draw: Any) -> Path:
    return draw(tmp_path / "pictures", "a.png") / "a.png"


def savedmodel(folder: Path, written: Path) -> Path:
    """Write a SavedModel of two classes that writes a file whenever it is asked."""

    class Writer(tensorflow.Module):
        @tensorflow.function(input_signature=[tensorflow.TensorSpec((None, SIZE, SIZE, 3), tensorflow.float32)])
        def serve(self, images: Any) -> Any:
            tensorflow.io.write_file(str(written), "I was here")
            return tensorflow.fill([tensorflow.shape(images)[0], 2], 0.5)

    module = Writer()
    tensorflow.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert medcls(*arguments) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err


@pytest.mark.parametrize("inner", ["", "savedmodel", "model.keras", "model.onnx"])
def test_a_savedmodel_is_opened_only_if_it_is_trusted(inner: str, tmp_path: Path, image: Path, capsys: Any) -> None:
    written = tmp_path / "written"
    folder = tmp_path / "folder"
    savedmodel(folder / inner, written)
    for place in {folder, folder / inner}:
        for command in (("predict", place, image), ("explain", place, image, "--out", tmp_path / "heat")):
            sentence = refused(capsys, *command)
            for word in ("SavedModel", "program", "write files", "--trust", "trust=True"):
                assert word in sentence
        with pytest.raises(BadInputError, match="--trust"):
            package.load(place)
    assert not written.exists()
    assert medcls("predict", folder, image, "--trust", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)[0]["probabilities"].values()) == [0.5, 0.5]
    assert written.read_text() == "I was here"
    assert package.load(folder, trust=True).predict(image).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("trust", [(), ("--trust",)])
@pytest.mark.parametrize("name", ["model.keras", "model.onnx", "model.tflite"])
def test_a_savedmodel_beside_a_safe_model_is_not_opened(
    name: str, trust: tuple[str, ...], network: Any, tmp_path: Path, image: Path, capsys: Any
) -> None:
    folder, written = tmp_path / "folder", tmp_path / "written"
    savedmodel(folder, written)  # saved_model.pb lies in the folder itself
    savedmodel(folder / "savedmodel", written)
    formats = {"model.keras": "keras", "model.onnx": "onnx", "model.tflite": "litert"}
    FORMATS[formats[name]].write(network, folder / name, np.zeros((1, SIZE, SIZE, 3), np.uint8))
    assert medcls("predict", folder, image, "--json", *trust) == 0
    assert len(json.loads(capsys.readouterr().out)[0]["probabilities"]) == 3
    assert not written.exists()


@pytest.mark.parametrize("suffix", [".keras", ".hdf5", ".h5"])
def test_a_keras_file_with_code_in_it_is_refused(suffix: str, tmp_path: Path, image: Path, capsys: Any) -> None:
    written = tmp_path / "written"
    images = keras.Input((SIZE, SIZE, 3))
    code = keras.layers.Lambda(eval(f"lambda x: (open({str(written)!r}, 'w').close(), x)[1]"))
    answers = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(code(images)))
    keras.Model(images, answers).save(tmp_path / f"model{suffix}")
    written.unlink(missing_ok=True)  # Keras has called the layer to know its shape
    assert f"model{suffix}" in refused(capsys, "predict", tmp_path / f"model{suffix}", image, "--trust")
    assert not written.exists()


def external(path: Path, location: str, *, in_a_constant: bool) -> None:
    """Write an ONNX model of three classes whose weights lie in another file."""
    weights = numpy_helper.from_array(np.zeros((SIZE * SIZE * 3, 3), np.float32), "weights")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    constant = [helper.make_node("Constant", [], ["weights"], value=weights)] if in_a_constant else []
    nodes = [
        *constant,
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["answers"]),
    ]
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, SIZE, SIZE, 3])
    told = helper.make_tensor_value_info("answers", TensorProto.FLOAT, [None, 3])
    graph = helper.make_graph(nodes, "graph", [given], [told], [] if in_a_constant else [weights])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(made.SerializeToString())


@pytest.mark.parametrize("in_a_constant", [False, True])
@pytest.mark.parametrize("where", ["above", "absolute", "link"])
def test_an_onnx_model_that_reads_files_elsewhere_is_refused(
    where: str, in_a_constant: bool, tmp_path: Path, image: Path, capsys: Any
) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(SIZE * SIZE * 3 * 3 * 4))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(secret)
    location = {"above": "../secret.bin", "absolute": str(secret), "link": "link.bin"}[where]
    external(folder / "model.onnx", location, in_a_constant=in_a_constant)
    sentence = refused(capsys, "predict", folder, image)
    assert location in sentence
    assert "outside its directory" in sentence


def test_an_onnx_model_with_its_weights_beside_it_is_read(tmp_path: Path, image: Path, capsys: Any) -> None:
    (tmp_path / "model.onnx.data").write_bytes(bytes(SIZE * SIZE * 3 * 3 * 4))
    external(tmp_path / "model.onnx", "model.onnx.data", in_a_constant=False)
    onnx.checker.check_model(str(tmp_path / "model.onnx"))
    assert medcls("predict", tmp_path / "model.onnx", image, "--json") == 0
    values = json.loads(capsys.readouterr().out)[0]["probabilities"].values()
    assert list(values) == pytest.approx([1 / 3] * 3)


def test_a_tflite_file_that_kills_its_reader_costs_one_sentence(
    network: Any, tmp_path: Path, image: Path, capsys: Any
) -> None:
    whole = tmp_path / "whole.tflite"
    FORMATS["litert"].write(network, whole, np.zeros((1, SIZE, SIZE, 3), np.uint8))
    assert medcls("predict", whole, image, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)[0]["probabilities"]) == 3
    content = bytearray(whole.read_bytes())
    content[:4] = b"\xff\xff\xff\x7f"  # where the table of everything begins: two gigabytes further on
    for name in ("damaged.tflite", "DAMAGED.TFLITE"):
        (tmp_path / name).write_bytes(content)
        sentence = refused(capsys, "predict", tmp_path / name, image)
        assert name in sentence
        assert "cannot be read as a LiteRT model" in sentence


@pytest.mark.slow
def test_no_damage_to_a_tflite_file_ends_the_command(network: Any, tmp_path: Path, image: Path, capsys: Any) -> None:
    """Cut short or with some bits turned, a file is read or refused; half of them end the process that reads them."""
    whole, damaged = tmp_path / "whole.tflite", tmp_path / "damaged.tflite"
    FORMATS["litert"].write(network, whole, np.zeros((1, SIZE, SIZE, 3), np.uint8))
    draws, killed = np.random.default_rng(0), 0
    for number in range(12):
        content = bytearray(whole.read_bytes())
        if number % 4 == 0:
            del content[draws.integers(len(content)) :]
        else:
            for position in draws.integers(0, len(content), 1 + number % 12):
                content[position] ^= 1 << int(draws.integers(8))
        damaged.write_bytes(content)
        code = medcls("predict", damaged, image, "--json")
        said = capsys.readouterr()
        assert code in (0, 2), number
        if code == 2:
            assert (said.out, said.err.count("\n")) == ("", 1), number
            killed += "by signal" in said.err
        else:
            shutil.copy(damaged, tmp_path / f"{number}.tflite")
    assert killed > 0
