"""Where in a user's own code an error arose: the innermost line of it, whatever libraries are around."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medcls import BadInputError, TrainingError
from medcls.utils.tracing import TRACEBACK, explained, message, told, users_frame

OWN = """
import json
import numpy as np
from medcls.data.readers.images import fit


def by_hand(given):
    return {}[given]  # here: KeyError


def in_numpy(given):
    return np.zeros(3).reshape(2, 2)  # here: ValueError


def in_medcls(given):
    return fit(None, 8, 1)  # here: AttributeError


def through_python(given):
    return json.dumps(given, default=by_hand_again)


def by_hand_again(given):
    raise TypeError("first line\\nsecond line")  # again: TypeError


def from_another(given):
    try:
        by_hand(given)
    except KeyError as error:
        raise_elsewhere(error)


def in_layer(given):
    import keras

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x.no_such  # layer: AttributeError

    return Mine()(keras.Input((3,)))


def in_graph(given):
    import tensorflow as tf

    def double(x):
        return tf.reshape(x, [7, 7])  # graph: ValueError

    return list(tf.data.Dataset.from_tensor_slices([[1.0, 2.0]]).map(double))


def as_it_runs(given):
    import tensorflow as tf

    @tf.function
    def checked(x):
        tf.debugging.assert_less(x, 1.0, message="too large")
        return x

    return checked(tf.constant(2.0))
"""


@pytest.fixture
def own(tmp_path: Path) -> Any:
    file = tmp_path / "own_functions.py"
    file.write_text(OWN)
    spec = importlib.util.spec_from_file_location("own_functions", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raised(function: Callable[[Any], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each raises an own kind
        function(object())
    here = caught.value.__traceback__
    assert here is not None
    return caught.value.with_traceback(here.tb_next)  # without this test's own frame


def line_of(text: str) -> int:
    (number,) = (number for number, line in enumerate(OWN.splitlines(), 1) if text in line)
    return number


@pytest.mark.parametrize(
    ("name", "mark", "function"),
    [
        ("by_hand", "here: KeyError", "by_hand"),
        ("in_numpy", "here: ValueError", "in_numpy"),
        ("in_medcls", "here: AttributeError", "in_medcls"),
        ("through_python", "again: TypeError", "by_hand_again"),
        ("in_layer", "layer: AttributeError", "call"),
        ("in_graph", "graph: ValueError", "double"),
    ],
)
def test_the_innermost_own_line_is_told(own: Any, name: str, mark: str, function: str) -> None:
    error = raised(getattr(own, name))
    sentence = told(error)
    kind = mark.partition(": ")[2]
    assert sentence.startswith(f"{own.__file__}, line {line_of(mark)}, in {function}: {kind}: ")
    assert "\n" not in sentence
    assert "\x1b" not in sentence


def test_of_long_messages_the_line_that_matters_is_told(own: Any) -> None:
    assert message(raised(own.through_python)) == "first line"
    assert "no_such" in message(raised(own.in_layer))
    assert "too large" in told(raised(own.as_it_runs))
    assert "reshape" in message(raised(own.in_graph)).lower()


def test_what_was_raised_because_of_it_arose_there_too(own: Any) -> None:
    library: dict[str, Any] = {}
    code = 'def raise_elsewhere(error):\n    raise RuntimeError("it failed") from error\n'
    exec(compile(code, json.__file__, "exec"), library)
    own.raise_elsewhere = library["raise_elsewhere"]
    place = f"{own.__file__}, line {line_of('raise_elsewhere(error)')}, in from_another"
    assert told(raised(own.from_another)) == f"{place}: RuntimeError: it failed"
    before = KeyError("x")
    before.__traceback__ = raised(own.by_hand).__traceback__
    error = RuntimeError("no place")
    error.__cause__ = before
    assert told(error) == f"{own.__file__}, line {line_of('here: KeyError')}, in by_hand: RuntimeError: no place"


def test_a_file_that_python_cannot_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "torn.py"
    file.write_text("x = 1\nif x\n")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(), str(file), "exec")
    assert told(caught.value).startswith(f"{file}, line 2: SyntaxError: expected ':'")


def test_what_no_code_of_the_users_raised_stays_as_it_is(tmp_path: Path) -> None:
    assert users_frame(raised(json.dumps)) is None
    assert told(raised(json.dumps)).startswith("TypeError: Object of type object is not JSON")


@pytest.mark.parametrize("error", [BadInputError("a"), TrainingError("b"), OSError("c")])
def test_what_is_a_sentence_already_stays_as_it_is(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught, explained(tmp_path / "new", BadInputError):
        raise error
    assert caught.value is error
    assert not (tmp_path / "new").exists()


def test_the_traceback_is_kept_beside_the_sentence(own: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught, explained(tmp_path / "new", BadInputError):
        own.by_hand(3)
    assert str(caught.value).endswith(f"KeyError: 3 (the traceback is in {tmp_path / 'new' / TRACEBACK}).")
    assert "here: KeyError" in (tmp_path / "new" / TRACEBACK).read_text()
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"KeyError: 3\.$"), explained(tmp_path / "file", TrainingError):
        own.by_hand(3)
