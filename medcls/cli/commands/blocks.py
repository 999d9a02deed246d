"""`medcls list`: every building block of a study, with its parameters, their defaults and limits."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, examples
from medcls.cli.options import Parser
from medcls.spec.parameters import unknown
from medcls.utils.errors import BadInputError
from medcls.utils.texts import say
from medcls.utils.typed_json import as_plain

if TYPE_CHECKING:
    from medcls.cli.blocks import Block


def add(commands: Commands, shared: Parser) -> None:  # noqa: ARG001 - what there is depends on neither store nor runs
    """Add the parser of `medcls list` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "list",
        help="list the building blocks of studies: models, augmentations, losses, optimizers, answers, ...",
        **examples(
            "medcls list",
            "medcls list models schedules",
            "medcls list resnet",
            "medcls list answers",
            "medcls list losses --json",
        ),
    )
    parser.add_argument(
        "names", nargs="*", metavar="KIND", help="models, losses, ..., or the name of a block (default: all kinds)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_list)


def _list(arguments: argparse.Namespace) -> None:
    from medcls.cli.blocks import blocks

    listed = _chosen(blocks(), arguments.names)
    if arguments.json:
        print(json.dumps(as_plain(listed), indent=2))
        return
    for kind in dict.fromkeys(block.kind for block in listed):
        say(kind)
        for block in listed:
            if block.kind == kind:
                _print(block, whole=bool(arguments.names))
    if not arguments.names:
        say("medcls list KIND or medcls list NAME prints the parameters, too.")


def _chosen(listed: "Sequence[Block]", names: Sequence[str]) -> "list[Block]":
    """Return the blocks of some kinds or names, all for none.

    Raises:
        BadInputError: there is no such kind or block.
    """
    if not names:
        return list(listed)
    chosen = []
    for name in names:
        matching = []
        for block in listed:
            if name in (block.kind, block.kind.replace(" ", "-"), block.name, block.name.rpartition(".")[2]):
                matching.append(block)
        if not matching:
            known = {block.kind.replace(" ", "-") for block in listed} | {block.name for block in listed}
            raise BadInputError(unknown(name, sorted(known), "building block"))
        chosen += [block for block in matching if block not in chosen]
    return chosen


def _print(block: "Block", *, whole: bool) -> None:
    """Print a block: its name and sentence and, if wanted whole, one line for each parameter."""
    say(f"  {block.name}: {block.summary}")
    for parameter in block.parameters if whole else ():
        default = f" = {parameter.default}" if parameter.default else " (must be given)"
        limits = f" ({parameter.limits})" if parameter.limits else ""
        meaning = f": {parameter.meaning}" if parameter.meaning else ""
        say(f"    {parameter.name}{default}{limits}{meaning}")
