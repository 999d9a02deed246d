"""How names say that a file or folder holds masks, and of which images."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, Remark
from medcls.data.finding import ASIDE
from medcls.data.readers.records import PARTS, Record, listed
from medcls.data.readers.table import table_of
from medcls.utils.errors import BadInputError

IMAGE, MASK = "image", "mask"
IMAGES = frozenset({"image", "images", "img", "imgs", "input", "inputs", "original", "originals"})
MASKS = frozenset(
    {"mask", "masks", "label", "labels", "gt", "gts", "groundtruth", "groundtruths", "annotation", "annotations"}
    | {"seg", "segs", "segm", "segmentation", "segmentations"}
)
SEVERAL = frozenset(word for word in MASKS if word.endswith("s")) | {"gt", "groundtruth"}  # no names of classes
SETS = MappingProxyType({**PARTS, "tr": TRAIN, "va": VALIDATION, "ts": TEST, "te": TEST})  # in names of folders
WORDS = re.compile(r"\d+(?:[-.]\d+)*|[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
MARK = "|".join(sorted((*MASKS, "ground[ _-]?truth"), key=len, reverse=True))
AFTER = re.compile(rf"(?P<stem>.+?)[ _.-]+(?:{MARK})(?:[ _.-]*\d+)?", re.IGNORECASE)
BEFORE = re.compile(rf"(?:{MARK})[ _.-]+(?P<stem>.+)", re.IGNORECASE)
IMAGE_BEFORE = re.compile(r"(?:image|img|input|original)s?[ _.-]+(?P<stem>.+)", re.IGNORECASE)
IMAGE_AFTER = re.compile(r"(?P<stem>.+?)(?:[ _.-]+(?:image|img)|_0000)", re.IGNORECASE)


FEWEST_PATIENTS = 3  # folders: two may be grades of a disease


@dataclass(frozen=True)
class Side:
    """What the name of a folder says.

    Attributes:
        kind: IMAGE, MASK or "".
        part: the set: TRAIN, VALIDATION, TEST, or UNSPLIT where the name says none.
        rest: its other words, in small letters.
    """

    kind: str
    part: str
    rest: tuple[str, ...]


def side_of(name: str) -> Side:
    """Return what the name of a folder says, e.g. of images, masks, imagesTr, GT, training_masks, val_gt."""
    words = [word.lower() for word in WORDS.findall(name.replace("GroundTruth", "groundtruth"))]
    joined = " ".join(words).replace("ground truth", "groundtruth").split()
    sets = [SETS[word] for word in joined if word in SETS]
    kind = ""
    if not MASKS.isdisjoint(joined):
        kind = MASK
    elif not IMAGES.isdisjoint(joined):
        kind = IMAGE
    rest = tuple(word for word in joined if word not in MASKS | IMAGES | SETS.keys())
    return Side(kind, sets[0] if len(sets) == 1 else UNSPLIT, rest)


def unmarked(stem: str) -> str:
    """Return the stem of the image that a mask is called after: a of a_mask, mask_a, a-gt, "a segmentation 1"."""
    match = AFTER.fullmatch(stem) or BEFORE.fullmatch(stem)
    return match["stem"] if match else stem


def plain(stem: str) -> str:
    """Return an image's stem without the word image and without nnU-Net's _0000 for its only channel."""
    match = IMAGE_BEFORE.fullmatch(stem) or IMAGE_AFTER.fullmatch(stem)
    return match["stem"] if match else stem


def without_masks(records: Sequence[Record], source: Path) -> tuple[list[Record], tuple[Remark, ...]]:
    """Return the images of classes without the masks among them, and a remark if there are any.

    A file is a mask only where its image is there: a_mask.png beside a.png, masks/a.png beside images/a.png or beside
    the image itself, femur_masks/AFF/a.png beside AFF/a.png.

    Args:
        records: the images of a source, with their classes.
        source: a folder; what a table lists is taken as it is.

    Raises:
        BadInputError: a whole class that looks like the masks of the other classes' images, or folders of patients
            whose images all have a mask.
    """
    if table_of(source) is not None:
        return list(records), ()
    _refuse_class_of_masks(records, source)
    places = _places(records)
    kept, aside = [], []
    for record in records:
        image = _image_of(record, places)
        if image is None:
            kept.append(record)
        else:
            aside.append(f"{record.name} of {image.name}")
    if not aside:
        return kept, ()
    if are_patients_with_masks(kept, len(aside)):
        folders = sorted({record.label for record in kept})
        raise BadInputError(
            f"{source} holds images with masks in folders whose names the images repeat ({listed(folders, 3)}): these "
            "look like patients, not classes. Give it to a study that segments, with data.patients=folder; if they are "
            "classes, list the images in a labels.csv."
        )
    look = f"{len(aside)} files look like masks of others and are"
    if len(aside) == 1:
        look = "1 file looks like the mask of another and is"
    return kept, (Remark(ASIDE, f"{look} left out, e.g. {aside[0]}.", len(aside), tuple(aside)),)


def are_patients_with_masks(images: Sequence[Record], masks: int) -> bool:
    """Tell whether folders that could be classes are patients: p1/p1_1.tif, p1/p1_1_mask.tif, p2/p2_1.tif and so on.

    Args:
        images: the images, without masks.
        masks: how many of them have a mask.
    """
    folders = {record.label for record in images}
    repeated = all(PurePosixPath(record.name).name.casefold().startswith(record.label.casefold()) for record in images)
    numbered = all(re.search(r"\d", folder) for folder in folders)
    return masks == len(images) and len(folders) >= FEWEST_PATIENTS and repeated and numbered


@dataclass(frozen=True)
class _Places:
    """The images of a source by name and by folder.

    Attributes:
        names: name -> image.
        folders: folder -> stem -> image.
        within: folder -> the folders in it that hold images.
    """

    names: Mapping[str, Record]
    folders: Mapping[str, Mapping[str, Record]]
    within: Mapping[str, Sequence[str]]


def _places(records: Sequence[Record]) -> _Places:
    folders: dict[str, dict[str, Record]] = defaultdict(dict)
    for record in records:
        path = PurePosixPath(record.name)
        folders[str(path.parent)][path.stem] = record
    within: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        within[str(PurePosixPath(folder).parent)].append(folder)
    return _Places({record.name: record for record in records}, dict(folders), dict(within))


def _image_of(record: Record, places: _Places) -> Record | None:
    """Return the image that a file is a mask of, None if it is none."""
    path = PurePosixPath(record.name)
    stem, folder = unmarked(path.stem), path.parent
    beside = places.folders[str(folder)]
    if stem != path.stem and stem in beside:
        return beside[stem]
    if len(path.parts) < 3:
        return None
    side = side_of(folder.name)
    if side.kind == MASK:
        for name in (*places.within[str(folder.parent)], str(folder.parent)):
            images = places.folders.get(name, {})
            image = images.get(path.stem, images.get(stem))
            sibling = side_of(PurePosixPath(name).name) == Side(IMAGE, side.part, side.rest)
            if image is not None and (sibling or name == str(folder.parent)):
                return image
    return places.names.get("/".join(path.parts[1:])) if side_of(path.parts[0]).kind == MASK else None


def _refuse_class_of_masks(records: Sequence[Record], source: Path) -> None:
    for label in sorted({record.label for record in records}):
        side = side_of(label)
        words = set(WORDS.findall(label.lower()))
        if side.kind != MASK or side.rest or not words & SEVERAL:
            continue
        stems: dict[str, Record] = {}
        masks = []
        for record in records:
            path = PurePosixPath(record.name)
            if record.label == label:
                masks.append(path)
            else:
                stems[path.stem] = record
        images = [stems.get(mask.stem, stems.get(unmarked(mask.stem))) for mask in masks]
        mirrored = any(len(mask.parts) > 2 for mask in masks)
        if stems and all(image is not None for image in images) and not mirrored:
            pair = next(f"{mask} of {image.name}" for mask, image in zip(masks, images, strict=True) if image)
            raise BadInputError(
                f"{source}: the folder {label} looks like the masks of the other folders' images ({pair}) and not like "
                f"a class: take it elsewhere."
            )
