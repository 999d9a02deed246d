"""`medcls doctor`: whether everything is there that a study needs."""

import argparse
from typing import Any

from medcls.cli.commands.common import examples
from medcls.cli.options import Parser, work_dir
from medcls.utils.paths import tracking_uri
from medcls.utils.texts import say


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "doctor",
        parents=[places],
        help="look at versions, cores, GPU, store, disk, weights and data",
        **examples("medcls doctor", "medcls doctor --tracking-uri http://127.0.0.1:5000"),
    )
    each.set_defaults(command=_doctor)


def _doctor(given: argparse.Namespace) -> int:
    from medcls.cli.machine_checks import examine

    ill = 0
    for finding in examine(tracking_uri(given.tracking_uri), work_dir(given)):
        ill += not finding.well
        say(f"{'ok ' if finding.well else 'ILL'} {finding.what}: {finding.found}")
        if not finding.well:
            say(f"    {finding.remedy}")
    return 1 if ill else 0
