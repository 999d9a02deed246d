"""Which source each variant reads, and what its data set is called: never by a name that is not its own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from medcls.data.resolve import find, name_of
from medcls.spec.parameters import arguments_of, declared, function_of
from medcls.spec.study import GivenData, Study
from medcls.spec.variant import Variant
from medcls.utils.errors import BadInputError

Conditions = list[tuple[str, Variant]]
"""Every variant with its name, on every data set, as `Study.conditions` has them."""


def data_name(variant: Variant) -> str:
    """Return what the study itself calls a variant's data set, as --data NAME=SOURCE names it."""
    return name_of_data(variant.data)


def name_of_data(data: Callable[..., Any]) -> str:
    """Return what a data set is called.

    It is the parameter `name` of the data function; else the function's own name, as long as the function reads its
    own source; else what the source is called, such as the name of a folder.
    """
    function, arguments = function_of(data), arguments_of(data)
    if "name" in arguments:
        return str(arguments["name"])
    source = arguments.get("source")
    if source is None or source == declared(function)["source"].default:
        return function.__name__
    return name_of(str(source)) or function.__name__


def called(variant: Variant, given: Mapping[tuple[str, str], GivenData]) -> GivenData:
    """Return what a variant's data set is called in runs, tables, MLflow and report, and what it replaces.

    Args:
        variant: with the source that --data gave.
        given: function and source -> a data set that --data gave, as of `Study.given_data`.
    """
    return given.get(_key(variant), GivenData(data_name(variant), ""))


def with_sources(study: Study, given: Mapping[str, str]) -> tuple[Study, Conditions]:
    """Return a study and its variants with the sources of their data replaced.

    Of several data sets that a bare --data replaces, one is left: they would all be the same images.

    Args:
        study: without the variants that --only leaves out.
        given: name of a data set -> its source, as --data names them; "" stands for every data set. A study of one
            data set takes any name, which is what the data set is called then.

    Raises:
        BadInputError: the study has no data set of a name, or one data set is given twice.
    """
    own = list(dict.fromkeys(data_name(variant) for _, variant in study.conditions))
    new = [name for name in given if name and name not in own]
    if new and len(own) > 1:
        raise BadInputError(f"--data {new[0]}=...: the data sets of this study are {', '.join(sorted(own))}.")
    if new and len(given) > 1:
        sources = ", ".join(given.values())
        raise BadInputError(f"--data: this study has one data set, and you give {sources}: give one of them.")
    if new:
        _check_source(new[0], given[new[0]], own[0])
    bare = [name for name in own if name not in given] if "" in given else []
    conditions = []
    data_sets: dict[tuple[str, str], GivenData] = {}
    for name, variant in _with_one_data_set(study, bare).conditions:
        before = data_name(variant)
        source = given.get(before, given.get(new[0] if new else ""))
        if source is None:
            conditions.append((name, variant))
            continue
        changed = variant.with_("data.source", source)
        called = before if before in given else (new[0] if new else data_name(changed))
        replaced = [other for other in bare or [before] if other != called]
        data_sets[_key(changed)] = GivenData(called, " and ".join(replaced))
        conditions.append((name, changed))
    return replace(_with_one_data_set(study, bare), given_data=data_sets), conditions


def _check_source(name: str, source: str, own: str) -> None:
    """Refuse a source that does not exist under a new name, where the name may be misspelt.

    Args:
        name: that --data gives.
        source: that --data gives.
        own: what the study calls its data set.

    Raises:
        BadInputError: there is no such source.
    """
    try:
        find(source)
    except BadInputError as error:
        raise BadInputError(f"--data {name}={source}: {error} This study calls its data set {own}.") from error


def _with_one_data_set(study: Study, bare: list[str]) -> Study:
    """Return a study with the first only of its data sets that a bare --data replaces."""
    kept = []
    is_there = False
    for data in study.data:
        if name_of_data(data) not in bare:
            kept.append(data)
        elif not is_there:
            kept.append(data)
            is_there = True
    return replace(study, data=tuple(kept))


def _key(variant: Variant) -> tuple[str, str]:
    """Return by what a data set that --data gave is recognized: its data function and its source."""
    return function_of(variant.data).__name__, str(arguments_of(variant.data).get("source"))
