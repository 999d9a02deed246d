"""Folders of images with masks: which mask belongs to which image, by stem and never by the order of a listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, Remark
from medcls.data.finding import ASIDE
from medcls.data.readers.listing import folders_in, images_below, images_in
from medcls.data.readers.partners import IMAGE, IMAGES, MASK, MASKS, Side, plain, side_of, unmarked
from medcls.data.readers.records import FOREGROUND, Record, listed, part_folders
from medcls.data.readers.table import TABLES, mask_table, read_mask_table
from medcls.utils.errors import BadInputError

PAIRS = (
    "images/ with masks/ of the same stems, image_01.png beside label_01.png, or 01.png beside 01_mask.png, in train/ "
    "and validation/ or alone, imagesTr/ with labelsTr/, "
    "or labels.csv with the columns path and mask"
)

Pair = tuple[Path, Path]


def pair_layout(source: Path, *, asked: bool = False) -> str:
    """Return how a folder of images with masks is laid out, for people; "" if it is none.

    Args:
        source: the folder, or a table of images with masks.
        asked: whether masks are asked for, so that a folder may be taken that could also hold images of classes: masks
            beside the images of classes, or of some images only.
    """
    table = mask_table(source)
    if table is not None:
        return f"{TABLES[0]} with masks" + (
            " and patients" if any(record.patient for record in read_mask_table(table)) else ""
        )
    sections = _sections(source, asked=asked)
    return _said(sections) if sections else ""


def read_pairs(source: Path) -> list[Record]:
    """Return the images of a folder with their masks, by part and name.

    Raises:
        BadInputError: no layout of images with masks, images without masks or masks without images, all named.
    """
    table = mask_table(source)
    if table is not None:
        return read_mask_table(table)
    sections = _sections(source, asked=True)
    if not sections:
        raise BadInputError(f"{source} holds no images with masks: give {PAIRS}.")
    found = [(section.part, *section.pairs()) for section in sections]
    lonely = [path for _, _, alone in found for path in alone]
    if lonely:
        are = "1 file has" if len(lonely) == 1 else f"{len(lonely)} files have"
        names = listed([path.relative_to(source).as_posix() for path in lonely])
        raise BadInputError(f"{are} no counterpart of the same stem in {source}: {names}; add it or take them away.")
    return [
        Record(path=image, name=image.relative_to(source).as_posix(), label=FOREGROUND, part=part, mask=mask)
        for part, pairs, _ in sorted(found, key=lambda each: each[0])
        for image, mask in pairs
    ]


def has_folders_of_masks(source: Path) -> bool:
    """Tell whether a folder holds images and masks in folders of their own, so that their names are no classes."""
    sections = _sections(source, asked=False)
    return any(section.shape.endswith("/") for section in sections)


def without_partner(source: Path) -> tuple[Remark, ...]:
    """Return what is to be said of folders of images beside which there are no masks, as imagesTs often is."""
    sections = _sections(source, asked=True) if mask_table(source) is None else []
    taken = {path.relative_to(source).parts[0] for section in sections for path in section.images}
    named = any(not section.folder and section.part != UNSPLIT for section in sections)
    names = [folder.name for folder in folders_in(source) if side_of(folder.name).kind == IMAGE] if named else []
    left = tuple(name for name in names if name not in taken)
    has = "has no masks beside it and is" if len(left) == 1 else "have no masks beside them and are"
    return (Remark(ASIDE, f"{listed(left)} {has} left out.", len(left), left),) if left else ()


@dataclass(frozen=True)
class _Section:
    """Images with their masks, all of one part of the data set.

    Attributes:
        part: the part.
        folder: whose name says the part, "" where it is the source itself.
        shape: how they are laid out, for people.
        images: the images' files.
        masks: the masks' files.
    """

    part: str
    folder: str
    shape: str
    images: tuple[Path, ...]
    masks: tuple[Path, ...]

    def pairs(self) -> tuple[list[Pair], list[Path]]:
        """Return the pairs, by the images' stems, and the files that have no partner."""
        by_image = _by_stem(self.images, [path.stem for path in self.images])
        by_plain = _by_stem(self.images, [plain(path.stem) for path in self.images], strict=False)
        own = []
        for mask in self.masks:
            stems = (mask.stem, unmarked(mask.stem))
            image = next((by_image[stem] for stem in stems if stem in by_image), None)
            image = image or next((by_plain[stem] for stem in stems if stem in by_plain), None)
            own.append(mask.stem if image is None else image.stem)
        return _matched(by_image, _by_stem(self.masks, own))


def _said(sections: Sequence[_Section]) -> str:
    """Return how sections are laid out, for people."""
    folders = ", ".join(dict.fromkeys(f"{section.folder}/" for section in sections if section.folder))
    shapes = dict.fromkeys(section.shape for section in sections)
    return f"{folders}, in each {next(iter(shapes))}" if folders else ", ".join(shapes)


def _sections(source: Path, *, asked: bool) -> list[_Section]:
    """Return the sections of a source, by part; none if it is not laid out as images with masks."""
    if not source.is_dir():
        return []
    parts = part_folders(source)
    inside = [(part, folder.name, _found_in(folder, asked=asked)) for part, folder in parts.items()]
    shapes = {shape for _, _, sections in inside for shape, _, _ in sections}
    if len(shapes) == 1 and all(sections for _, _, sections in inside):
        return [_Section(part, name, *section) for part, name, sections in inside for section in sections]
    named = _named_by_part(source)
    if named or parts:
        return named
    return [_Section(UNSPLIT, "", *section) for section in _found_in(source, asked=asked)]


