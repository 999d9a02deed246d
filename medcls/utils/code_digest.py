"""A hash of the code that a run executes, so that a result of a different version of the code is always noticed.

The digest of a function covers its own syntax tree and, through the names that it uses, every function, class and
constant that it reaches in medcls and in the user's own files. Python and installed packages do not count, nor do
comments, layout and docstrings. The digest is equal in every process and under every version of Python.
"""

import ast
import hashlib
import importlib.util
import inspect
import re
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

MEDCLS = Path(__file__).parents[1]
PYTHON = Path(sysconfig.get_path("stdlib"))
INSTALLED = frozenset({"site-packages", "dist-packages"})
PLAIN = (int, float, complex, str, bytes, range, re.Pattern, type(None))
NOTHING = object()


def code_digest(roots: Iterable[Callable[..., Any]]) -> str:
    """Return 16 hex digits over the sources of functions (or partials) and of everything that they reach.

    Raises:
        OSError: the source of a function cannot be found.
    """
    roots = list(roots)
    lines = [_text(root, []) for root in roots]
    lines += [_read(item)[0] for item in reached(roots)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def reached(roots: Iterable[Callable[..., Any]]) -> set[Any]:
    """Return the functions and classes in medcls and the user's files that functions (or partials) can call."""
    waiting: list[Any] = []
    for root in roots:
        _text(root, waiting)
    seen: set[Any] = set()
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting.extend(_read(item)[1])
    return seen


@cache
def _read(item: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the name, syntax tree and constants of a function or class in one line, and the functions that it uses."""
    try:
        source = inspect.getsource(item.__code__ if inspect.isfunction(item) else item)
    except OSError:
        if inspect.isclass(item):
            return item.__name__, ()  # created by a call, like a named tuple
        raise
    tree = ast.parse(textwrap.dedent(source))
    namespace, reached = _namespace(item, tree), list[Any]()
    constants = ""
    for name in sorted(set(_names(tree))):
        text = _text(_resolved(name, namespace), reached)
        if text:
            constants += f"{name}={text}"
    return f"{item.__name__}: {meaning(tree)}{constants}", tuple(reached)


def _text(value: Any, reached: list[Any]) -> str:
    """Return a constant as text, "" for any other value; add the functions and classes in the value to `reached`."""
    if inspect.isfunction(value) or inspect.isclass(value):
        wrapped = _text(vars(value).get("__wrapped__", NOTHING), reached)
        if not _is_ours(value):
            return wrapped
        reached.append(value)
        return str(value.__qualname__)
    if isinstance(value, PLAIN) and not isinstance(value, Enum):
        return repr(value)
    if isinstance(value, partial):
        return _text((value.func, value.args, value.keywords), reached)
    if isinstance(value, dict | MappingProxyType):
        return _text(tuple(value.items()), reached)
    if isinstance(value, list | tuple):
        return f"[{','.join(_text(item, reached) for item in value)}]"
    if isinstance(value, set | frozenset):
        return f"[{','.join(sorted(_text(item, reached) for item in value))}]"
    return _text_of_instance(value, reached)


def _text_of_instance(value: Any, reached: list[Any]) -> str:
    # No attribute of the value is read before its type is known: a lazy package would be imported.
    kind = type(value)
    if isinstance(value, Enum):
        return f"{_text(kind, reached)}.{value.name}"
    if is_dataclass(kind):
        return _text((kind, *(getattr(value, field.name) for field in fields(value))), reached)
    if hasattr(kind, "tolist"):  # a NumPy array
        return _text(value.tolist(), reached)
    wrapped = inspect.getattr_static(value, "__wrapped__", None)  # a function with functools.cache
    return "" if wrapped is None else _text(wrapped, reached)


def _is_ours(value: Any) -> bool:
    """Return whether a function, class or module belongs to medcls or the user, not to Python or another package."""
    if inspect.isfunction(value):
        file = value.__code__.co_filename
    else:
        module = value if inspect.ismodule(value) else sys.modules.get(value.__module__)
        file = getattr(module, "__file__", None) or "<frozen"
    return _is_our_file(file)


def _is_our_file(file: str) -> bool:
    path = Path(file)
    if MEDCLS in path.parents:
        return True
    return not file.startswith("<frozen") and INSTALLED.isdisjoint(path.parts) and PYTHON not in path.parents


def _namespace(item: Any, tree: ast.AST) -> dict[str, Any]:
    """Return the values of the names in a function or class: from its module, its closure, and imports within it."""
    if inspect.isfunction(item):
        namespace = dict(item.__globals__)
        for name, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
            namespace[name] = cell.cell_contents
    else:
        namespace = dict(vars(sys.modules[item.__module__]))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            top = importlib.util.find_spec(node.module.split(".")[0])
            if top is None or not _is_our_file(top.origin or "<frozen"):
                continue
            module = importlib.import_module(node.module)
            for alias in node.names:
                namespace[alias.asname or alias.name] = getattr(module, alias.name, NOTHING)
    return namespace


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the plain and dotted names in a syntax tree, without those of Python such as `__name__`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            if all(part.isidentifier() and not part.startswith("__") for part in name.split(".")):
                yield name


def _resolved(name: str, namespace: dict[str, Any]) -> Any:
    """Return the value of a name; a dotted name is followed only through modules of medcls or the user."""
    first, *attributes = name.split(".")
    value = namespace.get(first, NOTHING)
    for attribute in attributes:
        is_our_module = isinstance(value, ModuleType) and _is_ours(value)
        value = vars(value).get(attribute, NOTHING) if is_our_module else NOTHING
    return value


def meaning(node: object) -> str:
    """Return a syntax tree as text without docstrings, equal under every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(meaning, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = node.body[ast.get_docstring(node) is not None :]
    if isinstance(node, ast.JoinedStr):  # only Python 3.12 puts empty constants between its parts
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    texts = []
    for name, value in fields.items():
        if value is not None and value != []:
            texts.append(f"{name}={meaning(value)}")
    return f"{type(node).__name__}({','.join(texts)})"
