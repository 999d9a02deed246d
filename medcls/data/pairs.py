"""Folders of images with masks: which mask belongs to which image, by stem and never by the order of a listing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from medcls.data.listing import folders_in, images_below, images_in
from medcls.data.records import FOREGROUND, Record, listed, part_folders
from medcls.data.table import TABLES, mask_table, read_mask_table
from medcls.data.types import UNSPLIT
from medcls.errors import BadInputError

IMAGES = frozenset({"image", "images", "img", "imgs"})
MASKS = frozenset({"mask", "masks", "label", "labels"})
MARKED = ("_mask", "_label")  # at the end of a mask's stem, where it is not the image's own
PAIRS = (
    "images/ with masks/ of the same stems, or image_01.png beside label_01.png, in train/ and validation/ or alone, "
    "or labels.csv with the columns path and mask"
)

Pair = tuple[Path, Path]


def pair_layout(source: Path) -> str:
    """Return how a folder of images with masks is laid out, for people; "" if it is none."""
    table = mask_table(source)
    if table is not None:
        return f"{TABLES[0]} with masks" + (
            " and patients" if any(record.patient for record in read_mask_table(table)) else ""
        )
    if not source.is_dir():
        return ""
    parts = _parts(source)
    shapes = {_shape(folder) for folder in parts.values()}
    if len(shapes) != 1 or shapes == {""}:
        return ""
    names = ", ".join(f"{folder.name}/" for part, folder in parts.items() if part != UNSPLIT)
    return f"{names}, in each {shapes.pop()}" if names else shapes.pop()


def read_pairs(source: Path) -> list[Record]:
    """Return the images of a folder with their masks, by part and name.

    Raises:
        BadInputError: no layout of images with masks, images without masks or masks without images, all named.
    """
    table = mask_table(source)
    if table is not None:
        return read_mask_table(table)
    if not pair_layout(source):
        raise BadInputError(f"{source} holds no images with masks: give {PAIRS}.")
    found = {part: _pairs(folder) for part, folder in _parts(source).items()}
    lonely = [name for _, alone in found.values() for name in alone]
    if lonely:
        are = "1 file has" if len(lonely) == 1 else f"{len(lonely)} files have"
        names = listed([path.relative_to(source).as_posix() for path in lonely])
        raise BadInputError(f"{are} no counterpart of the same stem in {source}: {names}; add it or take them away.")
    return [
        Record(path=image, name=image.relative_to(source).as_posix(), label=FOREGROUND, part=part, mask=mask)
        for part, (pairs, _) in sorted(found.items())
        for image, mask in pairs
    ]


def _parts(source: Path) -> Mapping[str, Path]:
    return part_folders(source) or {UNSPLIT: source}


def _shape(folder: Path) -> str:
    """Return how one part is laid out: "" if it holds no images with masks."""
    images, masks = _folders(folder, IMAGES), _folders(folder, MASKS)
    if len(images) == len(masks) == 1:
        return f"{images[0].name}/ with {masks[0].name}/"
    kinds = {_kind_and_stem(path)[0] for path in images_in(folder)} if not folders_in(folder) else set()
    return "image_* beside label_*" if kinds == {"image", "mask"} else ""


def _folders(folder: Path, names: frozenset[str]) -> list[Path]:
    return [each for each in folders_in(folder) if each.name.lower() in names]


def _pairs(folder: Path) -> tuple[list[Pair], list[Path]]:
    """Return the pairs of one part and the files that have no partner."""
    beside = _folders(folder, IMAGES)
    if beside:
        images, masks = images_below(beside[0]), images_below(_folders(folder, MASKS)[0])
        by_image = _by_stem(images, [path.stem for path in images])
        own = [path.stem if path.stem in by_image else _unmarked(path.stem) for path in masks]
        return _matched(by_image, _by_stem(masks, own))
    files = [(path, *_kind_and_stem(path)) for path in images_in(folder)]
    sides = [[(path, stem) for path, kind, stem in files if kind == side] for side in ("image", "mask")]
    by_image, by_mask = (_by_stem([path for path, _ in side], [stem for _, stem in side]) for side in sides)
    return _matched(by_image, by_mask)


def _matched(by_image: Mapping[str, Path], by_mask: Mapping[str, Path]) -> tuple[list[Pair], list[Path]]:
    both = sorted(by_image.keys() & by_mask.keys())
    alone = [by_image[stem] for stem in sorted(by_image.keys() - by_mask.keys())]
    alone += [by_mask[stem] for stem in sorted(by_mask.keys() - by_image.keys())]
    return [(by_image[stem], by_mask[stem]) for stem in both], alone


def _by_stem(paths: Sequence[Path], stems: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path, stem in zip(paths, stems, strict=True):
        if stem in found:
            raise BadInputError(f"{found[stem]} and {path.name} have the same stem: keep one of them.")
        found[stem] = path
    return found


def _unmarked(stem: str) -> str:
    return next((stem.removesuffix(mark) for mark in MARKED if stem.lower().endswith(mark)), stem)


def _kind_and_stem(path: Path) -> tuple[str, str]:
    """Return "image" or "mask" and the rest of the name of a file such as image_01.png or label_01.png."""
    word, underscore, rest = path.stem.partition("_")
    kind = "image" if word.lower() in IMAGES else "mask" if word.lower() in MASKS else ""
    return (kind, rest) if underscore and kind else ("", path.stem)
