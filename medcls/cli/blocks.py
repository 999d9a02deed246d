"""Every building block of a study with its parameters, their defaults and limits: read from the packages' exports."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from medcls import augmentation, data, losses, models, tasks, training
from medcls.evaluation import answers, best_answers, references, saliency_answers
from medcls.evaluation.comparisons import Answer, Comparing
from medcls.explain.methods import METHODS
from medcls.export.format_names import FILES
from medcls.export.formats import FORMATS
from medcls.spec.constraints import Check, limits_of
from medcls.spec.parameters import REQUIRED, declared, is_node, name_of
from medcls.tasks.base import Task
from medcls.utils.errors import BadInputError

PACKAGES = MappingProxyType({"models": models, "augmentations": augmentation, "losses": losses, "datasets": data})
"""Kind of block -> the package all of whose functions are such blocks."""

TRAINING = MappingProxyType(
    {
        "optimizers": "optimizers",
        "schedules": "schedules",
        "early_stopping": "stopping rules",
        "class_imbalance": "imbalances",
        "callbacks": "watchers",
    }
)
"""Module of `training` -> the kind of its blocks; functions of other modules that fit a model are learners."""

ANSWERS = (answers, best_answers, references, saliency_answers)
"""The modules whose functions return what a study asks of its runs."""

FAR = 1_000_000  # a number beyond most limits


@dataclass(frozen=True)
class BlockParameter:
    """A parameter of a building block.

    Attributes:
        name: as `--set` and a variant have it.
        default: its default as text; "" for a parameter that must be given.
        limits: what values it may have, in words; "" where nothing is known.
        meaning: one sentence about it; "" where its block's docstring has none.
    """

    name: str
    default: str
    limits: str
    meaning: str


@dataclass(frozen=True)
class Block:
    """A building block of a study.

    Attributes:
        kind: in the plural, e.g. "models".
        name: as a study file has it, e.g. "models.resnet".
        summary: one sentence.
        parameters: in the order of the signature.
    """

    kind: str
    name: str
    summary: str
    parameters: tuple[BlockParameter, ...] = ()


def blocks() -> list[Block]:
    """Return all building blocks, those of one kind together."""
    listed: list[Block] = []
    for kind, package in PACKAGES.items():
        listed += [_of_function(kind, function) for function in _functions(package)]
    of_training = [_of_function(_kind_of(function), function) for function in _functions(training)]
    listed += sorted(of_training, key=lambda block: ["learners", *TRAINING.values(), block.kind].index(block.kind))
    listed += _tasks()
    listed += _answers()
    listed += [Block("saliency methods", name, _first_sentence(method)) for name, method in METHODS.items()]
    for name, form in FORMATS.items():
        exact = "predicts as the network does" if form.exact else "its loss of accuracy is measured"
        listed.append(Block("formats", name, f"Written as {FILES[name]}; {exact}."))
    return listed


def as_markdown(listed: list[Block]) -> str:
    """Return building blocks as a page of the documentation: a chapter a kind, a section a block."""
    lines = []
    for kind in dict.fromkeys(block.kind for block in listed):
        lines.append(f"## {kind.capitalize()}\n")
        for block in listed:
            if block.kind == kind:
                lines += [f"**`{block.name}`** {_escaped(block.summary)}\n", *_table(block)]
    return "\n".join(lines)


def _table(block: Block) -> list[str]:
    if not block.parameters:
        return []
    lines = ["| parameter | default | limits | meaning |", "|---|---|---|---|"]
    for parameter in block.parameters:
        default = f"`{parameter.default}`" if parameter.default else "must be given"
        lines.append(f"| `{parameter.name}` | {default} | {parameter.limits} | {_escaped(parameter.meaning)} |")
    return [*lines, ""]


def _escaped(text: str) -> str:
    """Return a text with nothing that Markdown would read as more than text."""
    return re.sub(r"([|*_<\[])", r"\\\1", text)


def _functions(package: ModuleType) -> list[Callable[..., Any]]:
    """Return the functions that a package exports, in the order of their names."""
    exported = [getattr(package, name) for name in package.__all__]
    return [function for function in exported if inspect.isfunction(function)]


def _kind_of(function: Callable[..., Any]) -> str:
    """Return the kind of a function of `training`: by its module, or "learners" if it fits a model."""
    module = function.__module__.rpartition(".")[2]
    if module in TRAINING:
        return TRAINING[module]
    returns = inspect.signature(function).return_annotation
    return "learners" if getattr(returns, "__name__", returns) == "Fitted" else module.replace("_", " ")


def _of_function(kind: str, function: Callable[..., Any]) -> Block:
    parameters = _parameters(function, declared(function))
    return Block(kind, name_of(function), _first_sentence(function), parameters)


def _parameters(function: Callable[..., Any], listed: Mapping[str, inspect.Parameter]) -> tuple[BlockParameter, ...]:
    """Return those parameters of a function that are listed, with their limits and meanings."""
    limits, meanings = limits_in_words(function), meanings_of(inspect.getdoc(function) or "")
    parameters = []
    for name, parameter in listed.items():
        shown = f"*{name}" if parameter.kind is parameter.VAR_POSITIONAL else name
        parameters.append(
            BlockParameter(shown, _in_text(parameter.default), limits.get(name, ""), meanings.get(name, ""))
        )
    return tuple(parameters)


def _answers() -> Iterator[Block]:
    """Yield the ready-made answers with all their parameters: a study file calls them, so none is left for later."""
    for module in ANSWERS:
        for function in _functions(module):
            signature = inspect.signature(function)
            if _is_answer(signature.return_annotation):
                name = f"{module.__name__.rpartition('.')[2]}.{function.__name__}"
                yield Block("answers", name, _first_sentence(function), _parameters(function, signature.parameters))


def _is_answer(returned: Any) -> bool:
    """Tell whether a type, as the annotation of what a function returns, is that of an answer."""
    return returned == Answer or (inspect.isclass(returned) and issubclass(returned, Comparing))


def limits_in_words(function: Callable[..., Any]) -> dict[str, str]:
    """Return the limits of a function's parameters, in the words in which its checks refuse values far outside."""
    defaults = {name: parameter.default for name, parameter in declared(function).items()}
    limits: dict[str, str] = {}
    for name, default in defaults.items():
        said: dict[str, None] = {}
        for value in _far_outside(default):
            for check in limits_of(function):
                said |= dict.fromkeys(_refusal(check, {**defaults, name: value}, name))
        if said:
            limits[name] = " or ".join(said)
    return limits


