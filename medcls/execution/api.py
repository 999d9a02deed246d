"""medcls in Python, for notebooks: run a study, look at its runs as tables, ask its best model.

from medcls import load, results, run
ended = run(study, data="my_images", seeds=(0, 1, 2))
ended.runs, ended.epochs, ended.plot("val_loss")
results("bonus_resnet").runs
load("bonus_resnet").predict(["image.png"])
"""

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medcls.evaluation.summary import read_summary
from medcls.execution.options import Options
from medcls.inference.load import LoadedModel, load
from medcls.report.results import StudyResult, results
from medcls.spec.study import Study
from medcls.utils.errors import BadInputError
from medcls.utils.importing import importable, refuse_in_worker
from medcls.utils.texts import say

__all__ = ["LoadedModel", "StudyResult", "load", "results", "run"]


OF_A_SEARCH = ("trials", "timeout", "storage")


def run(study: Study, **flags: Any) -> StudyResult:
    """Carry a study out, with progress in lines, and return what it found; what was done before is not done again.

    Flags are those of its command line, by their names in Python: `smoke=True`, `seeds=(0, 1, 2)`, `trials=4`,
    `data="DIR"`, `set={"learner.epochs": 5}`, `work_dir=...`.

    Raises:
        BadInputError: no such flag, or what a flag, the data or the study ask for is not possible; or the call stands
            in a module where the processes of runs reach it, too.
    """
    from medcls.execution.session import run_studies

    refuse_in_worker("medcls.run")
    with tempfile.TemporaryDirectory() as folder, _signals_kept(), importable():
        options = _options(study, {"json": Path(folder) / "summary.json", **flags})
        assert options.json is not None
        sentence = run_studies([study], options).sentence
        if sentence:
            say(f"{study.name}: {sentence}", sys.stderr)
        found = None if options.plan else read_summary(options.json.read_bytes())
    return StudyResult(found, _report(study, options))


def _report(study: Study, options: Options) -> Path | None:
    from medcls.tracking.outcomes import outcomes

    if options.plan:
        return None
    ended = [outcome for outcome in outcomes(options.work_dir) if outcome.summary.study == study.name]
    if not ended:
        return None
    return max(ended, key=lambda outcome: outcome.written).folder / "report.html"


def _options(study: Study, flags: Mapping[str, Any]) -> Options:
    if study.search is None:
        for name in OF_A_SEARCH:
            if flags.get(name) is not None:
                raise BadInputError(f"{name} is a flag of searches, and {study.name} is none: leave it out.")
    return Options.from_keywords(flags)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Leave Ctrl-C as it was: a command that ends ignores it while it tidies up, a notebook goes on."""
    try:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        yield
    finally:
        for number, handler in before.items():
            with contextlib.suppress(ValueError):  # in another thread than the main one
                signal.signal(number, handler)
