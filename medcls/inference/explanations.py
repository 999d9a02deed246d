"""Why a model says what it says of image files: maps of a class, overlays and numbers."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.readers.images import UnreadableImageError, decode
from medcls.data.readers.records import listed
from medcls.explain.layer_probe import Maps, opened, probabilities
from medcls.explain.methods import METHODS
from medcls.explain.overlays import overlay
from medcls.inference.predictor import NAMED, Predictor
from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically, write_json
from medcls.utils.lazy import PIL
from medcls.utils.naming import beside_others

BY_NAME: Mapping[str, str] = MappingProxyType({name.lower().replace(" ", "-"): name for name in METHODS})
"""Each method as it is typed: "grad-cam" for "Grad-CAM"."""

NUMBERS = "explanations.json"
AT_ONCE = 64  # images

Found = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is to be explained: by which method, at which layer ("" for the last convolution's), which class.

    `label` is None for the class that the model says.
    """

    method: str
    layer: str
    label: int | None


def asked(model: Predictor, method: str, layer: str, name: str | None) -> Asked:
    """Return what the command line asks of a model.

    Raises:
        BadInputError: no such method, class or layer; or a model without a convolution.
    """
    if model.network is None:
        raise BadInputError(f"{model.name} shows its answers but not its layers: explain the Keras model beside it.")
    layer = opened(model.network, layer).layer
    if name is not None and name not in model.classes:
        near = difflib.get_close_matches(name, model.classes, n=3, cutoff=0.3) or list(model.classes)[:5]
        raise BadInputError(f"--class {name}: {model.name} knows no such class; the nearest are {', '.join(near)}.")
    return Asked(BY_NAME[method], layer, None if name is None else model.classes.index(name))


def explain(model: Predictor, files: Sequence[Path], what: Asked, out: Path) -> list[Found]:
    """Write an overlay of each image into a folder, and what was found as explanations.json; return that.

    An overlay is 1024 pixels wide: in jet, as the laboratory has it, and in colours that are even to the eye.

    Raises:
        BadInputError: images that cannot be read, all named, before anything is written; or a folder that cannot be.
    """
    _check(files, model)
    names, found = _names(files), []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(files), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            found += _explained(model, files[some], what, out, names[some])
        write_json(out / NUMBERS, found)
    except OSError as error:
        raise BadInputError(f"--out {out} cannot be written ({error.strerror or error}): give another.") from error
    return found


def _check(files: Sequence[Path], model: Predictor) -> None:
    bad = []
    for file in files:
        try:
            decode(file, model.size, model.channels, model.levels)
        except UnreadableImageError as error:
            bad.append(f"{file} ({error})")
    if bad:
        raise BadInputError(
            f"{len(bad)} of {len(files)} images cannot be read: {listed(bad, NAMED)}; repair them or leave them out."
        )


def _explained(model: Predictor, files: Sequence[Path], what: Asked, out: Path, names: Sequence[str]) -> list[Found]:
    images = np.stack([decode(file, model.size, model.channels, model.levels) for file in files])
    answers = probabilities(model.network, images)
    labels = answers.argmax(axis=1) if what.label is None else np.full(len(files), what.label)
    maps = METHODS[what.method](model.network, images, labels, layer=what.layer)
    found = []
    for row, (file, answer, label) in enumerate(zip(files, answers, labels.tolist(), strict=True)):
        both = [overlay(images[row], maps[row], scale) for scale in ("jet", "viridis")]
        _write(out / names[row], np.concatenate(both, axis=1))
        found.append(
            {
                "file": str(file),
                "class": model.classes[answer.argmax()],
                "probability": _number(answer.max()),
                "explained": model.classes[label],
                "probability_explained": _number(answer[label]),
                "method": what.method,
                "layer": what.layer,
                **_where(maps[row]),
                "overlay": names[row],
            }
        )
    return found


def _where(heat: Maps) -> dict[str, Any]:
    """Return where a map is warmest, as shares of width and height, and how much of the area has half of its heat."""
    if not heat.any():
        return {"warmest": None, "half_of_the_heat": None}
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    height, width = heat.shape
    sums = np.cumsum(np.sort(heat, axis=None)[::-1], dtype=np.float64)
    half = int(np.searchsorted(sums, sums[-1] / 2)) + 1
    warmest = [round((int(column) + 0.5) / width, 4), round((int(row) + 0.5) / height, 4)]
    return {"warmest": warmest, "half_of_the_heat": round(half / heat.size, 4)}


def _names(files: Sequence[Path]) -> list[str]:
    """Return what each overlay is called: as its image, numbered where several are called alike."""
    often = Counter(file.stem.casefold() for file in files)
    taken, last = {stem for stem, count in often.items() if count == 1}, Counter[str]()
    stems = []
    for file in files:
        stem, alike = file.stem, file.stem.casefold()
        while often[alike] > 1 and (stem == file.stem or stem.casefold() in taken):
            last[alike] += 1
            stem = f"{file.stem}_{last[alike]}"
        taken.add(stem.casefold())
        stems.append(stem)
    safe = beside_others(stems)
    return [f"{safe[stem]}_heat.png" for stem in stems]


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_atomically(path, lambda file: PIL.Image.fromarray(pixels).save(file, "PNG"))


def _number(probability: Any) -> float:
    return float(f"{probability:.9g}")
