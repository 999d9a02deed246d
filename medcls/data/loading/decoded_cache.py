"""Decoded images on disk: made once per data set and size, then mapped into memory by every worker."""

import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import Dataset, DatasetSpec, Examples
from medcls.data.levels import from_plain
from medcls.data.marks import Marks
from medcls.data.readers.images import DECODER, UnreadableImageError
from medcls.data.readers.records import listed
from medcls.data.whole_masks import WholeMasks, pack
from medcls.utils.errors import BadInputError
from medcls.utils.records import DamagedError, read_arrays

AT_ONCE = 2**25  # bytes of decoded images that may wait to be written
UNFINISHED = ".unfinished"
IMAGES, MASKS, WHOLE = "images.npy", "masks.npy", "whole_masks.npy"
CHECKED = "checked.sqlite"  # beside the arrays: by what sizes and times they were compared with their digests
Progress = Callable[[int, int], None]
Tell = Callable[[str], None]
Decode = Callable[[int], Examples]


def prepare(
    bundle: DatasetSpec, folder: Path, progress: Progress | None = None, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Decode a data set's images into a folder below `folder`, unless they lie there already, and return it.

    It is written beside and renamed when whole. Labels, sets, patients and names are stored with the pixels, so that
    they belong together even if the data set's files have been renamed since. A file of the cache is compared with its
    SHA-256 whenever its size or times have changed since the last comparison; if it is damaged, the images are decoded
    again.

    Args:
        bundle: the data set.
        folder: the cache, shared by any number of processes.
        progress: called after each image with how many are decoded and how many there are; None by default.
        say: called with a sentence if the cache was damaged; does nothing by default.

    Raises:
        BadInputError: images that cannot be decoded, all named; one that has changed since it was described; or the
            folder cannot be written.
    """
    home = place(folder, bundle.fingerprint, bundle.size, bundle.channels)
    if _is_whole(home, bundle, lambda _: None):
        return home
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            for left_behind in folder.glob(f"*{UNFINISHED}"):  # the lock's holders before were killed
                shutil.rmtree(left_behind)
            if not _is_whole(home, bundle, say):
                _build(bundle, home, progress)
    except OSError as error:
        reason = error.strerror or error
        raise BadInputError(
            f"{folder} cannot take the decoded images ({reason}): make room or use another folder."
        ) from error
    return home


def place(folder: Path, fingerprint: str, size: int, channels: int) -> Path:
    """Return the folder for a data set's images, decoded to a size.

    Args:
        folder: the cache.
        fingerprint: of the data set.
        size: height and width of the decoded images in pixels.
        channels: 1 (grey) or 3 (RGB).
    """
    return folder / f"{fingerprint.removeprefix('sha256:')[:16]}-{size}x{size}x{channels}"


def stored(folder: Path, fingerprint: str, size: int | None) -> Path | None:
    """Return a folder with a data set's decoded images, of the given size if there is one; None if there is none.

    Args:
        folder: the cache.
        fingerprint: of the data set.
        size: height and width of the decoded images in pixels, None for any.
    """
    homes = []
    for home in sorted(folder.glob(f"{fingerprint.removeprefix('sha256:')[:16]}-*")):
        if (home / "rows.npz").exists() and home.suffix != UNFINISHED:
            homes.append(home)
    exact = [home for home in homes if f"-{size}x{size}x" in home.name]
    return next(iter(exact or homes), None)


def open_decoded(path: Path) -> Dataset:
    """Return the data set that `prepare` left in a folder, its images as a read-only memory map."""
    with np.load(path / "rows.npz") as rows:
        masks, whole, levels = None, None, None
        if (path / MASKS).exists():
            masks = np.load(path / MASKS, mmap_mode="r")
        if "whole_ends" in rows:
            whole = WholeMasks(np.load(path / WHOLE, mmap_mode="r"), rows["whole_ends"], rows["whole_sizes"])
        if "levels" in rows:
            levels = json.loads(str(rows["levels"]))
        return Dataset(
            images=np.load(path / IMAGES, mmap_mode="r"),
            labels=rows["labels"],
            parts=rows["parts"],
            patients=rows.get("patients"),
            names=tuple(rows["names"].tolist()),
            classes=tuple(rows["classes"].tolist()),
            fingerprint=str(rows["fingerprint"]),
            masks=masks,
            whole=whole,
            levels=from_plain(levels),
        )


def _is_whole(home: Path, bundle: DatasetSpec, say: Tell) -> bool:
    """Tell whether a folder holds the data set's images as this version decodes them; say so if they are damaged."""
    if not home.exists():
        return False
    try:
        rows = read_arrays(home / "rows.npz")
        if "digests" not in rows or rows["decoder"] != DECODER or rows["fingerprint"] != bundle.fingerprint:
            return False  # another version's
        files = [home / name for name in _shapes(bundle)]
        if bundle.marks is not None:
            files.append(home / WHOLE)
        if Hashes(home / CHECKED).sha256_of(files) == rows["digests"].tolist():
            return True
        damage = "not what was written"
    except (FileNotFoundError, KeyError):
        damage = "incomplete"
    except (DamagedError, ValueError) as error:
        damage = str(error)
    say(f"The decoded images in {home} are damaged ({damage}): decoding {bundle.name} again.")
    return False


def _build(bundle: DatasetSpec, home: Path, progress: Progress | None) -> None:
    beside = home.with_name(home.name + UNFINISHED)
    beside.mkdir()
    try:
        digests = [_write(bundle, beside / IMAGES, bundle.decode, progress)]
        if bundle.masks is not None:
            digests.append(_write(bundle, beside / MASKS, partial(_mask, bundle), progress))
        ends_and_sizes: dict[str, NDArray[np.int64]] = {}
        if bundle.marks is not None:
            digest, ends_and_sizes = _write_whole(bundle.marks(lambda *_: None), beside / WHOLE)
            digests.append(digest)
        _write_rows(bundle, beside / "rows.npz", digests, ends_and_sizes)
        shutil.rmtree(home, ignore_errors=True)  # damaged, or decoded by another version
        beside.rename(home)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _mask(bundle: DatasetSpec, row: int) -> Examples:
    assert bundle.masks is not None
    mask: Examples = bundle.masks(row, bundle.size)
    return mask


def _write(bundle: DatasetSpec, path: Path, decode: Decode, progress: Progress | None) -> str:
    """Write all images, or masks, one after another; return the file's SHA-256 in hex.

    A memory map would end the process where the disk is full.
    """
    bad: list[str] = []
    digest = hashlib.sha256()
    with (
        path.open("wb") as file,
        ThreadPoolExecutor(os.cpu_count()) as pool,
        closing(_decoded(bundle, decode, pool)) as images,  # an interruption cancels what still waits for the pool
    ):
        descr = np.lib.format.dtype_to_descr(np.dtype(bundle.dtype if path.name == IMAGES else np.uint8))
        shape = _shapes(bundle)[path.name]
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, header)
        digest.update(head.getvalue())
        file.write(head.getvalue())
        for row, image in enumerate(images):
            if isinstance(image, UnreadableImageError):
                bad.append(f"{bundle.names[row]} ({image})")
            elif not bad:
                _check_shape(bundle, row, image, shape[1:])
                content = image.tobytes()
                digest.update(content)
                file.write(content)
            if progress:
                progress(row + 1, len(bundle.labels))
        file.flush()
        os.fsync(file.fileno())
    if bad:
        count = f"{len(bad)} of {len(bundle.labels)} images"
        raise BadInputError(f"{count} in {bundle.source} cannot be read: {listed(bad)}; repair or remove them.")
    return digest.hexdigest()


