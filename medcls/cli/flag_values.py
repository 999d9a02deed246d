"""What the texts of flags mean: numbers, seeds, where runs run.

Each function is the type of a flag: it raises argparse.ArgumentTypeError with what the text should have been.
"""

import argparse
import math
from collections.abc import Callable

from medcls.execution.options import LARGEST_SEED


def executor(text: str) -> str:
    """Return where runs run, as it was given."""
    if text not in ("local", "ray", "auto") and not text.startswith("ray://"):
        raise argparse.ArgumentTypeError(f"{text!r} is none of local, ray, auto and ray://HOST:PORT")
    return text


def seeds(text: str) -> tuple[int, ...]:
    """Return the seeds in a list such as 0,1,2."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers such as 0,1,2") from None
    if len(set(numbers)) != len(numbers) or not all(0 <= number <= LARGEST_SEED for number in numbers):
        raise argparse.ArgumentTypeError(f"{text} has a seed twice or out of range: each once, 0 to {LARGEST_SEED}")
    return numbers


def split_seed(text: str) -> int:
    """Return the seed of the split."""
    numbers = seeds(text)
    if len(numbers) > 1:
        raise argparse.ArgumentTypeError(f"{text} are several seeds: give one, or --vary split")
    return numbers[0]


def whole(least: int) -> Callable[[str], int]:
    """Return the type of whole numbers from `least` up."""

    def number(text: str) -> int:
        try:
            given = int(text)
        except ValueError:
            given = least - 1
        if given < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
        return given

    return number


def seconds(text: str) -> float:
    """Return a number of seconds above 0."""
    try:
        given = float(text)
    except ValueError:
        given = math.nan
    if not 0 < given < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return given
