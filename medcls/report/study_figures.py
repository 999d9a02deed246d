"""The figures of a finished study to take away: curves, confusion matrices, the best network's figures, the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded, stored
from medcls.evaluation import classification, run_scores
from medcls.evaluation.run_record import DataSetRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.report import tables
from medcls.report.figures import confusion, study_curves, variant_curves
from medcls.report.run_figures import of_predictions
from medcls.report.search_report import search_figures
from medcls.tracking.run_dir import RunDir
from medcls.utils.lazy import matplotlib
from medcls.utils.naming import in_file

MakeFigure = Callable[[], "matplotlib.figure.Figure"]
MOST_MATRICES = 12  # side by side; of more variants, the foremost


@dataclass(frozen=True)
class StudyFigures:
    """The figures of a study.

    Attributes:
        by_name: name of the file without its ending -> what makes the figure.
        missing: a sentence for each data set whose predictions or images are gone, so that figures of them are missing.
    """

    by_name: Mapping[str, MakeFigure]
    missing: tuple[str, ...]


def study_figures(summary: StudySummary, work: Path) -> StudyFigures:
    """Return what makes the figures of a study that has ended.

    Args:
        summary: what the study found.
        work: the work directory, with the directories of the study's runs.
    """
    figures: dict[str, MakeFigure] = {}
    missing = []
    prefixes = in_file(data.name for data in summary.data_sets)
    for data in summary.data_sets:
        prefix = f"{prefixes[data.name]}_" if len(summary.data_sets) > 1 else ""
        for name, make in _of_data_set(summary, data, work):
            figures[f"{prefix}{name}"] = make
        if run_scores.variants(summary, data.name) and _decoded(summary, data, work) is None:
            missing.append(
                f"The decoded images of {data.name} are no longer in {work / 'cache'}, so figures of predictions "
                "are left out: run the study's command again, which trains nothing anew."
            )
    for name, make in search_figures(summary).items():
        figures[f"search_{name}"] = make
    return StudyFigures(figures, tuple(missing))


def _of_data_set(summary: StudySummary, data: DataSetRecord, work: Path) -> Iterator[tuple[str, MakeFigure]]:
    """Yield the name of each figure of one data set, and what makes it."""
    marked = study_curves.colours(summary, study_curves.foremost(summary, data.name))
    over, where = tables.repeats(summary), f"{summary.study} on {_called(summary, data)}"
    counts = [len(run_scores.finished(summary, data.name, variant)) for variant in marked]
    is_repeated = max(counts, default=0) > 1
    title = f"{where}: mean ± standard deviation over the {over}" if is_repeated else f"{where}: one run of each"
    for quantity in study_curves.quantities(summary, data.name):
        name = quantity.name if quantity.name == "gap" else f"curves_{quantity.name}"
        yield name, partial(variant_curves.curves, quantity, marked, title)
    decoded = _decoded(summary, data, work)
    if decoded is None:
        return
    images = open_decoded(decoded)
    if images.masks is None:
        matrices = _matrices(summary, data, images, work)
        if matrices:
            title = f"{where}: validation images of all {over} together"
            yield "confusion_matrices", partial(confusion.side_by_side, matrices, images.classes, title)
    best = summary.best.get(data.name)
    if best is not None:
        for name, make in _of_best(summary, data, best, images, work).items():
            yield f"best_{name}", make


def _called(summary: StudySummary, data: DataSetRecord) -> str:
    """Return the name of a data set, with what keeps its scores from meaning anything."""
    remarks = []
    if data.kind == "phantom":
        remarks.append("a phantom, no real images")
    if summary.smoke:
        remarks.append("a smoke run")
    return f"{data.name} ({'; '.join(remarks)})" if remarks else data.name


def _decoded(summary: StudySummary, data: DataSetRecord, work: Path) -> Path | None:
    """Return the folder of a data set's decoded images, None if it is gone."""
    best = summary.best.get(data.name)
    size = best.params.get("data.size") if best else None
    return stored(work / "cache", data.fingerprint, size if isinstance(size, int) else None)


def _matrices(summary: StudySummary, data: DataSetRecord, images: Dataset, work: Path) -> dict[str, NDArray[np.int64]]:
    """Return the confusion matrix of each variant that has predictions, summed over its folds or seeds, by its label.

    Args:
        summary: what the study found.
        data: the data set.
        images: its decoded images with their labels.
        work: the work directory.
    """
    variants = run_scores.variants(summary, data.name)
    if len(variants) > MOST_MATRICES:
        variants = study_curves.foremost(summary, data.name)
    matrices: dict[str, NDArray[np.int64]] = {}
    for variant in variants:
        of_runs = []
        for run in run_scores.finished(summary, data.name, variant).values():
            arrays = RunDir(work / run.key).read_arrays("predictions")
            if arrays is not None:
                labels, predicted = images.labels[arrays["rows"]], arrays["predictions"].argmax(axis=1)
                of_runs.append(classification.confusion_matrix(labels, predicted, len(images.classes)))
        if of_runs:
            matrices[f"{variant} (n = {len(of_runs)})"] = np.sum(of_runs, axis=0)
    return matrices


def _of_best(
    summary: StudySummary, data: DataSetRecord, best: BestRecord, images: Dataset, work: Path
) -> dict[str, MakeFigure]:
    """Return what makes each figure of the best network: of the test set if there is one, else of the validation set.

    Args:
        summary: what the study found.
        data: the data set.
        best: its best variant.
        images: its decoded images with their labels.
        work: the work directory.
    """
    run_dir = RunDir(work / best.key)
    for name, words_of_set in (("test", "test set"), ("predictions", "validation set")):
        arrays = run_dir.read_arrays(name)
        if arrays is not None:
            which = "refit" if summary.run(best.key).is_refit else f"seed {summary.run(best.key).seed}"
            title = f"{best.variant} ({which}) on {_called(summary, data)}, {words_of_set}"
            return dict(of_predictions(images, arrays["rows"], arrays["predictions"], title))
    return {}
