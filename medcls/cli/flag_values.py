"""Types of flags: numbers, seeds, executors.

Each function converts the text of a flag and raises argparse.ArgumentTypeError if the text is not valid.
"""

import argparse
import math
from collections.abc import Callable

from medcls.execution.options import LARGEST_SEED


def executor(text: str) -> str:
    """Return the name or the URL of an executor, unchanged."""
    if text not in ("local", "ray", "auto") and not text.startswith("ray://"):
        raise argparse.ArgumentTypeError(f"{text!r}: give local, ray, auto or ray://HOST:PORT")
    return text


def seeds(text: str) -> tuple[int, ...]:
    """Return the seeds in a list such as 0,1,2."""
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 0,1,2") from None
    if len(set(numbers)) != len(numbers) or min(numbers) < 0 or max(numbers) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text}: give each seed once, and from 0 to {LARGEST_SEED}")
    return numbers


def split_seed(text: str) -> int:
    """Return the seed of the split."""
    numbers = seeds(text)
    if len(numbers) > 1:
        raise argparse.ArgumentTypeError(f"{text} has several seeds: give one, or use --vary split")
    return numbers[0]


def whole(least: int) -> Callable[[str], int]:
    """Return the type of a flag that takes whole numbers of at least `least`."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return value

    return number


def seconds(text: str) -> float:
    """Return a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
