"""The figures of a data set's best network, drawn into the study's directory for its report."""

from functools import partial
from pathlib import Path
from types import MappingProxyType

from medcls.data.loading.decoded_cache import open_decoded
from medcls.evaluation.summary import FigureRecord
from medcls.report import saliency_report
from medcls.report.figures import canvas
from medcls.report.run_figures import MakeFigure, of_predictions
from medcls.spec.run import Run
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.files import draw_whole

TITLES = MappingProxyType(
    {
        "confusion_matrix": "confusion matrix",
        "roc": "ROC curves",
        "calibration": "calibration",
        "certain_errors": "the most confident errors",
        "outlines": "best, median and worst outlines",
        "spread": "scores image by image",
    }
)
"""The figures of predictions that the report shows, in its order."""
SALIENCY = "where it looks"
SHARP = 2  # times as many dots as usual, so that lines and texts stay sharp on small screens


def draw_best(data_name: str, run: Run, run_dir: RunDir, decoded: Path, prefix: Path) -> list[FigureRecord]:
    """Draw the figures of the best network of a data set, on the test set where it was predicted; return their records.

    Args:
        data_name: the name of the data set.
        run: whose network it is.
        run_dir: its run directory.
        decoded: the directory of the decoded images.
        prefix: of the files' paths: the study's directory and the beginning of their names.
    """
    makers = _makers(run, run_dir, decoded)
    records = []
    for name, title in TITLES.items():
        if name in makers:
            path = prefix.with_name(f"{prefix.name}_{name}.png")
            draw_whole(path, partial(_draw, makers[name]))
            records.append(FigureRecord(title, path.name, data_name))
    sheet = saliency_report.drawings(run, run_dir, decoded).get(f"{HEAT}_maps.png")
    if sheet is not None:
        path = prefix.with_name(f"{prefix.name}_saliency.png")
        draw_whole(path, sheet)
        records.append(FigureRecord(SALIENCY, path.name, data_name))
    return records


def _makers(run: Run, run_dir: RunDir, decoded: Path) -> dict[str, MakeFigure]:
    """Return what makes each figure of a run's predictions, of the test set where it was predicted."""
    for name, set_name in (("test", "test set"), ("predictions", "validation set")):
        arrays = run_dir.read_arrays(name)
        if arrays is not None:
            title = f"{run.label}, {set_name}"
            return of_predictions(open_decoded(decoded), arrays["rows"], arrays["predictions"], title)
    return {}


def _draw(make: MakeFigure, path: Path) -> None:
    figure = make()
    scale = 1 if figure.images else SHARP  # images on a sheet are drawn pixel by pixel
    canvas.save(figure, path, scale)
