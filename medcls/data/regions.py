"""What is marked in the images of a data set: of a phantom all that it knows, of files the masks beside them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import DatasetSpec
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.types import Render
from medcls.data.readers import images

MASKS = "_masks"  # ends the name of a folder that mirrors the images' folders

Region = Callable[[int], NDArray[np.bool_] | None]


def regions(bundle: DatasetSpec) -> Mapping[str, Region]:
    """Return the regions that are marked in a data set: name -> (row -> mask of shape (size, size), None if missing).

    Files have masks where a folder NAME_masks in their source holds them under the images' own names, as
    `medcls data make bone` writes them: white in the region, black elsewhere.
    """
    if bundle.kind == "phantom":
        drawn = PHANTOMS[bundle.source]().masks
        return {name: partial(_drawn, render, bundle.names, bundle.size) for name, render in drawn.items()}
    home = Path(bundle.source)
    if bundle.kind != "files" or not home.is_dir():
        return {}
    folders = sorted(path for path in home.glob(f"?*{MASKS}") if path.is_dir())
    return {folder.name.removesuffix(MASKS): partial(_read, folder, bundle.names, bundle.size) for folder in folders}


def _drawn(render: Render, names: tuple[str, ...], size: int, row: int) -> NDArray[np.bool_]:
    return _fitted(images.fit(render(int(names[row])), size, 1))


def _read(folder: Path, names: tuple[str, ...], size: int, row: int) -> NDArray[np.bool_] | None:
    file = folder / names[row]
    try:
        return _fitted(images.decode(file, size, 1)) if file.exists() else None
    except images.UnreadableImageError:
        return None


def _fitted(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(mask[..., 0] >= 128)
