"""What values hyper-parameters may take: a function of a variant's tree carries the checks of its own.

A check is called with all the parameters of its function by keyword, before anything is trained. It raises
BadInputError with a sentence that begins with a parameter's name.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from medcls.utils.errors import BadInputError

Check = Callable[..., None]
TaskCheck = Callable[[Any], None]
Function = TypeVar("Function", bound=Callable[..., Any])


def constrained(*checks: Check) -> Callable[[Function], Function]:
    """Return a decorator that leaves a function as it is and has it carry the checks."""

    def carrying(function: Function) -> Function:
        vars(function)["limits"] = checks
        return function

    return carrying


def limits_of(function: Callable[..., Any]) -> tuple[Check, ...]:
    """Return the checks that a function carries."""
    checks: tuple[Check, ...] = getattr(function, "limits", ())
    return checks


def for_task(check: TaskCheck) -> Callable[[Function], Function]:
    """Return a decorator that has a function carry a check of the task that it is used with.

    The check raises BadInputError with a sentence that goes on from the function's name.
    """

    def carrying(function: Function) -> Function:
        vars(function)["for_task"] = check
        return function

    return carrying


def check_task(functions: Iterable[Callable[..., Any]], task: Any) -> None:
    """Call the checks of the task that functions carry.

    Raises:
        BadInputError: a function that the task cannot be used with.
    """
    for function in functions:
        check: TaskCheck | None = getattr(function, "for_task", None)
        if check is not None:
            try:
                check(task)
            except BadInputError as error:
                raise BadInputError(f"{function.__name__} {error}") from None


def of_classes(task: Any) -> None:
    """Check that a task tells classes of images apart, not pixels."""
    if task.pixels:
        raise BadInputError(f"is for tasks with classes, and the task {task.name!r} has masks instead.")


def of_masks(task: Any) -> None:
    """Check that a task tells pixels apart, not classes of images."""
    if not getattr(task, "pixels", False):
        raise BadInputError(f"is for tasks with masks, and the task {task.name!r} has classes: use SEGMENTATION.")


def at_least(least: float, *names: str) -> Check:
    """Return the check that the parameters of these names are `least` or more."""
    return _bounded(names, lambda value: value >= least, f"at least {least:g}")


def above(bound: float, *names: str) -> Check:
    """Return the check that the parameters of these names are more than `bound`."""
    return _bounded(names, lambda value: value > bound, f"above {bound:g}")


def rates(*names: str) -> Check:
    """Return the check that the parameters of these names are 0 or more, and below 1."""
    return _bounded(names, lambda value: 0 <= value < 1, "at least 0 and below 1")


def shares(*names: str) -> Check:
    """Return the check that the parameters of these names are 0 to 1."""
    return _bounded(names, lambda value: 0 <= value <= 1, "at least 0 and at most 1")


def units(name: str, example: Sequence[int], *, fewest: int = 0) -> Check:
    """Return the check that a parameter holds whole numbers from 1 up, such as those of the example."""

    def check(**parameters: Any) -> None:
        given = parameters[name]
        if len(given) < fewest or not all(isinstance(width, int) and width >= 1 for width in given):
            raise BadInputError(f"{name}={list(given)} must be the units of the layers, e.g. {list(example)}.")

    return check


def one_of(name: str, *known: str) -> Check:
    """Return the check that a parameter is one of some words."""

    def check(**parameters: Any) -> None:
        if parameters[name] not in known:
            raise BadInputError(f"{name}={parameters[name]!r} is unknown: say {' or '.join(known)}.")

    return check


def _bounded(names: tuple[str, ...], fits: Callable[[Any], bool], words: str) -> Check:
    def check(**parameters: Any) -> None:
        for name in names:
            if not fits(parameters[name]):
                raise BadInputError(f"{name}={parameters[name]} must be {words}.")

    return check
