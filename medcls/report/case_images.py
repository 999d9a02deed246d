"""The same cases in every run of a study, an image each, so that MLflow's image grid shows runs side by side.

A case is an image of the data set: chosen by chance, but for all runs alike. A run shows those of its cases that it has
predicted without having trained on them. Under cross-validation each fold has its own share of the cases, and a variant
or trial shows all of them, each as the fold saw it that had not trained on it.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.pseudonyms import Pseudonyms
from medcls.data.split import split
from medcls.report.figures import canvas, case_tiles
from medcls.report.figures.case_tiles import Case
from medcls.spec.run import Run
from medcls.tracking.entries import KeyedImage
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.files import draw_whole

Draw = Callable[[Path], object]
"""Draws an image into a file."""
CASES = 20
SHEET = "certain_errors.png"  # the figure of the most confident errors
SEED = 20  # of the choice of cases, for all studies
PREDICTION, OUTLINES, SALIENCY, ERRORS = "prediction", "outlines", "saliency", "certain errors"
"""The keys under which MLflow shows the images; their steps are the numbers of the cases, from 0 on."""


@dataclass(frozen=True)
class CaseImage:
    """An image of a case.

    Attributes:
        key: what it shows.
        number: of the case, from 0 on.
        path: of the PNG in the run directory.
        draw: draws it there.
    """

    key: str
    number: int
    path: Path
    draw: Draw


def of_run(run: Run, run_dir: RunDir, decoded: Path | None, figures: Mapping[Path, Draw]) -> tuple[KeyedImage, ...]:
    """Return the images of a run for the image grid: its cases, and its most confident errors on a sheet.

    The keys of a fold say which it is: MLflow then shows runs of one fold side by side, whose cases are the same.

    Args:
        run: the run.
        run_dir: its run directory.
        decoded: the directory of its data set's decoded images, None where they are not at hand.
        figures: of the run, each with the function that draws it.
    """
    which = ""
    if run.folds is not None:
        which = " refit" if run.fold is None else f" fold {run.fold + 1}"
    images, steps = [], Counter[str]()
    for image in case_images(run, run_dir, decoded):
        images.append(KeyedImage(f"{image.key}{which}", steps[image.key], image.path, image.draw))
        steps[image.key] += 1
    for path, draw in figures.items():
        if path.name == SHEET:
            images.append(KeyedImage(f"{ERRORS}{which}", 0, path, draw))
    return tuple(images)


def of_group(images: Iterable[CaseImage]) -> tuple[KeyedImage, ...]:
    """Return the images of a variant or trial for the image grid: each case as its first run shows it.

    Args:
        images: of its folds or seeds.
    """
    keyed: dict[tuple[str, int], KeyedImage] = {}
    for image in images:
        keyed.setdefault((image.key, image.number), KeyedImage(image.key, image.number, image.path, image.draw))
    return tuple(keyed[place] for place in sorted(keyed))


def draw_cases(run: Run, run_dir: RunDir, decoded: Path) -> None:
    """Draw those images of a finished run's cases that are not there yet.

    An image that cannot be drawn is left out here; whoever shows it tries again and reports the error.

    Args:
        run: the run.
        run_dir: its run directory.
        decoded: the directory of its data set's decoded images.
    """
    with contextlib.suppress(Exception):  # an image must never cost a result
        for image in case_images(run, run_dir, decoded) if run_dir.is_finished() else ():
            if not image.path.exists():
                draw_whole(image.path, image.draw)


def case_images(run: Run, run_dir: RunDir, decoded: Path | None) -> list[CaseImage]:
    """Return the images of a run's cases, each with the function that draws it into the run directory.

    Classifiers have the image with its prediction, and the saliency map over it where there is one; networks that mark
    something have the image with the true and the predicted outline.

    Args:
        run: the run.
        run_dir: its run directory.
        decoded: the directory of its data set's decoded images, None where they are not at hand.
    """
    if decoded is None:
        return []
    data = open_decoded(decoded)
    predicted = run_dir.read_arrays("predictions", "rows")
    if predicted is None or not data.holds_images:
        return []
    cases = _Cases(run, run_dir, data)
    numbers = cases.numbers(predicted["rows"])
    key = PREDICTION if data.masks is None else OUTLINES
    images: list[CaseImage] = []
    for number, row in numbers.items():
        path = run_dir.path / f"case_{number:02}.png"
        images.append(CaseImage(key, number, path, partial(cases.draw, row)))
    mapped = run_dir.read_arrays(HEAT, "rows")
    for number, row in numbers.items():
        if mapped is not None and row in mapped["rows"]:
            path = run_dir.path / f"{HEAT}_case_{number:02}.png"
            images.append(CaseImage(SALIENCY, number, path, partial(cases.draw_saliency, row)))
    return images


def chosen(pool: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return the rows of the cases among the rows of a pool, in the order of their numbers.

    Args:
        pool: rows of the data set that some run of a study predicts without having trained on them.
        count: how many images the data set has.
    """
    ranks = np.random.default_rng(SEED).permutation(count)
    return np.asarray(sorted(pool.tolist(), key=lambda row: ranks[row])[:CASES], np.int64)


class _Cases:
    """The cases of one run; its predictions are read when the first image is drawn, and once for all.

    Args:
        run: the run.
        run_dir: its run directory.
        data: its data set.
    """

    def __init__(self, run: Run, run_dir: RunDir, data: Dataset) -> None:
        self._run, self._run_dir, self._data = run, run_dir, data

    def numbers(self, predicted: NDArray[np.int64]) -> dict[int, int]:
        """Return the cases that the run has predicted: number, from 0 on -> row.

        Args:
            predicted: the rows that the run has predicted, of shape (n,).
        """
        data, run, pool = self._data, self._run, predicted
        if run.folds is not None:
            fold, seed = run.fold, run.split_seed
            rows = split(data.labels, data.parts, data.patients, fold=fold, folds=run.folds, seed=seed)
            pool = np.union1d(rows.train, rows.validation)  # each is in the validation set of one fold
        numbers = {}
        for number, row in enumerate(chosen(pool, len(data.labels)).tolist()):
            if row in predicted:
                numbers[number] = row
        return numbers

    def draw(self, row: int, path: Path) -> None:
        """Draw the image of a row with what was predicted for it."""
        data, case = self._data, self._case(row)
        if data.masks is None:
            figure = case_tiles.with_prediction(case, data.classes)
        else:
            figure = case_tiles.with_outlines(case, np.asarray(data.masks[row])[..., 0] > 0)
        canvas.save(figure, path)

    def draw_saliency(self, row: int, path: Path) -> None:
        """Draw the image of a row with its saliency map over it."""
        heat = self._heat["maps"][int(np.flatnonzero(self._heat["rows"] == row)[0])]
        canvas.save(case_tiles.with_saliency(self._case(row), self._data.classes, heat), path)

    def _case(self, row: int) -> Case:
        place = int(np.flatnonzero(self._predicted["rows"] == row)[0])
        image, label = np.asarray(self._data.images[row]), int(self._data.labels[row])
        (file,) = Pseudonyms(self._data).files(np.array([row]))
        return Case(image, label, self._predicted["predictions"][place], file)

    @cached_property
    def _predicted(self) -> dict[str, NDArray[Any]]:
        return self._arrays("predictions")

    @cached_property
    def _heat(self) -> dict[str, NDArray[Any]]:
        return self._arrays(HEAT)

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        arrays = self._run_dir.read_arrays(name)
        if arrays is None:
            raise FileNotFoundError(self._run_dir.path / f"{name}.npz")
        return dict(arrays)
