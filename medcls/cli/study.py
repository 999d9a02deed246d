"""A study: a question, named variants, seeds or folds, perhaps a search, the answers; and its command line."""

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from medcls.spec.study import Study
from medcls.utils.importing import is_imported
from medcls.utils.signals import ignore_signals, install_handlers

if TYPE_CHECKING:
    from medcls.execution.options import Options

INTERRUPTED = 130


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Run a study as its command line says and exit: the last line of every study script.

    In a script that is imported and not run, as the processes of its runs import it, it does nothing.
    Exit codes: 0 all runs finished, 1 some run failed, 2 bad usage or input, 130 interrupted.
    """
    if is_imported():
        return
    install_handlers()
    documented = replace(study, document=inspect.cleandoc(sys.modules["__main__"].__doc__ or ""))

    def parsed() -> "Options":
        from medcls.cli.options import parse

        epilog = f"variants: {study.variant_names}\n\n{documented.document}"
        return parse(arguments, study.name, study.question, epilog, search=study.search is not None)

    sys.exit(carry_out([documented], parsed))


def carry_out(studies: Sequence[Study], options: Callable[[], "Options"]) -> int:
    """Carry studies out together as the options say; return the exit code. `listen` must have been called."""
    try:
        given = options()
        from medcls.execution.session import conduct

        return conduct(studies, given)
    except KeyboardInterrupt:
        ignore_signals()
        names = ", ".join(study.name for study in studies)
        print(f"{names}: interrupted; every finished epoch is kept. The same command goes on.", file=sys.stderr)
        return INTERRUPTED
