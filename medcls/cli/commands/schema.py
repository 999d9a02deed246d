"""`medcls schema`: print the JSON schema of the summary that `--json` writes."""

import argparse
import json
from pathlib import Path

from medcls.cli.commands.common import Commands, examples
from medcls.cli.options import Parser
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:  # noqa: ARG001 - the schema depends on neither store nor runs
    """Add the parser of `medcls schema` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON schema of the summary that --json writes",
        **examples("medcls schema", "medcls schema --out summary.schema.json"),
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the schema to FILE instead of printing it")
    parser.set_defaults(command=_schema)


def _schema(arguments: argparse.Namespace) -> None:
    from medcls.evaluation.summary import summary_schema

    if arguments.out is not None:
        check_writable("--out", arguments.out)
    text = json.dumps(summary_schema(), indent=2)
    if arguments.out is None:
        print(text)
        return
    write_output(arguments.out, lambda file: file.write(f"{text}\n".encode()))
    say(f"{arguments.out} contains the JSON schema of summaries.")
