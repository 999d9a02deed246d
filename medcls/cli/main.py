"""The `medcls` command: runs studies together, says what they found, and what data and models are worth."""

import os
import sys
from collections.abc import Sequence

from medcls.cli.commands import data, doctor, explain, export, predict, report, run, studies
from medcls.cli.commands.common import places
from medcls.cli.options import Parser
from medcls.utils.console import escape_what_cannot_be_shown
from medcls.utils.errors import BadInputError
from medcls.utils.exit_codes import ExitCode
from medcls.utils.lazy import argcomplete
from medcls.utils.texts import say
from medcls.utils.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return the exit code: 0 done, 1 a run failed, 2 bad usage or input, 130 interrupted."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks, after eval "$(register-python-argcomplete medcls)"
        argcomplete.autocomplete(parser)
    given = parser.parse_args(arguments)
    escape_what_cannot_be_shown()
    code = int(ExitCode.DONE)
    try:
        code = given.command(given) or ExitCode.DONE
        if sys.stdout is not None:
            sys.stdout.flush()
    except BadInputError as error:
        print(f"medcls: {error}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    except BrokenPipeError:  # who reads has seen enough, as in `medcls ... | head`
        _write_no_more()
    except OSError as error:
        _write_no_more()
        what = f"{error.filename} cannot be used" if error.filename else "The output cannot be written"
        say(f"medcls: {what} ({error.strerror or error}).", sys.stderr)
        return ExitCode.BAD_INPUT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return code


def _write_no_more() -> None:
    """Keep Python from complaining once more, as it ends, about standard output if it cannot be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> Parser:
    parser = Parser(prog="medcls", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"medcls {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for family in (run, studies, report, data, export, predict, explain, doctor):
        family.add(commands, places())
    return parser
