"""A hash of the code that a run executes, so that a result made by other code is never counted silently.

A function's digest covers its own syntax tree and, through the names that it uses, every function, class and
constant of this project that it reaches. Comments, layout and docstrings do not count.
"""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import ModuleType
from typing import Any


def code_digest(roots: Iterable[Callable[..., Any]]) -> str:
    """Return 16 hex digits over the sources of the functions and of all the project's code that they reach."""
    seen: dict[str, str] = {}
    waiting: list[Any] = list(roots)
    projects = {_project(function) for function in waiting} | {"medcls"}
    while waiting:
        item = waiting.pop()
        name = f"{item.__module__}.{item.__qualname__}"
        if name in seen or _project(item) not in projects:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(item)))
        constants, reached = _used(tree, inspect.getmodule(item))
        seen[name] = meaning(tree) + "".join(constants)
        waiting.extend(reached)
    text = "\n".join(source for _, source in sorted((_public(name), source) for name, source in seen.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _project(item: Any) -> str:
    return str(item.__module__).split(".", maxsplit=1)[0]


def _public(name: str) -> str:
    return name.rsplit(".", maxsplit=1)[-1]


def _used(tree: ast.AST, module: ModuleType | None) -> tuple[list[str], list[Any]]:
    """Return the constants (as text) and the functions and classes that the names in a tree stand for."""
    constants, reached = [], []
    for name in sorted(set(_names(tree))):
        value = _resolve(name, module)
        if isinstance(value, partial):
            constants += [f"{name}.{key}={each!r}" for key, each in sorted(value.keywords.items()) if _is_plain(each)]
            reached.append(value.func)
        elif inspect.isfunction(value) or inspect.isclass(value):
            reached.append(value)
        elif _is_plain(value) and not name.startswith("__"):
            constants.append(f"{name}={value!r}")
    return constants, reached


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(each) for each in value)
    return isinstance(value, int | float | str)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def _resolve(name: str, module: ModuleType | None) -> Any:
    """Return what a plain or once dotted name means in a module; dotted names only through real modules."""
    first, _, second = name.partition(".")
    value = vars(module).get(first) if module else None
    if not second:
        return value
    return vars(value).get(second) if isinstance(value, ModuleType) else None


def meaning(node: object) -> str:
    """Return a syntax tree as text without docstrings, in the same words under every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(meaning, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = node.body[ast.get_docstring(node) is not None :]
    told = (f"{name}={meaning(value)}" for name, value in fields.items() if value is not None and value != [])
    return f"{type(node).__name__}({','.join(told)})"
