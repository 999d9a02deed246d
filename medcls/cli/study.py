"""The command line of studies: flags become options, errors become one sentence and an exit code."""

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
from medcls.utils.provenance import main_file
from medcls.utils.signals import ignore_signals, install_handlers
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.execution.options import Options


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Run a study as its command line says and exit: the last line of every study script.

    Nothing happens in a script that is imported instead of run, as the processes of its runs import it.
    Exit codes: 0 all runs finished, 1 some run failed, 2 bad usage or input, 130 interrupted.
    """
    if is_imported():
        return
    install_handlers()
    documented = replace(study, document=inspect.cleandoc(sys.modules["__main__"].__doc__ or ""), file=main_file())

    def parse_options() -> "Options":
        from medcls.cli.options import parse

        epilog = f"variants: {study.variant_names}\n\n{documented.document}"
        return parse(arguments, study.name, study.question, epilog, search=study.search is not None)

    sys.exit(run_and_report([documented], parse_options))


def run_and_report(studies: Sequence[Study], parse_options: Callable[[], "Options"]) -> ExitCode:
    """Run studies, print on standard error what went wrong, and return the exit code.

    `install_handlers` must have been called.

    Args:
        studies: the studies, which are planned and run together.
        parse_options: returns the options; called here so that Ctrl-C is handled meanwhile.
    """
    name = studies[0].name if len(studies) == 1 else "medcls run"
    try:
        options = parse_options()
        from medcls.execution.session import run_studies

        try:
            sentence, code = run_studies(studies, options).sentence, ExitCode.SOME_FAILED
        except BadInputError as error:
            sentence, code = str(error), ExitCode.BAD_INPUT
        except TrainingError as error:
            sentence, code = str(error), ExitCode.SOME_FAILED
        except OSError as error:
            sentence, code = _sentence(error, options.work_dir), ExitCode.SOME_FAILED
    except KeyboardInterrupt:
        ignore_signals()
        names = ", ".join(study.name for study in studies)
        print(f"{names}: Interrupted. All completed epochs are saved; run the same command to resume.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if not sentence:
        return ExitCode.DONE
    say(f"{name}: {sentence}", sys.stderr)
    return code


def _sentence(error: OSError, work_dir: Path) -> str:
    if is_full(error):
        return f"No space left in {work_dir}: free some space and run the same command again."
    file = error.filename or work_dir
    return f"{file} cannot be used ({error.strerror or error}): correct this and run the same command again."
