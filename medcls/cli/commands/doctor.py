"""`medcls doctor`: check whether this machine has everything that a study needs."""

import argparse

from medcls.cli.commands.common import Commands, examples
from medcls.cli.options import Parser, work_dir
from medcls.utils.exit_codes import ExitCode
from medcls.utils.paths import tracking_uri
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls doctor` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "doctor",
        parents=[shared],
        help="check this machine: versions, cores, GPU, store, disk space, weights and data",
        **examples("medcls doctor", "medcls doctor --tracking-uri http://127.0.0.1:5000"),
    )
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from medcls.cli.machine_checks import check_machine

    code = ExitCode.DONE
    for check in check_machine(tracking_uri(arguments.tracking_uri), work_dir(arguments)):
        word = "OK  " if check.ok else "FAIL"
        say(f"{word} {check.name}: {check.finding}")
        if not check.ok:
            say(f"     {check.remedy}")
            code = ExitCode.SOME_FAILED
    return code
