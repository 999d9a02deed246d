"""Parse the texts of --set: numbers, words, and functions with their parameters, written as medcls prints them."""

import ast
import inspect
import json
import sys
import warnings
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

from medcls.spec.parameters import (
    Function,
    arguments_of,
    checked,
    declared,
    flattened,
    function_of,
    given_to,
    is_node,
    replaced,
    shortened,
    unknown,
)
from medcls.utils.errors import BadInputError


def set_text(root: str, node: Function, path: str, text: str) -> partial[Any]:
    """Return a node with one parameter set to the value that a text describes.

    Args:
        root: the dotted path of the node, such as "learner".
        node: the node.
        path: the dotted path of the parameter, which begins with `root`.
        text: the value as a text.

    Raises:
        BadInputError: an unknown parameter, or a value that does not fit.
    """
    paths = [path for path, _, _ in flattened(root, node, default=False)]
    if path not in paths:
        raise BadInputError(unknown(path, paths))
    below = path.removeprefix(root).removeprefix(".")
    current = node
    for name in below.split(".") if below else ():
        current = arguments_of(current)[name]
    return checked(root, replaced(node, below, parsed(path, text, current)))


def parsed(path: str, text: str, current: Any) -> Any:
    """Return the value that a text on the command line describes.

    A function is named as its package exports it. If only the name is given (`learner.schedule=cosine`), the new
    function keeps the values of parameters that the current function also has. With parameters in parentheses
    (`learner.schedule=step(every=4, factor=0.5)`), all others have their defaults. Other values are read as JSON, and
    taken as text if they are not JSON.

    Args:
        path: the dotted path of the parameter, for messages.
        text: the text.
        current: the current value of the parameter.

    Raises:
        BadInputError: an unknown function, or parameters that cannot be read.
    """
    if is_node(current):
        return _function(path, text, current)
    if isinstance(current, str):
        return text
    try:
        return json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except (ValueError, RecursionError):  # not JSON, or too many digits or brackets
        return text


def _function(path: str, text: str, current: Function) -> partial[Any]:
    """Return the function that a text names, with its parameters."""
    name, arguments = _call(path, text)
    chosen = _named(path, name, function_of(current))
    if arguments is None:
        shared = arguments_of(current).keys() & declared(chosen).keys()
        return partial(chosen, **{name: value for name, value in given_to(current).items() if name in shared})
    node = partial(chosen)
    for parameter, value in arguments.items():
        node = set_text(path, node, f"{path}.{parameter}", value)
    return node


def _call(path: str, text: str) -> tuple[str, dict[str, str] | None]:
    """Return the name of a function in a text, and the texts of its parameters by name; None without parentheses.

    Raises:
        BadInputError: the parentheses contain something other than PARAMETER=VALUE.
    """
    if "(" not in text:
        return text, None
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of escape sequences in quotes
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            arguments = {}
            for keyword in call.keywords:
                if keyword.arg is not None:
                    arguments[keyword.arg] = _text(keyword.value)
            if len(arguments) == len(call.keywords):
                return ast.unparse(call.func), arguments
    raise BadInputError(f"{path}={shortened(text)} cannot be read: write NAME, or NAME(PARAMETER=VALUE, ...).")


def _text(value: ast.expr) -> str:
    """Return the text of a value for `parsed`: words as they are, numbers and lists as JSON, others unchanged."""
    try:
        literal = ast.literal_eval(value)
        return literal if isinstance(literal, str) else json.dumps(literal)
    except (ValueError, TypeError):
        return ast.unparse(value)


def _named(path: str, text: str, current: Function) -> Function:
    """Return the function that a text names and that can replace the current function.

    Args:
        path: the dotted path of the parameter that holds the function, for messages.
        text: the name, perhaps after that of its package.
        current: the current function.

    Raises:
        BadInputError: no such function.
    """
    top = current.__module__.split(".")[0]
    package = ".".join(current.__module__.split(".")[:2]) if top == "medcls" else current.__module__
    alternatives = _alternatives(current, sys.modules[package])
    name = text.rsplit(".", maxsplit=1)[-1]
    if name not in alternatives:
        values = [f"{path}={alternative}" for alternative in sorted(alternatives)]
        raise BadInputError(unknown(f"{path}={shortened(text)}", values, "value"))
    return alternatives[name]


def _alternatives(function: Function, package: ModuleType) -> dict[str, Function]:
    """Return the functions that can replace a function, by name: those that its module or its package exports."""
    module = sys.modules[function.__module__]
    exported = getattr(module, "__all__", None) or getattr(package, "__all__", None) or vars(module)
    alternatives: dict[str, Function] = {}
    for name in exported:
        value = getattr(module, name, None) or getattr(package, name, None)
        if inspect.isfunction(value) and not name.startswith("_"):
            alternatives[name] = value
    return alternatives
