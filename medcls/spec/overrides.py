"""What the text of --set means: numbers, words, and functions with their parameters, written as medcls prints them."""

import ast
import inspect
import json
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from medcls.spec.parameters import (
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


def set_text(root: str, node: Any, path: str, text: str) -> partial[Any]:
    """Return the node called `root` with what `text` says at the dotted `path`, which begins with that name.

    Raises:
        BadInputError: no such parameter, or a value that does not fit it.
    """
    known = [each for each, _, _ in flattened(root, node, default=False)]
    if path not in known:
        raise BadInputError(unknown(path, known))
    below = path.removeprefix(root).removeprefix(".")
    current = node
    for name in below.split(".") if below else ():
        current = arguments_of(current)[name]
    return checked(root, replaced(node, below, parsed(path, text, current)))


def parsed(path: str, text: str, current: Any) -> Any:
    """Return what `text` on the command line means where the value now is `current`.

    A function is named as its package exports it. Its name alone (`learner.schedule=cosine`) keeps the parameters that
    both functions have; with parameters (`learner.schedule=step(every=4, factor=0.5)`) it has these and its defaults.
    Other values are JSON, and text where JSON does not fit.

    Raises:
        BadInputError: no such function; the ones there are are named. Or parameters that cannot be read.
    """
    if is_node(current):
        return _function(path, text, current)
    if isinstance(current, str):
        return text
    try:
        return json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except (ValueError, RecursionError):  # no JSON, or numbers and brackets without end
        return text


def _function(path: str, text: str, current: Any) -> partial[Any]:
    name, arguments = _call(path, text)
    chosen = _named(path, name, function_of(current))
    if arguments is None:
        both = arguments_of(current).keys() & declared(chosen).keys()
        return partial(chosen, **{name: value for name, value in given_to(current).items() if name in both})
    made = partial(chosen)
    for parameter, value in arguments.items():
        made = set_text(path, made, f"{path}.{parameter}", value)
    return made


def _call(path: str, text: str) -> tuple[str, dict[str, str] | None]:
    """Return the function's name in a text and the texts of its parameters, None for a name alone.

    Raises:
        BadInputError: parentheses without parameters by name between them.
    """
    if "(" not in text:
        return text, None
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's about what is in quotes
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            given = {each.arg: _text(each.value) for each in call.keywords if each.arg is not None}
            if len(given) == len(call.keywords):
                return ast.unparse(call.func), given
    raise BadInputError(f"{path}={shortened(text)} cannot be read: write NAME, or NAME(PARAMETER=VALUE, ...).")


def _text(value: ast.expr) -> str:
    """Return a parameter's value as `parsed` reads it: a word as it is, numbers and lists as JSON, else as written."""
    try:
        literal = ast.literal_eval(value)
        return literal if isinstance(literal, str) else json.dumps(literal)
    except (ValueError, TypeError):
        return ast.unparse(value)


def _named(path: str, text: str, current: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of this name that can stand where `current` stands.

    Raises:
        BadInputError: there is none.
    """
    top = current.__module__.split(".")[0]
    package = ".".join(current.__module__.split(".")[:2]) if top == "medcls" else current.__module__
    kin = _kin(current, sys.modules[package])
    name = text.rsplit(".", maxsplit=1)[-1]
    if name not in kin:
        raise BadInputError(unknown(f"{path}={shortened(text)}", [f"{path}={name}" for name in sorted(kin)], "value"))
    return kin[name]


def _kin(function: Callable[..., Any], module: Any) -> dict[str, Callable[..., Any]]:
    """Return the functions that can stand where `function` stands: exported by its module or its package."""
    own = sys.modules[function.__module__]
    exported = getattr(own, "__all__", None) or getattr(module, "__all__", None) or vars(own)
    found = {name: getattr(own, name, None) or getattr(module, name, None) for name in exported}
    return {name: each for name, each in found.items() if inspect.isfunction(each) and not name.startswith("_")}
