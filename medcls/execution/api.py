"""medcls in Python, for notebooks: run a study, look at its runs as tables, ask its best model.

from medcls import load, run
ended = run(study, data="my_images", seeds=(0, 1, 2))
ended.runs, ended.epochs, ended.plot("val_loss")
load("bonus_resnet").predict(["image.png"])
"""

import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.execution.options import Options
from medcls.inference.load import LoadedModel, load
from medcls.spec.study import Study
from medcls.utils.errors import BadInputError
from medcls.utils.importing import importable, refuse_in_worker
from medcls.utils.lazy import matplotlib, pandas
from medcls.utils.texts import say

__all__ = ["LoadedModel", "StudyResult", "load", "run"]


OF_A_SEARCH = ("trials", "timeout", "storage")


@dataclass(frozen=True)
class StudyResult:
    """A study that has been carried out.

    Attributes:
        summary: all that was found, as `--json` writes it.
        report: the page of the study's report; None where nothing was trained.
    """

    summary: Mapping[str, Any]
    report: Path | None

    @property
    def runs(self) -> "pandas.DataFrame":
        """A line for each run: what it is, how it ended, its final scores."""
        columns = ("variant", "data", "seed", "fold", "status", "epochs", "best_epoch", "seconds", "key")
        rows = []
        for run in self.summary["runs"]:
            described = {name: run.get(name) for name in columns}
            rows.append({**described, **(run["metrics"] or {})})
        return pandas.DataFrame(rows)

    @property
    def epochs(self) -> "pandas.DataFrame":
        """A line for each epoch of each run: `epoch`, counted from 1, and everything that was measured."""
        rows = []
        for run in self.summary["runs"]:
            described = {name: run[name] for name in ("variant", "data", "seed", "fold")}
            for epoch, values in enumerate(_by_epoch(run["history"]), start=1):
                rows.append({**described, "epoch": epoch, **values})
        return pandas.DataFrame(rows)

    def plot(self, metric: str = "val_loss") -> "matplotlib.figure.Figure":
        """Return a figure of a metric over the epochs: one line a run, one colour a variant.

        Raises:
            BadInputError: no such metric was measured.
        """
        epochs = self.epochs
        if metric not in epochs:
            raise BadInputError(f"There is no {metric!r}: {', '.join(epochs.columns[5:])} were measured.")
        drawn = matplotlib.figure.Figure(figsize=(7, 4), layout="constrained")
        axes = drawn.add_subplot(xlabel="epoch", ylabel=metric.replace("_", " "))
        for number, (variant, of_variant) in enumerate(epochs.groupby("variant", sort=False)):
            for _, of_run in of_variant.groupby(["data", "seed", "fold"], dropna=False):
                axes.plot(of_run["epoch"], of_run[metric], color=f"C{number}", label=variant)
        lines = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(lines.values(), lines.keys())
        return drawn


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
        summary = {"study": study.name, "runs": []} if options.plan else json.loads(options.json.read_text())
    return StudyResult(summary, _report(study, options))


def _by_epoch(history: Mapping[str, Sequence[float]]) -> Iterator[dict[str, float]]:
    count = max((len(values) for values in history.values()), default=0)
    for epoch in range(count):
        yield {name: values[epoch] for name, values in history.items() if epoch < len(values)}


def _report(study: Study, options: Options) -> Path | None:
    from medcls.tracking.study_results import outcomes

    if options.plan:
        return None
    ended = outcomes(options.work_dir).get(study.name, [])
    return ended[0].folder / "report.html" if ended else None


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
