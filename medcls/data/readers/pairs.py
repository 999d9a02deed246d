"""Folders of images with masks: masks are matched to images by stem, never by the order of a listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
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
        asked: whether the caller asks for masks (False by default): then folders count too that could hold images of
            classes, with masks beside these images, or for some of them only.
    """
    table = mask_table(source)
    if table is not None:
        if any(record.patient for record in read_mask_table(table)):
            return f"{TABLES[0]} with masks and patients"
        return f"{TABLES[0]} with masks"
    sections = _sections(source, asked=asked)
    return _layout_of(sections) if sections else ""


def read_pairs(source: Path) -> list[Record]:
    """Return the images of a folder with their masks, by set and name.

    Raises:
        BadInputError: no layout of images with masks, images without masks or masks without images, all named.
    """
    table = mask_table(source)
    if table is not None:
        return read_mask_table(table)
    sections = _sections(source, asked=True)
    if not sections:
        raise BadInputError(f"{source} holds no images with masks: give {PAIRS}.")
    pairs_of_sets: list[tuple[str, list[Pair]]] = []
    lonely: list[Path] = []
    for section in sections:
        pairs, alone = section.pairs()
        pairs_of_sets.append((section.part, pairs))
        lonely += alone
    if lonely:
        are = "1 file has" if len(lonely) == 1 else f"{len(lonely)} files have"
        names = listed([path.relative_to(source).as_posix() for path in lonely])
        raise BadInputError(f"{are} no counterpart of the same stem in {source}: {names}; add it or take them away.")
    records = []
    for set_name, pairs in sorted(pairs_of_sets, key=itemgetter(0)):
        for image, mask in pairs:
            name = image.relative_to(source).as_posix()
            records.append(Record(path=image, name=name, label=FOREGROUND, part=set_name, mask=mask))
    return records


def has_folders_of_masks(source: Path) -> bool:
    """Tell whether a folder holds images and masks in folders of their own, so that their names are no classes."""
    sections = _sections(source, asked=False)
    return any(section.shape.endswith("/") for section in sections)


def without_partner(source: Path) -> tuple[Remark, ...]:
    """Return a remark on folders of images that have no masks beside them, as imagesTs often has none."""
    if mask_table(source) is not None:
        return ()
    sections = _sections(source, asked=True)
    if not any(not section.folder and section.part != UNSPLIT for section in sections):
        return ()
    used: set[str] = set()
    for section in sections:
        used |= {path.relative_to(source).parts[0] for path in section.images}
    of_images = [folder.name for folder in folders_in(source) if side_of(folder.name).kind == IMAGE]
    unused = tuple(name for name in of_images if name not in used)
    if not unused:
        return ()
    has = "has no masks beside it and is" if len(unused) == 1 else "have no masks beside them and are"
    return (Remark(ASIDE, f"{listed(unused)} {has} left out.", len(unused), unused),)


