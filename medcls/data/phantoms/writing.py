"""A phantom as a folder of image files, laid out as the data set that it stands in for."""

import csv
import inspect
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.types import Phantom, Render
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import joblib

COUNTS = frozenset({"train", "validation", "test", "images"})  # what phantoms call the sizes of their parts
README = "README.txt"
FEW = 50  # images, for which other processes are not worth their start
Progress = Callable[[int, int], None]


def made(name: str, *, seed: int = 0, count: int | None = None) -> Phantom:
    """Return a phantom of `count` images, every part and class with its share and none of them empty.

    Raises:
        BadInputError: the count is too small for that.
    """
    usual = PHANTOMS[name](seed=seed)
    if count is None:
        return usual
    parameters = inspect.signature(PHANTOMS[name]).parameters
    sizes = {part: np.atleast_1d(parameters[part].default) for part in parameters if part in COUNTS}
    least = max(sum(map(len, sizes.values())), len(usual.classes))
    if count < least:
        raise BadInputError(f"--count {count}: {name} has {least} classes in its sets; give at least {least}.")
    scaled = _shares(np.concatenate(list(sizes.values())), count)
    cuts = np.cumsum([len(size) for size in sizes.values()])[:-1]
    parts = zip(sizes, np.split(scaled, cuts), strict=True)
    return PHANTOMS[name](seed=seed, **{part: _like(parameters[part].default, each) for part, each in parts})


def write(phantom: Phantom, folder: Path, progress: Progress | None = None) -> None:
    """Write a phantom's images, masks and table into a folder: beside it first, then renamed when whole.

    Args:
        phantom: the data set.
        folder: must not be there, or be empty.
        progress: told after each image how many are written and how many there are.

    Raises:
        BadInputError: the folder holds something, or cannot be written.
    """
    beside = None
    try:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInputError(f"{folder} is there and not empty: name a new folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        _write_all(phantom, beside, progress)
        beside.chmod(0o777 & ~_mask_of_rights())  # a temporary folder is its owner's only
        if folder.is_dir():
            folder.rmdir()
        beside.rename(folder)
    except OSError as error:
        raise BadInputError(
            f"{folder} cannot be written ({error.strerror or error}): use another folder or make room."
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def paths(phantom: Phantom) -> list[str]:
    """Return where each image lies below the folder that `write` makes."""
    numbers: Counter[str] = Counter()
    found = []
    for part, label in zip(phantom.parts.tolist(), phantom.labels.tolist(), strict=True):
        numbers[part] += 1
        found.append(phantom.file(part, phantom.classes[label] if phantom.classes else "", numbers[part]))
    return found


def _like(usual: int | Sequence[int], sizes: NDArray[np.int64]) -> int | tuple[int, ...]:
    """Return sizes as a phantom takes them: one number, or one a class."""
    return int(sizes[0]) if isinstance(usual, int) else tuple(sizes.tolist())


def _shares(sizes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return whole numbers, at least 1 each, that add up to `count` in the proportions of `sizes`."""
    exact = np.maximum(sizes * (count / sizes.sum()), 1)
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    for _ in range(count - int(whole.sum())):
        whole[np.argmax(exact - whole)] += 1
    for _ in range(int(whole.sum()) - count):
        whole[np.argmax(np.where(whole > 1, whole - exact, -np.inf))] -= 1
    return whole


def _write_all(phantom: Phantom, home: Path, progress: Progress | None) -> None:
    files = paths(phantom)
    draws = {"": phantom.render, **phantom.masks}
    places = []
    for file in files:
        paths_of_image = {}
        for mask in draws:
            paths_of_image[mask] = home / (phantom.mask_file(file, mask) if mask else file)
            paths_of_image[mask].parent.mkdir(parents=True, exist_ok=True)
        places.append(paths_of_image)
    processes = joblib.Parallel(joblib.cpu_count() if len(files) > FEW else 1, return_as="generator")
    saved = processes(joblib.delayed(_save)(draws, row, paths_of_image) for row, paths_of_image in enumerate(places))
    for done, _ in enumerate(saved, start=1):
        if progress:
            progress(done, len(files))
    if phantom.patients is not None:
        _write_table(phantom, files, home / "labels.csv")
    (home / README).write_text("\n".join(_readme(phantom)) + "\n", encoding="utf-8")


def _save(draws: Mapping[str, Render], row: int, places: Mapping[str, Path]) -> None:
    """Draw an image and its masks and write each to its place."""
    from PIL import Image

    for what, path in places.items():
        Image.fromarray(draws[what](row)).save(path)


def _write_table(phantom: Phantom, files: list[str], path: Path) -> None:
    assert phantom.patients is not None
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label", "patient"))
        labels = [phantom.classes[label] for label in phantom.labels.tolist()]
        table.writerows(zip(files, labels, phantom.patients.tolist(), strict=True))


def _readme(phantom: Phantom) -> Iterator[str]:
    yield f"A phantom of the data set {phantom.name}, drawn by medcls. No image in this folder is real: none shows a"
    yield "person, and nothing that is found in them says anything about patients."
    yield ""
    yield f"images  {len(phantom.parts)}"
    for mask in phantom.masks:
        yield f"masks   of the {mask}: 255 there, 0 elsewhere"
    yield f"made by {phantom.recipe}"


def _mask_of_rights() -> int:
    """Return the user's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