def _named_by_part(source: Path) -> list[_Section]:
    """Return the sections whose folders' names say the part: imagesTr with labelsTr, train with train_masks."""
    sections = []
    folders = folders_in(source)
    for part in (TRAIN, VALIDATION, TEST):
        sides = [(folder, side_of(folder.name)) for folder in folders]
        masks = [(folder, side.rest) for folder, side in sides if (side.kind, side.part) == (MASK, part)]
        images = [(folder, side.rest) for folder, side in sides if (side.kind, side.part) == (IMAGE, part)]
        alone = [(folder, side.rest) for folder, side in sides if (side.kind, side.part) == ("", part)]
        images = images or [(folder, rest) for folder, rest in alone if images_in(folder)]
        if len(masks) == len(images) == 1 and masks[0][1] == images[0][1]:
            (of_images, _), (of_masks, _) = images[0], masks[0]
            shape = f"{of_images.name}/ with {of_masks.name}/"
            sections.append(_Section(part, "", shape, *_files(of_images, of_masks)))
    return sections


Found = tuple[str, tuple[Path, ...], tuple[Path, ...]]


def _files(images: Path, masks: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    return tuple(images_below(images)), tuple(images_below(masks))


def _found_in(folder: Path, *, asked: bool) -> list[Found]:
    """Return the shape, the images and the masks of a folder, or of each folder in it; none if there are no masks."""
    folders = folders_in(folder)
    sides = [(below, side_of(below.name)) for below in folders]
    images, masks = _called(sides, IMAGE), _called(sides, MASK)
    if len(images) == len(masks) == 1 and images[0][1] == masks[0][1]:
        (of_images, _), (of_masks, _) = images[0], masks[0]
        return [(f"{of_images.name}/ with {of_masks.name}/", *_files(of_images, of_masks))]
    beside = images_in(folder)
    if not folders:
        return _beside(beside, asked=asked)
    if beside and len(masks) == len(folders) == 1:
        return [(f"images with {folders[0].name}/", tuple(beside), tuple(images_below(folders[0])))]
    if beside or not asked:
        return []
    below = [_found_in(each, asked=True) for each in folders]
    found = [section for sections in below for section in sections]
    shapes = {shape for shape, _, _ in found}
    if not all(below) or len(shapes) > 1:
        return []
    return [(f"FOLDER/ of {shape}", of_images, of_masks) for shape, of_images, of_masks in found]


def _called(sides: Sequence[tuple[Path, Side]], kind: str) -> list[tuple[Path, tuple[str, ...]]]:
    """Return the folders of a kind, with the other words of their names; of several those of one word: masks."""
    called = [(folder, side.rest) for folder, side in sides if (side.kind, side.part) == (kind, UNSPLIT)]
    plainly = [(folder, rest) for folder, rest in called if folder.name.lower() in IMAGES | MASKS]
    return plainly if len(called) > 1 else called


def _beside(files: Sequence[Path], *, asked: bool) -> list[Found]:
    """Return the images and masks of files that lie in one folder; none if there are no masks among them."""
    kinds = {path: _kind(path) for path in files}
    if set(kinds.values()) == {IMAGE, MASK}:
        images, masks = (tuple(path for path in files if kinds[path] == kind) for kind in (IMAGE, MASK))
        return [("image_* beside label_*", images, masks)]
    stems = {path.stem for path in files}
    marked = {path for path in files if unmarked(path.stem) != path.stem and unmarked(path.stem) in stems}
    images = tuple(path for path in files if path not in marked)
    of_masks = {unmarked(path.stem) for path in marked}
    if not marked or not (asked or of_masks == {path.stem for path in images}):
        return []
    return [("NAME_mask beside NAME", images, tuple(sorted(marked)))]


def _matched(by_image: Mapping[str, Path], by_mask: Mapping[str, Path]) -> tuple[list[Pair], list[Path]]:
    both = sorted(by_image.keys() & by_mask.keys())
    alone = [by_image[stem] for stem in sorted(by_image.keys() - by_mask.keys())]
    alone += [by_mask[stem] for stem in sorted(by_mask.keys() - by_image.keys())]
    return [(by_image[stem], by_mask[stem]) for stem in both], alone


def _by_stem(paths: Sequence[Path], stems: Sequence[str], *, strict: bool = True) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path, stem in zip(paths, stems, strict=True):
        if stem in found and strict:
            if path.stem != found[stem].stem:
                raise BadInputError(f"{found[stem]} and {path.name} are masks of one image: merge them into one.")
            raise BadInputError(f"{found[stem]} and {path.name} have the same stem: keep one of them.")
        found.setdefault(stem, path)
    return found


def _kind(path: Path) -> str:
    """Return what a file such as image_01.png or label_01.png says that it is: IMAGE, MASK or ""."""
    word, underscore, _ = path.stem.partition("_")
    if not underscore:
        return ""
    return IMAGE if word.lower() in IMAGES else MASK if word.lower() in MASKS else ""
