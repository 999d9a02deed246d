"""The figures of a run's saliency maps: in its run directory, and the main sheets in the study's report too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.pseudonyms import Pseudonyms
from medcls.evaluation.summary import FigureRecord
from medcls.explain import overlays
from medcls.report.figures import canvas, saliency, sanity_checks
from medcls.report.figures.saliency import Shown
from medcls.spec.run import Run
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.lazy import PIL, matplotlib

Draw = Callable[[Path], None]
"""Draws one figure into a file."""

LONGEST = 150  # characters of a figure's file name, in which the number tells figures apart
SHEETS = ((f"{HEAT}_maps", "saliency maps"), (f"{HEAT}_trust", "sanity checks"))  # file and title in the report


def drawings(run: Run, folder: RunDir, decoded: Path) -> dict[str, Draw]:
    """Return the file names of a run's figures of saliency maps, each with the function that draws it.

    Args:
        run: the run; without saliency maps it has no such figures.
        folder: its run directory.
        decoded: the folder of its data set's decoded images.
    """
    arrays = folder.read_arrays(HEAT, "places", "reasons", "labels")
    if arrays is None:
        return {}
    draw: dict[str, Draw] = {}
    draw[f"{HEAT}_maps.png"] = partial(_draw_sheet, saliency.where_it_looks, run, folder, decoded)
    draw[f"{HEAT}_methods.png"] = partial(_draw_sheet, saliency.methods, run, folder, decoded)
    if folder.read_arrays(HEAT, "ranks") is not None:
        draw[f"{HEAT}_trust.png"] = partial(_draw_sanity_checks, run, folder)
    classes = open_decoded(decoded).classes
    for number, (place, reason) in enumerate(zip(arrays["places"], arrays["reasons"], strict=True)):
        words = f"{HEAT}_overlay_{number + 1}_{classes[arrays['labels'][place]]}_{reason}"
        name = re.sub(r"[^A-Za-z0-9-]+", "_", words)[:LONGEST]
        draw[f"{name}.png"] = partial(_draw_overlay, folder, decoded, number)
    return draw


def figures(runs: Mapping[str, tuple[Run, RunDir, Path]], home: Path) -> list[FigureRecord]:
    """Draw the main sheets of some runs into a study's folder.

    Args:
        runs: title -> a run, its run directory and the folder of its decoded images.
        home: the study's folder.

    """
    drawn = []
    for number, (title, (run, folder, decoded)) in enumerate(runs.items(), start=1):
        draw = drawings(run, folder, decoded)
        for name, words in SHEETS:
            if f"{name}.png" in draw:
                file = f"{name}_{number}.png"
                draw[f"{name}.png"](home / file)
                drawn.append(FigureRecord(f"{title}: {words}", file))
    return drawn


def _arrays(folder: RunDir) -> dict[str, NDArray[Any]]:
    arrays = folder.read_arrays(HEAT)
    if arrays is None:
        raise FileNotFoundError(folder.path / f"{HEAT}.npz")
    return arrays


def _draw_sheet(
    sheet: Callable[[Shown, str], matplotlib.figure.Figure], run: Run, folder: RunDir, decoded: Path, path: Path
) -> None:
    arrays, data = _arrays(folder), open_decoded(decoded)
    rows = arrays["rows"][arrays["places"]]
    shown = Shown(arrays, np.asarray(data.images[rows]), Pseudonyms(data).files(rows), data.classes)
    canvas.save(sheet(shown, _title(run)), path)


def _draw_sanity_checks(run: Run, folder: RunDir, path: Path) -> None:
    canvas.save(sanity_checks.trust(_arrays(folder), _title(run)), path)


def _title(run: Run) -> str:
    return f"{run.label} on {run.data_name}" if run.data_name else run.label


def _draw_overlay(folder: RunDir, decoded: Path, number: int, path: Path) -> None:
    arrays = _arrays(folder)
    place = arrays["places"][number]
    image = np.asarray(open_decoded(decoded).images[arrays["rows"][place]])
    PIL.Image.fromarray(overlays.overlay(image, arrays["maps"][place])).save(path, "PNG")
