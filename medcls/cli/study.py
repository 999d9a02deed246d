"""The command line of studies: flags to options, errors to one sentence and an exit code."""

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.spec.study import Study
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.exit_codes import ExitCode
from medcls.utils.files import is_full
from medcls.utils.importing import is_imported
from medcls.utils.signals import ignore_signals, install_handlers
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.execution.options import Options


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


def carry_out(studies: Sequence[Study], options: Callable[[], "Options"]) -> ExitCode:
    """Carry studies out together as the options say; return the exit code, having said what is wrong.

    `install_handlers` must have been called.
    """
    name = studies[0].name if len(studies) == 1 else "medcls run"
    try:
        given = options()
        from medcls.execution.session import run_studies

        try:
            sentence, code = run_studies(studies, given).sentence, ExitCode.SOME_FAILED
        except BadInputError as error:
            sentence, code = str(error), ExitCode.BAD_INPUT
        except TrainingError as error:
            sentence, code = str(error), ExitCode.SOME_FAILED
        except OSError as error:
            sentence, code = _trouble(error, given.work_dir), ExitCode.SOME_FAILED
    except KeyboardInterrupt:
        ignore_signals()
        names = ", ".join(study.name for study in studies)
        print(f"{names}: interrupted; every finished epoch is kept. The same command goes on.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if not sentence:
        return ExitCode.DONE
    say(f"{name}: {sentence}", sys.stderr)
    return code


def _trouble(error: OSError, work_dir: Path) -> str:
    if is_full(error):
        return f"No room left to write in {work_dir}: free some space and run the same command again."
    return f"{error.filename or work_dir} cannot be used ({error.strerror or error}): mend that and run the same again."