def _far_outside(default: Any) -> tuple[Any, ...]:
    """Return values of the type of a default that most limits exclude."""
    if isinstance(default, bool):
        return ()
    if isinstance(default, int | float):
        return type(default)(-FAR), type(default)(FAR)
    if isinstance(default, str):
        return ("?",)
    return ((-FAR,),) if isinstance(default, tuple) else ()


def _refusal(check: Check, parameters: dict[str, Any], name: str) -> list[str]:
    """Return what a check says that a parameter must be; nothing where it allows the value, or refuses another one."""
    try:
        check(**parameters)
    except BadInputError as error:
        said = re.match(rf"{name}=.* (?:must be|is unknown: use|is unknown: the nearest are) (.*?)\.?$", str(error))
        return [said[1]] if said else []
    except Exception:  # noqa: BLE001 - a value of the user's would not get as far as this
        return []
    return []


def _in_text(default: Any) -> str:
    if default is REQUIRED:
        return ""
    return name_of(default) if is_node(default) else repr(default)


def _first_sentence(described: object) -> str:
    return (inspect.getdoc(described) or "").split("\n\n")[0].replace("\n", " ")


def meanings_of(docstring: str) -> dict[str, str]:
    """Return the name of each parameter under `Args:` of a docstring and what is said of it, on one line."""
    meanings: dict[str, str] = {}
    names: list[str] = []
    _, _, after = docstring.partition("\nArgs:\n")
    for line in after.splitlines():
        if line and not line.startswith(" "):
            break  # the next section
        entry = re.match(r"    (\w[\w, ]*): (.*)", line)
        if entry:
            names = entry[1].split(", ")
            meanings |= dict.fromkeys(names, entry[2])
        elif line.strip():
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return meanings


def _tasks() -> Iterator[Block]:
    """Yield the tasks, which are values, with the docstrings that follow them in their files."""
    documented: dict[str, str] = {}
    for path in sorted(Path(tasks.__path__[0]).glob("*.py")):
        documented |= _docstrings_of_values(path.read_text("utf-8"))
    for name in tasks.__all__:
        if isinstance(getattr(tasks, name), Task):
            yield Block("tasks", f"tasks.{name}", documented.get(name, ""))


def _docstrings_of_values(source: str) -> dict[str, str]:
    """Return the text that follows each assignment at the top of a file."""
    documented: dict[str, str] = {}
    body = ast.parse(source).body
    for node, following in pairwise(body):
        if not isinstance(following, ast.Expr) or not isinstance(following.value, ast.Constant):
            continue
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = inspect.cleandoc(str(following.value.value))
            documented[node.targets[0].id] = text.split("\n\n")[0].replace("\n", " ")
    return documented
