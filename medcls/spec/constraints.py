"""Constraints of hyper-parameters: decorators attach checks to the functions of which a variant consists.

A check is called with all hyper-parameters of its function by keyword, before anything is trained. It raises
BadInputError with a sentence that begins with the name of a parameter.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from medcls.utils.errors import BadInputError

Check = Callable[..., None]
TaskCheck = Callable[[Any], None]
Function = TypeVar("Function", bound=Callable[..., Any])


def constrained(*checks: Check) -> Callable[[Function], Function]:
    """Return a decorator that attaches checks to a function and leaves the function as it is."""

    def carrying(function: Function) -> Function:
        vars(function)["limits"] = checks
        return function

    return carrying


def limits_of(function: Callable[..., Any]) -> tuple[Check, ...]:
    """Return the checks that are attached to a function."""
    checks: tuple[Check, ...] = getattr(function, "limits", ())
    return checks


def for_task(check: TaskCheck) -> Callable[[Function], Function]:
    """Return a decorator that attaches a check of the task to a function.

    The check raises BadInputError with a sentence that continues after the function's name.
    """

    def carrying(function: Function) -> Function:
        vars(function)["for_task"] = check
        return function

    return carrying


def check_task(functions: Iterable[Callable[..., Any]], task: Any) -> None:
    """Call the checks of the task that are attached to functions.

    Raises:
        BadInputError: a function that cannot be used for the task.
    """
    for function in functions:
        check: TaskCheck | None = getattr(function, "for_task", None)
        if check is not None:
            try:
                check(task)
            except BadInputError as error:
                raise BadInputError(f"{function.__name__} {error}") from None


def of_classes(task: Any) -> None:
    """Check that the targets of a task are classes of images, not masks."""
    if task.pixels:
        raise BadInputError(f"is for tasks with classes, and the task {task.name!r} has masks instead.")


def of_masks(task: Any) -> None:
    """Check that the targets of a task are masks, not classes of images."""
    if not getattr(task, "pixels", False):
        raise BadInputError(f"is for tasks with masks, and the task {task.name!r} has classes: use SEGMENTATION.")


def at_least(least: float, *names: str) -> Check:
    """Return a check that the named parameters are `least` or more."""
    return _bounded(names, lambda value: value >= least, f"at least {least:g}")


def above(bound: float, *names: str) -> Check:
    """Return a check that the named parameters are more than `bound`."""
    return _bounded(names, lambda value: value > bound, f"above {bound:g}")


def rates(*names: str) -> Check:
    """Return a check that the named parameters are at least 0 and below 1."""
    return _bounded(names, lambda value: 0 <= value < 1, "at least 0 and below 1")


def shares(*names: str) -> Check:
    """Return a check that the named parameters are from 0 to 1."""
    return _bounded(names, lambda value: 0 <= value <= 1, "at least 0 and at most 1")


def units(name: str, example: Sequence[int], *, fewest: int = 0) -> Check:
    """Return a check that a parameter is a sequence of whole numbers of at least 1, one per layer.

    Args:
        name: the parameter.
        example: a valid value, which the message shows.
        fewest: the least number of layers.
    """

    def check(**parameters: Any) -> None:
        given = parameters[name]
        if len(given) < fewest or not all(isinstance(width, int) and width >= 1 for width in given):
            raise BadInputError(
                f"{name}={list(given)} must be the number of units of each layer, e.g. {list(example)}."
            )

    return check


def one_of(name: str, *known: str) -> Check:
    """Return a check that a parameter is one of the known words."""

    def check(**parameters: Any) -> None:
        if parameters[name] not in known:
            raise BadInputError(f"{name}={parameters[name]!r} is unknown: use {' or '.join(known)}.")

    return check


def _bounded(names: tuple[str, ...], fits: Callable[[Any], bool], words: str) -> Check:
    def check(**parameters: Any) -> None:
        for name in names:
            if not fits(parameters[name]):
                raise BadInputError(f"{name}={parameters[name]} must be {words}.")

    return check
