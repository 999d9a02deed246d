"""The `medcls` command: run several studies together, compare their results, check data sets and use trained models."""

import os
import sys
from collections.abc import Sequence

from medcls.cli.commands import (
    blocks,
    data,
    doctor,
    explain,
    export,
    figures,
    new,
    predict,
    report,
    run,
    schema,
    studies,
    sync,
)
from medcls.cli.commands.common import shared_flags
from medcls.cli.options import Parser
from medcls.utils.console import escape_what_cannot_be_shown
from medcls.utils.errors import BadInputError
from medcls.utils.exit_codes import ExitCode
from medcls.utils.lazy import argcomplete
from medcls.utils.texts import say
from medcls.utils.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 a run failed, 2 bad usage or input, 130 interrupted."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks, after eval "$(register-python-argcomplete medcls)"
        argcomplete.autocomplete(parser)
    parsed = parser.parse_args(arguments)
    escape_what_cannot_be_shown()
    code = int(ExitCode.DONE)
    try:
        code = parsed.command(parsed) or ExitCode.DONE
        if sys.stdout is not None:
            sys.stdout.flush()
    except BadInputError as error:
        print(f"medcls: {error}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    except BrokenPipeError:  # the reader has closed the pipe, as in `medcls ... | head`
        _close_output()
    except OSError as error:
        _close_output()
        subject = f"{error.filename} cannot be used" if error.filename else "The output cannot be written"
        say(f"medcls: {subject} ({error.strerror or error}).", sys.stderr)
        return ExitCode.BAD_INPUT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return code


def _close_output() -> None:
    """Redirect standard output to nowhere if it cannot be written: Python would complain once more as it exits."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> Parser:
    parser = Parser(prog="medcls", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"medcls {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    modules = (run, studies, sync, new, report, figures, blocks, data, export, predict, explain, doctor, schema)
    for module in modules:
        module.add(commands, shared_flags())
    return parser
