"""`medcls data ...`: check, download, create and preview data sets without a study."""

from medcls.cli.commands import check, fetch, make, preview
from medcls.cli.commands.common import Commands
from medcls.cli.options import Parser


def add(commands: Commands, shared: Parser) -> None:
    """Add the parsers of `medcls data` to the subparsers of `medcls`."""
    parser = commands.add_parser("data", help="check, download, create and preview data sets")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (check, fetch, make, preview):
        module.add(subcommands, shared)
