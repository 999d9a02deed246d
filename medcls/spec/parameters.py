"""The values in a variant's tree: checking, typing, naming and flattening them."""

import difflib
import inspect
import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from medcls.spec.constraints import limits_of
from medcls.utils.errors import BadInputError

Scalar = str | int | float | bool | None
LARGEST = 2**63 - 1  # whole number that arrays and stores take
LONGEST = 200  # characters of what is repeated in a sentence
REQUIRED = inspect.Parameter.empty


def is_node(value: Any) -> bool:
    """Tell whether a value is a function of the tree (bare or partial) and not a plain parameter."""
    return isinstance(value, partial) or inspect.isfunction(value)


def function_of(node: Any) -> Callable[..., Any]:
    """Return the function of a node."""
    return node.func if isinstance(node, partial) else node


def declared(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the hyper-parameters that a function declares: its keyword-only arguments."""
    parameters = inspect.signature(function).parameters
    return {name: each for name, each in parameters.items() if each.kind is inspect.Parameter.KEYWORD_ONLY}


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function is handed `name` when it runs."""
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind is not inspect.Parameter.KEYWORD_ONLY


def given_to(node: Any) -> dict[str, Any]:
    """Return the hyper-parameters that a node gives its function."""
    return dict(node.keywords) if isinstance(node, partial) else {}


def arguments_of(node: Any) -> dict[str, Any]:
    """Return a node's hyper-parameters, defaults included."""
    given = given_to(node)
    return {name: given.get(name, each.default) for name, each in declared(function_of(node)).items()}


def name_of(node: Any) -> str:
    """Return a function's public name, the same in every process: `models.resnet`, or `study_file.function`."""
    function = function_of(node)
    module = function.__module__
    if module in ("__main__", "__mp_main__"):
        module = Path(getattr(sys.modules[module], "__file__", module)).stem
    if module.startswith("medcls."):
        module = module.split(".")[1]  # the package: files may move within it
    return f"{module}.{function.__qualname__}"


def checked(path: str, node: Any) -> partial[Any]:
    """Return the node as a partial whose keywords exist and have their defaults' types.

    Raises:
        BadInputError: an unknown keyword, a missing one, a positional argument, a lambda or a wrong type.
    """
    if not is_node(node) or function_of(node).__name__ == "<lambda>":
        raise BadInputError(f"{path} must be a named function or a partial of one, not {node!r}.")
    if isinstance(node, partial) and node.args:
        raise BadInputError(f"{path}: give {name_of(node)} its parameters by keyword.")
    known = declared(function_of(node))
    given = given_to(node)
    for name in given:
        if name not in known:
            raise BadInputError(unknown(f"{path}.{name}", [f"{path}.{each}" for each in known]))
    for name, parameter in known.items():
        if name not in given and parameter.default is REQUIRED:
            raise BadInputError(f"{path}.{name} is missing: {name_of(node)} needs it.")
    typed_keywords = {name: typed(f"{path}.{name}", value, known[name].default) for name, value in given.items()}
    return partial(function_of(node), **typed_keywords)


def typed(path: str, value: Any, default: Any) -> Any:
    """Return `value` in the type of its default (0 becomes 0.0 where the default is a float)."""
    if hasattr(value, "item") and not hasattr(value, "__len__"):  # a number of NumPy's
        value = value.item()
    if is_node(value):
        return checked(path, value)
    _check_numbers(path, value)
    if default is REQUIRED or default is None or is_node(default):
        return tuple(value) if isinstance(value, list) else value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, bool) and value in (True, False):
        return bool(value)
    if isinstance(default, float) and number:
        return float(value)
    if isinstance(default, int) and not isinstance(default, bool) and number and int(value) == value:
        return int(value)
    if isinstance(default, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(default, str) and isinstance(value, str | Path):
        return str(value)
    raise BadInputError(f"{path}={shortened(repr(value))} does not fit: give it a value like its default, {default!r}.")


def _check_numbers(path: str, value: Any) -> None:
    """Complain about numbers, also in a list, that nothing can be computed with."""
    for number in value if isinstance(value, list | tuple) else (value,):
        if isinstance(number, float) and not math.isfinite(number):
            raise BadInputError(f"{path}={number} is no number to work with: give a finite one.")
        if isinstance(number, int) and not -LARGEST <= number <= LARGEST:
            raise BadInputError(f"{path} is a number of {_digits(number)} digits: give a smaller one.")


def check_limits(path: str, node: Any) -> None:
    """Call the checks that the functions of a node and of all below it carry.

    Raises:
        BadInputError: a value that its function cannot work with, by its path.
    """
    arguments = arguments_of(node)
    for check in limits_of(function_of(node)):
        try:
            check(**arguments)
        except BadInputError as error:
            raise BadInputError(f"{path}.{error}") from None
    for name, value in arguments.items():
        if is_node(value):
            check_limits(f"{path}.{name}", value)


def replaced(node: Any, path: str, value: Any) -> Any:
    """Return the node with the value at the dotted `path` below it replaced ("" is the node itself)."""
    if not path:
        return value
    name, _, rest = path.partition(".")
    keywords = given_to(node)
    current = keywords.get(name, declared(function_of(node))[name].default)
    return partial(function_of(node), **{**keywords, name: replaced(current, rest, value)})


def flattened(path: str, node: Any, *, default: bool) -> Iterator[tuple[str, Scalar, bool]]:
    """Yield (dotted path, scalar, whether it is its default) for a node and all below it."""
    yield path, name_of(node), default
    for name, parameter in declared(function_of(node)).items():
        value = arguments_of(node)[name]
        below = f"{path}.{name}"
        if is_node(value):
            same = is_node(parameter.default) and name_of(parameter.default) == name_of(value)
            yield from flattened(below, value, default=same)
        else:
            plain = json.dumps(value) if isinstance(value, tuple) else value
            yield below, plain, bool(value == parameter.default and type(value) is type(parameter.default))


def functions(path: str, node: Any) -> list[Callable[..., Any]]:
    """Return the functions of a node and of all below it."""
    below = [functions(f"{path}.{name}", each) for name, each in arguments_of(node).items() if is_node(each)]
    return [function_of(node), *(function for each in below for function in each)]


def shortened(text: str) -> str:
    """Return a text as a sentence can repeat it: whole, or its beginning where it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _digits(number: int) -> int:
    return int(math.log10(abs(number))) + 1


def unknown(name: str, known: Collection[str], kind: str = "parameter") -> str:
    """Return the sentence for a name that does not exist, with the nearest names that do.

    Args:
        name: what the user wrote.
        known: the names that exist.
        kind: what the name should be the name of.
    """
    name = shortened(name)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)[:5]
    sentence = f"Unknown {kind} '{name}'."
    return f"{sentence} Did you mean {', '.join(near)}?" if near else sentence