def _check_shape(bundle: DatasetSpec, row: int, image: object, shape: tuple[int, ...]) -> None:
    """Refuse what a data function of the user's own may return in place of an image.

    Args:
        bundle: the data set.
        row: the number of the image.
        image: what was returned for it.
        shape: that it must have.
    """
    if not isinstance(image, np.ndarray) or image.shape != shape:
        of_shape = f" of shape {image.shape}" if isinstance(image, np.ndarray) else ""
        raise BadInputError(
            f"Image {bundle.names[row]} of {bundle.source} was read as a {type(image).__name__}{of_shape}, and must be "
            f"an array of shape {shape}: correct the data function."
        )


def _decoded(
    bundle: DatasetSpec, decode: Decode, pool: ThreadPoolExecutor
) -> Generator[Examples | UnreadableImageError]:
    """Yield every image in turn, or what is wrong with it, decoding only so far ahead as memory allows."""

    def attempt(row: int) -> Examples | UnreadableImageError:
        try:
            with bundle.unchanged(row):
                return decode(row)
        except UnreadableImageError as error:
            return error

    ahead = max(1, AT_ONCE // math.prod(bundle.shape))
    rows = iter(range(len(bundle.labels)))
    while batch := list(islice(rows, ahead)):
        yield from pool.map(attempt, batch)


def _write_whole(marks: Marks, path: Path) -> tuple[str, dict[str, NDArray[np.int64]]]:
    """Write all masks in their own sizes; return the file's SHA-256 in hex, the masks' ends and their sizes."""
    rows = range(len(marks.names))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        packed = list(pool.map(lambda row: pack(marks.whole(row)), rows))
    ends = np.cumsum([len(mask) for mask in packed], dtype=np.int64)
    with path.open("wb") as file:
        np.save(file, np.frombuffer(b"".join(packed), np.uint8))
        file.flush()
        os.fsync(file.fileno())
    sizes = np.array([(height, width) for width, height in marks.sizes], np.int64)
    return hashlib.sha256(path.read_bytes()).hexdigest(), {"whole_ends": ends, "whole_sizes": sizes}


def _write_rows(
    bundle: DatasetSpec, path: Path, digests: list[str], ends_and_sizes: dict[str, NDArray[np.int64]]
) -> None:
    optional: dict[str, Any] = {}  # not of arrays alone to mypy, as np.savez takes a bool by keyword too
    if bundle.patients is not None:
        optional["patients"] = bundle.patients
    if not bundle.levels.as_stored:
        optional["levels"] = np.array(json.dumps(bundle.levels.plain()))
    optional |= ends_and_sizes
    np.savez(
        path,
        labels=bundle.labels,
        parts=bundle.parts,
        names=np.array(bundle.names),
        classes=np.array(bundle.classes),
        fingerprint=np.array(bundle.fingerprint),
        decoder=np.array(DECODER),
        digests=np.array(digests),
        **optional,
    )


def _shapes(bundle: DatasetSpec) -> dict[str, tuple[int, ...]]:
    """Return the shape of each file of arrays."""
    shapes: dict[str, tuple[int, ...]] = {IMAGES: (len(bundle.labels), *bundle.shape)}
    if bundle.masks is not None:
        shapes[MASKS] = (len(bundle.labels), bundle.size, bundle.size, 1)
    return shapes