@dataclass(frozen=True)
class _Section:
    """Images with their masks, all of one set.

    Attributes:
        part: the set: TRAIN, VALIDATION, TEST or UNSPLIT.
        folder: the name of the set's folder, "" where it is the source itself.
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
            candidates = [by_image[stem] for stem in stems if stem in by_image]
            candidates += [by_plain[stem] for stem in stems if stem in by_plain]
            own.append(candidates[0].stem if candidates else mask.stem)
        return _matched(by_image, _by_stem(self.masks, own))


def _layout_of(sections: Sequence[_Section]) -> str:
    """Return how sections are laid out, for people."""
    folders = ", ".join(dict.fromkeys(f"{section.folder}/" for section in sections if section.folder))
    shapes = dict.fromkeys(section.shape for section in sections)
    return f"{folders}, in each {next(iter(shapes))}" if folders else ", ".join(shapes)


def _sections(source: Path, *, asked: bool) -> list[_Section]:
    """Return the sections of a source, by set; none if it is not laid out as images with masks."""
    if not source.is_dir():
        return []
    folders = part_folders(source)
    sections: list[_Section] = []
    empty = False
    for set_name, folder in folders.items():
        layouts = _layouts_in(folder, asked=asked)
        empty = empty or not layouts
        sections += [_Section(set_name, folder.name, *layout) for layout in layouts]
    shapes = {section.shape for section in sections}
    if len(shapes) == 1 and not empty:
        return sections
    named = _named_by_set(source)
    if named or folders:
        return named
    return [_Section(UNSPLIT, "", *layout) for layout in _layouts_in(source, asked=asked)]


def _named_by_set(source: Path) -> list[_Section]:
    """Return the sections whose folders' names say the set: imagesTr with labelsTr, train with train_masks."""
    sections = []
    folders = folders_in(source)
    for set_name in (TRAIN, VALIDATION, TEST):
        masks, images, alone = [], [], []
        for folder in folders:
            side = side_of(folder.name)
            if (side.kind, side.part) == (MASK, set_name):
                masks.append((folder, side.rest))
            elif (side.kind, side.part) == (IMAGE, set_name):
                images.append((folder, side.rest))
            elif (side.kind, side.part) == ("", set_name):
                alone.append((folder, side.rest))
        images = images or [(folder, rest) for folder, rest in alone if images_in(folder)]
        if len(masks) == len(images) == 1 and masks[0][1] == images[0][1]:
            (of_images, _), (of_masks, _) = images[0], masks[0]
            shape = f"{of_images.name}/ with {of_masks.name}/"
            sections.append(_Section(set_name, "", shape, *_files(of_images, of_masks)))
    return sections


Layout = tuple[str, tuple[Path, ...], tuple[Path, ...]]  # in words, images, masks


def _files(images: Path, masks: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    return tuple(images_below(images)), tuple(images_below(masks))


def _layouts_in(folder: Path, *, asked: bool) -> list[Layout]:
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
    layouts: list[Layout] = []
    empty = False
    for below in folders:
        layouts_below = _layouts_in(below, asked=True)
        empty = empty or not layouts_below
        layouts += layouts_below
    shapes = {shape for shape, _, _ in layouts}
    if empty or len(shapes) > 1:
        return []
    return [(f"FOLDER/ of {shape}", of_images, of_masks) for shape, of_images, of_masks in layouts]


def _called(sides: Sequence[tuple[Path, Side]], kind: str) -> list[tuple[Path, tuple[str, ...]]]:
    """Return the folders of a kind with the other words of their names; of several, those named by one word."""
    called = [(folder, side.rest) for folder, side in sides if (side.kind, side.part) == (kind, UNSPLIT)]
    plainly = [(folder, rest) for folder, rest in called if folder.name.lower() in IMAGES | MASKS]
    return plainly if len(called) > 1 else called


def _beside(files: Sequence[Path], *, asked: bool) -> list[Layout]:
    """Return the images and masks of files that lie in one folder; none if there are no masks among them."""
    kinds = {path: _kind(path) for path in files}
    if set(kinds.values()) == {IMAGE, MASK}:
        images = tuple(path for path in files if kinds[path] == IMAGE)
        masks = tuple(path for path in files if kinds[path] == MASK)
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
    by_stem: dict[str, Path] = {}
    for path, stem in zip(paths, stems, strict=True):
        if stem in by_stem and strict:
            if path.stem != by_stem[stem].stem:
                raise BadInputError(f"{by_stem[stem]} and {path.name} are masks of one image: merge them into one.")
            raise BadInputError(f"{by_stem[stem]} and {path.name} have the same stem: keep one of them.")
        by_stem.setdefault(stem, path)
    return by_stem


def _kind(path: Path) -> str:
    """Return what the name of a file such as image_01.png or label_01.png says: IMAGE, MASK or ""."""
    word, underscore, _ = path.stem.partition("_")
    if underscore and word.lower() in IMAGES:
        return IMAGE
    if underscore and word.lower() in MASKS:
        return MASK
    return ""
