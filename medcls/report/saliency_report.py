"""The figures of where a run's network looks: in its folder, and the sheets in the study's report too."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.pseudonyms import Pseudonyms
from medcls.explain import overlays
from medcls.report.figures import canvas, saliency, sanity_checks
from medcls.report.figures.saliency import Shown
from medcls.spec.run import Run
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.lazy import PIL

Draw = Callable[[Path], None]
LONGEST = 150  # characters of a figure's file name, in which the number tells figures apart


def drawings(run: Run, folder: RunDir, decoded: Path) -> dict[str, Draw]:
    """Return what draws each figure of a run's maps into a file, by the file's name; nothing where it has none."""
    known = folder.read_arrays(HEAT, "places", "reasons", "labels")
    if known is None:
        return {}
    found: dict[str, Draw] = {f"{HEAT}_maps.png": partial(_draw, saliency.where_it_looks, run, folder, decoded)}
    found[f"{HEAT}_methods.png"] = partial(_draw, saliency.methods, run, folder, decoded)
    if folder.read_arrays(HEAT, "ranks") is not None:
        found[f"{HEAT}_trust.png"] = partial(_trust, run, folder)
    classes = open_decoded(decoded).classes
    for number, (place, why) in enumerate(zip(known["places"], known["reasons"], strict=True)):
        words = f"{HEAT}_overlay_{number + 1}_{classes[known['labels'][place]]}_{why}"
        found[f"{re.sub(r'[^A-Za-z0-9-]+', '_', words)[:LONGEST]}.png"] = partial(_overlay, folder, decoded, number)
    return found


def figures(runs: Mapping[str, tuple[Run, RunDir, Path]], home: Path) -> list[dict[str, str]]:
    """Draw the sheets of some runs into a study's folder; return their titles and files' names, for the report.

    Args:
        runs: title -> a run, its folder and its decoded images.
        home: the study's folder.
    """
    found = []
    for number, (title, (run, folder, decoded)) in enumerate(runs.items(), start=1):
        drawn = drawings(run, folder, decoded)
        for name, words in ((f"{HEAT}_maps", "where it looks"), (f"{HEAT}_trust", "whether that can be believed")):
            if f"{name}.png" in drawn:
                file = f"{name}_{number}.png"
                drawn[f"{name}.png"](home / file)
                found.append({"title": f"{title}: {words}", "file": file})
    return found


def _arrays(folder: RunDir) -> dict[str, Any]:
    arrays = folder.read_arrays(HEAT)
    if arrays is None:
        raise FileNotFoundError(folder.path / f"{HEAT}.npz")
    return arrays


def _draw(sheet: Callable[[Shown, str], Any], run: Run, folder: RunDir, decoded: Path, path: Path) -> None:
    arrays, data = _arrays(folder), open_decoded(decoded)
    rows = arrays["rows"][arrays["places"]]
    shown = Shown(arrays, np.asarray(data.images[rows]), Pseudonyms(data).files(rows), data.classes)
    canvas.save(sheet(shown, _title(run)), path)


def _trust(run: Run, folder: RunDir, path: Path) -> None:
    canvas.save(sanity_checks.trust(_arrays(folder), _title(run)), path)


def _title(run: Run) -> str:
    return f"{run.label} on {run.data_name}" if run.data_name else run.label


def _overlay(folder: RunDir, decoded: Path, number: int, path: Path) -> None:
    arrays = _arrays(folder)
    place = arrays["places"][number]
    below = np.asarray(open_decoded(decoded).images[arrays["rows"][place]])
    PIL.Image.fromarray(overlays.overlay(below, arrays["maps"][place])).save(path, "PNG")
