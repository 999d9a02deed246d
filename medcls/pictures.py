"""The figures of a finished run: its learning curves and its confusion matrix."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from medcls.data.cache import open_decoded
from medcls.evaluation import classification
from medcls.report import figures
from medcls.spec import Run
from medcls.tracking.journal import RunFolder


def pictures(
    run: Run, folder: RunFolder, result: Mapping[str, Any], decoded: Path | None
) -> dict[Path, Callable[[Path], None]]:
    """Return where a run's figures belong in its folder, and what draws each into a file."""
    drawings = {"learning_curves.png": partial(_curves, run, folder, result["best_epoch"])}
    if decoded is not None and (folder.path / "predictions.npz").exists():
        drawings["confusion_matrix.png"] = partial(_confusion, run, folder, decoded)
    return {folder.path / name: draw for name, draw in drawings.items()}


def _curves(run: Run, folder: RunFolder, best_epoch: int, path: Path) -> None:
    figures.save(figures.learning_curves(folder.history(), best_epoch, run.label), path)


def _confusion(run: Run, folder: RunFolder, decoded: Path, path: Path) -> None:
    predicted, data = folder.read_arrays("predictions"), open_decoded(decoded)
    assert predicted is not None
    chosen = predicted["predictions"].argmax(axis=1)
    matrix = classification.confusion_matrix(data.labels[predicted["rows"]], chosen, len(data.classes))
    figures.save(figures.confusion_matrix(matrix, data.classes, f"{run.label}, comparison part"), path)
