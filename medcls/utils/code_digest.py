"""A hash of the code that a run executes, so that a result made by other code is never counted silently.

A function's digest covers its own syntax tree and, through the names that it uses, every function, class and
constant that it reaches in medcls and in the user's own files; what Python and installed packages bring does not
count, nor do comments, layout and docstrings. It is the same in every process and under every version of Python.
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
    """Return 16 hex digits over the sources of the functions (or partials) and of all that they reach.

    Raises:
        OSError: the source of a function cannot be found.
    """
    roots = list(roots)
    lines = [_told(root, []) for root in roots]
    lines += [_read(item)[0] for item in reached(roots)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def reached(roots: Iterable[Callable[..., Any]]) -> set[Any]:
    """Return the functions and classes of medcls and of the user's files that functions (or partials) can call."""
    waiting: list[Any] = []
    for root in roots:
        _told(root, waiting)
    seen: set[Any] = set()
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting.extend(_read(item)[1])
    return seen


@cache
def _read(item: Any) -> tuple[str, tuple[Any, ...]]:
    """Return a function's or class's name, meaning and constants in one line, and what of ours it uses."""
    try:
        source = inspect.getsource(item.__code__ if inspect.isfunction(item) else item)
    except OSError:
        if inspect.isclass(item):
            return item.__name__, ()  # made by a call, as a named tuple is
        raise
    tree = ast.parse(textwrap.dedent(source))
    known, reached = _known(item, tree), list[Any]()
    told = ((name, _told(_resolved(name, known), reached)) for name in sorted(set(_names(tree))))
    constants = "".join(f"{name}={text}" for name, text in told if text)
    return f"{item.__name__}: {meaning(tree)}{constants}", tuple(reached)


def _told(value: Any, reached: list[Any]) -> str:
    """Return a constant as text, "" where it is none; add the functions and classes in it to `reached`."""
    if inspect.isfunction(value) or inspect.isclass(value):
        wrapped = _told(vars(value).get("__wrapped__", NOTHING), reached)
        if not _is_ours(value):
            return wrapped
        reached.append(value)
        return str(value.__qualname__)
    if isinstance(value, PLAIN) and not isinstance(value, Enum):
        return repr(value)
    if isinstance(value, partial):
        return _told((value.func, value.args, value.keywords), reached)
    if isinstance(value, dict | MappingProxyType):
        return _told(tuple(value.items()), reached)
    if isinstance(value, list | tuple):
        return f"[{','.join(_told(each, reached) for each in value)}]"
    if isinstance(value, set | frozenset):
        return f"[{','.join(sorted(_told(each, reached) for each in value))}]"
    return _told_instance(value, reached)


def _told_instance(value: Any, reached: list[Any]) -> str:
    # No attribute of the value itself is asked for before its type is known: a lazy package would be imported.
    kind = type(value)
    if isinstance(value, Enum):
        return f"{_told(kind, reached)}.{value.name}"
    if is_dataclass(kind):
        return _told((kind, *(getattr(value, field.name) for field in fields(value))), reached)
    if hasattr(kind, "tolist"):  # an array of NumPy's
        return _told(value.tolist(), reached)
    wrapped = inspect.getattr_static(value, "__wrapped__", None)  # of functools.cache
    return "" if wrapped is None else _told(wrapped, reached)


def _is_ours(value: Any) -> bool:
    """Tell whether a function, class or module is of medcls or the user's, not of Python or another package."""
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


def _known(item: Any, tree: ast.AST) -> dict[str, Any]:
    """Return what the names in a function or class stand for: in its module, around it, imported within it."""
    if inspect.isfunction(item):
        around = zip(item.__code__.co_freevars, item.__closure__ or (), strict=True)
        known = {**item.__globals__, **{name: cell.cell_contents for name, cell in around}}
    else:
        known = dict(vars(sys.modules[item.__module__]))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            top = importlib.util.find_spec(node.module.split(".")[0])
            if top is None or not _is_our_file(top.origin or "<frozen"):
                continue
            module = importlib.import_module(node.module)
            known |= {each.asname or each.name: getattr(module, each.name, NOTHING) for each in node.names}
    return known


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the plain and dotted names in a tree, but Python's own (`__name__`, `module.__file__`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            if all(part.isidentifier() and not part.startswith("__") for part in name.split(".")):
                yield name


def _resolved(name: str, known: dict[str, Any]) -> Any:
    """Return what a name stands for; a dotted one only through modules of ours."""
    first, *rest = name.split(".")
    value = known.get(first, NOTHING)
    for each in rest:
        ours = isinstance(value, ModuleType) and _is_ours(value)
        value = vars(value).get(each, NOTHING) if ours else NOTHING
    return value


def meaning(node: object) -> str:
    """Return a syntax tree as text without docstrings, in the same words under every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(meaning, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = node.body[ast.get_docstring(node) is not None :]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 alone puts empty constants between its parts
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    told = (f"{name}={meaning(value)}" for name, value in fields.items() if value is not None and value != [])
    return f"{type(node).__name__}({','.join(told)})"
