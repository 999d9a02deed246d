"""The parameters of a variant, which is a tree of functions: they are checked, typed, named and flattened here."""

import difflib
import inspect
import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from medcls.spec.constraints import limits_of
from medcls.utils.errors import BadInputError

Scalar = str | int | float | bool | None
"""A parameter as it is recorded."""

Function = Callable[..., Any]
"""A function of a variant's tree, bare or as a partial with its hyper-parameters: a node."""

LARGEST = 2**63 - 1  # the largest whole number that arrays and stores can hold
LONGEST = 200  # characters of the user's text that a message repeats
REQUIRED = inspect.Parameter.empty


def is_node(value: object) -> TypeGuard[Function]:
    """Return whether a value is a function of the tree (bare or partial) instead of a plain parameter."""
    return isinstance(value, partial) or inspect.isfunction(value)


def function_of(node: Function) -> Function:
    """Return the bare function of a node."""
    return node.func if isinstance(node, partial) else node


def declared(function: Function) -> Mapping[str, inspect.Parameter]:
    """Return the hyper-parameters that a function declares: its keyword-only arguments."""
    parameters = inspect.signature(function).parameters.values()
    return {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}


def takes(function: Function, name: str) -> bool:
    """Return whether a function has a positional argument `name`, which it is given when it runs."""
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind is not inspect.Parameter.KEYWORD_ONLY


def given_to(node: Function) -> dict[str, Any]:
    """Return the hyper-parameters that a node sets, without defaults."""
    return dict(node.keywords) if isinstance(node, partial) else {}


def arguments_of(node: Function) -> dict[str, Any]:
    """Return all hyper-parameters of a node, defaults included."""
    arguments = {}
    given = given_to(node)
    for name, parameter in declared(function_of(node)).items():
        arguments[name] = given.get(name, parameter.default)
    return arguments


def name_of(node: Function) -> str:
    """Return a function's public name, which is equal in every process: `models.resnet` or `study_file.function`."""
    function = function_of(node)
    module = function.__module__
    if module in ("__main__", "__mp_main__"):
        module = Path(getattr(sys.modules[module], "__file__", module)).stem
    if module.startswith("medcls."):
        module = module.split(".")[1]  # the package: files may move within it
    return f"{module}.{function.__qualname__}"


def checked(path: str, node: object) -> partial[Any]:
    """Return a node as a partial whose keywords exist and have the types of their defaults.

    Raises:
        BadInputError: an unknown or missing keyword, a positional argument, a lambda, or a value of a wrong type.
    """
    if not is_node(node) or function_of(node).__name__ == "<lambda>":
        raise BadInputError(f"{path} must be a named function or a partial of one, not {node!r}.")
    if isinstance(node, partial) and node.args:
        raise BadInputError(f"{path}: give the parameters of {name_of(node)} by keyword.")
    parameters = declared(function_of(node))
    keywords = {}
    for name, value in given_to(node).items():
        if name not in parameters:
            raise BadInputError(unknown(f"{path}.{name}", [f"{path}.{parameter}" for parameter in parameters]))
        keywords[name] = typed(f"{path}.{name}", value, parameters[name].default)
    for name, parameter in parameters.items():
        if name not in keywords and parameter.default is REQUIRED:
            raise BadInputError(f"{path}.{name} is missing: {name_of(node)} requires it.")
    return partial(function_of(node), **keywords)


def typed(path: str, value: Any, default: Any) -> Any:
    """Return a value in the type of its default: 0 becomes 0.0 if the default is a float.

    Args:
        path: the dotted path of the parameter, for messages.
        value: the value.
        default: the parameter's default; anything is taken if there is none, or if the default is None or a function.

    Raises:
        BadInputError: a value that does not fit the type of the default.
    """
    if hasattr(value, "item") and not hasattr(value, "__len__"):  # a scalar of NumPy
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
    raise BadInputError(f"{path}={shortened(repr(value))} does not fit: give a value like the default, {default!r}.")


def _check_numbers(path: str, value: object) -> None:
    """Refuse numbers, also in a list, that nothing can be computed with."""
    for number in value if isinstance(value, list | tuple) else (value,):
        if isinstance(number, float) and not math.isfinite(number):
            raise BadInputError(f"{path}={number} is not a finite number: give a finite one.")
        if isinstance(number, int) and not -LARGEST <= number <= LARGEST:
            raise BadInputError(f"{path} has {int(math.log10(abs(number))) + 1} digits: give a smaller number.")


def check_limits(path: str, node: Function) -> None:
    """Call the checks that are attached to the functions of a node and of all nodes below it.

    Raises:
        BadInputError: a value outside the limits of its function.
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


def replaced(node: Any, path: str, value: object) -> Any:
    """Return a node with one value below it replaced.

    Args:
        node: the node.
        path: the dotted path of the value, seen from the node; "" stands for the node itself.
        value: the new value.
    """
    if not path:
        return value
    name, _, rest = path.partition(".")
    keywords = given_to(node)
    current = keywords.get(name, declared(function_of(node))[name].default)
    return partial(function_of(node), **{**keywords, name: replaced(current, rest, value)})


def flattened(path: str, node: Function, *, default: bool) -> Iterator[tuple[str, Scalar, bool]]:
    """Yield the dotted path of a node and of every parameter below it, its value, and whether that is the default.

    Args:
        path: the dotted path of the node.
        node: the node.
        default: whether the node is the default of the parameter that holds it.
    """
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


def functions(path: str, node: Function) -> list[Function]:
    """Return the functions of a node and of all nodes below it."""
    found = [function_of(node)]
    for name, value in arguments_of(node).items():
        if is_node(value):
            found += functions(f"{path}.{name}", value)
    return found


def shortened(text: str) -> str:
    """Return a text for a message: whole, or only its beginning if it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


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
