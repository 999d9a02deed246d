"""Saliency maps of image files: overlays as pictures, and where each map is largest in numbers."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypedDict

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
"""The methods by their names on the command line, such as "grad-cam" for "Grad-CAM"."""

NUMBERS = "explanations.json"
AT_ONCE = 64  # images

Explanation = TypedDict(
    "Explanation",
    {
        "file": str,
        "class": str,
        "probability": float,
        "explained": str,
        "probability_explained": float,
        "method": str,
        "layer": str,
        "warmest": list[float] | None,
        "half_of_the_heat": float | None,
        "overlay": str,
    },
)
"""An image's entry in explanations.json.

"class" is the predicted class, "explained" the class whose saliency map was drawn. "warmest" is the map's largest pixel
as fractions of width and height; "half_of_the_heat" is the smallest fraction of the area that holds half of the map's
sum; both are None for a map that is 0 everywhere. "overlay" is the name of the picture.
"""


@dataclass(frozen=True)
class Asked:
    """What is to be explained.

    Attributes:
        method: the name of the saliency method, as in its paper.
        layer: the name of the layer whose maps are used.
        label: the number of the class to explain, None for the predicted class of each image.
    """

    method: str
    layer: str
    label: int | None


def asked(model: Predictor, method: str, layer: str, name: str | None) -> Asked:
    """Check what the user wants explained against the model.

    Args:
        model: the model.
        method: the name of the method on the command line.
        layer: the name of a layer; "" for the last convolution.
        name: of the class to explain, None for the predicted class of each image.

    Raises:
        BadInputError: the model has no such class or layer, no convolution, or no Keras network.
    """
    if model.network is None:
        raise BadInputError(
            f"{model.name} gives access to its predictions but not to its layers: explain the Keras model beside it."
        )
    layer = opened(model.network, layer).layer
    if name is not None and name not in model.classes:
        nearest = difflib.get_close_matches(name, model.classes, n=3, cutoff=0.3) or list(model.classes)[:5]
        raise BadInputError(f"--class {name}: {model.name} has no such class. Did you mean {', '.join(nearest)}?")
    return Asked(BY_NAME[method], layer, None if name is None else model.classes.index(name))


def explain(model: Predictor, files: Sequence[Path], what: Asked, out: Path) -> list[Explanation]:
    """Write an overlay of each image and explanations.json into a folder.

    An overlay shows the image below its saliency map twice, side by side: in jet and in viridis, 512 pixels each.

    Args:
        model: the model.
        files: the images.
        what: is to be explained.
        out: the folder.

    Returns:
        The entries of explanations.json, one per image.

    Raises:
        BadInputError: images cannot be read, all of which are named before anything is written; or the folder cannot
            be written.
    """
    _check_images(files, model)
    names = _overlay_names(files)
    explanations: list[Explanation] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(files), AT_ONCE):
            end = start + AT_ONCE
            explanations += _explain_batch(model, files[start:end], what, out, names[start:end])
        write_json(out / NUMBERS, explanations)
    except OSError as error:
        raise BadInputError(
            f"--out {out} cannot be written ({error.strerror or error}): name another folder."
        ) from error
    return explanations


def _check_images(files: Sequence[Path], model: Predictor) -> None:
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


def _explain_batch(
    model: Predictor, files: Sequence[Path], what: Asked, out: Path, names: Sequence[str]
) -> list[Explanation]:
    images = np.stack([decode(file, model.size, model.channels, model.levels) for file in files])
    answers = probabilities(model.network, images)
    labels = answers.argmax(axis=1) if what.label is None else np.full(len(files), what.label)
    maps = METHODS[what.method](model.network, images, labels, layer=what.layer)
    explanations: list[Explanation] = []
    for row, (file, answer, label) in enumerate(zip(files, answers, labels.tolist(), strict=True)):
        both = [overlay(images[row], maps[row], "jet"), overlay(images[row], maps[row], "viridis")]
        _write_png(out / names[row], np.concatenate(both, axis=1))
        predicted = int(np.argmax(answer))
        is_empty = not maps[row].any()
        explanations.append(
            {
                "file": str(file),
                "class": model.classes[predicted],
                "probability": _number(answer[predicted]),
                "explained": model.classes[label],
                "probability_explained": _number(answer[label]),
                "method": what.method,
                "layer": what.layer,
                "warmest": None if is_empty else _warmest(maps[row]),
                "half_of_the_heat": None if is_empty else _half_area(maps[row]),
                "overlay": names[row],
            }
        )
    return explanations


def _warmest(saliency_map: Maps) -> list[float]:
    """Return the centre of the largest pixel of a map, of shape (height, width), as fractions of width and height."""
    row, column = np.unravel_index(int(np.argmax(saliency_map)), saliency_map.shape)
    height, width = saliency_map.shape
    return [round((int(column) + 0.5) / width, 4), round((int(row) + 0.5) / height, 4)]


def _half_area(saliency_map: Maps) -> float:
    """Return the smallest fraction of the pixels of a map, of shape (height, width), that holds half of its sum."""
    sums = np.cumsum(np.sort(saliency_map, axis=None)[::-1], dtype=np.float64)
    half = int(np.searchsorted(sums, sums[-1] / 2)) + 1
    return round(half / saliency_map.size, 4)


def _overlay_names(files: Sequence[Path]) -> list[str]:
    """Return the names of the overlays: as their images, with a number where several images have the same name.

    Names that differ only in upper and lower case count as the same.
    """
    counts = Counter(file.stem.casefold() for file in files)
    taken = {stem for stem, count in counts.items() if count == 1}
    last_number = Counter[str]()
    stems = []
    for file in files:
        stem, folded = file.stem, file.stem.casefold()
        while counts[folded] > 1 and (stem == file.stem or stem.casefold() in taken):
            last_number[folded] += 1
            stem = f"{file.stem}_{last_number[folded]}"
        taken.add(stem.casefold())
        stems.append(stem)
    safe = beside_others(stems)
    return [f"{safe[stem]}_heat.png" for stem in stems]


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_atomically(path, lambda file: PIL.Image.fromarray(pixels).save(file, "PNG"))


def _number(probability: np.float32) -> float:
    """Return a 32-bit number as a double with the digits that the 32-bit number has."""
    return float(f"{probability:.9g}")
