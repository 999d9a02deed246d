"""`medcls data ...`: data sets looked at, fetched and made without a study."""

from typing import Any

from medcls.cli.commands import check, fetch, make, preview
from medcls.cli.options import Parser


def add(commands: Any, places: Parser) -> None:
    """Add the commands' parsers to the subparsers of `medcls`."""
    data = commands.add_parser("data", help="look at data sets, fetch published ones, make phantoms").add_subparsers(
        required=True, metavar="COMMAND"
    )
    check.add(data, places)
    fetch.add(data, places)
    make.add(data, places)
    preview.add(data, places)
