"""`medcls data make`: write a phantom (a synthetic data set) as a folder of image files."""

import argparse
import sys
import time
from pathlib import Path

from medcls.cli.commands.common import Commands, examples
from medcls.cli.options import Parser
from medcls.utils.console import PAUSE
from medcls.utils.errors import BadInputError
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls data make` to the subparsers of `medcls data`."""
    parser = commands.add_parser(
        "make",
        parents=[shared],
        help="write a synthetic data set (a phantom) as image files",
        **examples("medcls data make skin made_up", "medcls data make lungs made_up --count 1000 --seed 7"),
    )
    parser.add_argument("name", metavar="NAME", help="skin, bone, xray, lungs, nodules, glands or breast")
    parser.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed draws other images (default: 0)")
    parser.add_argument(
        "--count", type=int, metavar="N", help="total number of images (default: as in the laboratory course)"
    )
    parser.set_defaults(command=_make)


def _make(arguments: argparse.Namespace) -> None:
    from medcls.data.phantoms import PHANTOMS
    from medcls.data.phantoms.writing import made, write
    from medcls.spec.variant import BUILTIN

    name = arguments.name.removeprefix(BUILTIN)
    if name not in PHANTOMS:
        raise BadInputError(f"There is no phantom {name!r}: give {', '.join(PHANTOMS)}.")
    if arguments.seed < 0:
        raise BadInputError(f"--seed {arguments.seed}: give a whole number of at least 0.")
    phantom = made(name, seed=arguments.seed, count=arguments.count)
    write(phantom, arguments.folder.expanduser().absolute(), _Progress(name))
    masks = f", with masks of the {' and the '.join(phantom.masks)}" if phantom.masks else ""
    say(f"{arguments.folder} contains {len(phantom.parts)} synthetic images of {name}{masks}. They are not real.")


class _Progress:
    """Prints how many images have been written: one line that counts in a terminal, new lines elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        line = f"{self._name}: {done} of {total} images"
        if sys.stdout.isatty():
            print(f"\r{line}", end="\n" if done == total else "", flush=True)
        elif time.monotonic() - self._last > PAUSE:
            self._last = time.monotonic()
            print(line, flush=True)
