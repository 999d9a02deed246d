"""`medcls data make`: a phantom as a folder of image files."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from medcls.cli.commands.common import examples
from medcls.cli.options import Parser
from medcls.utils.errors import BadInputError
from medcls.utils.texts import say

QUIET = 5.0  # seconds between two lines where the output is no terminal


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls data`."""
    each = commands.add_parser(
        "make",
        parents=[places],
        help="write a made-up data set as image files",
        **examples("medcls data make skin made_up", "medcls data make lungs made_up --count 1000 --seed 7"),
    )
    each.add_argument("name", metavar="NAME", help="skin, bone, xray, lungs, nodules, glands or breast")
    each.add_argument("folder", metavar="DIR", type=Path, help="a folder that is not there yet, or empty")
    each.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, other images (0)")
    each.add_argument("--count", type=int, metavar="N", help="images in all (as many as the course has)")
    each.set_defaults(command=_make)


def _make(given: argparse.Namespace) -> None:
    from medcls.data.phantoms import PHANTOMS
    from medcls.data.phantoms.writing import made, write
    from medcls.spec.variant import BUILTIN

    name = given.name.removeprefix(BUILTIN)
    if name not in PHANTOMS:
        raise BadInputError(f"There is no phantom {name!r}: give {', '.join(PHANTOMS)}.")
    if given.seed < 0:
        raise BadInputError(f"--seed {given.seed}: give a whole number from 0 up.")
    phantom = made(name, seed=given.seed, count=given.count)
    write(phantom, given.folder.expanduser().absolute(), _Progress(name))
    masks = f", masks of the {' and of the '.join(phantom.masks)}" if phantom.masks else ""
    say(f"{given.folder} holds {len(phantom.parts)} made-up images of {name}{masks}: no real ones.")


class _Progress:
    """Tells how many images are written: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._said = name, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if sys.stdout.isatty():
            print(f"\r{self._name}: {done} of {total} images", end="\n" if done == total else "", flush=True)
        elif time.monotonic() - self._said > QUIET:
            self._said = time.monotonic()
            print(f"{self._name}: {done} of {total} images", flush=True)
