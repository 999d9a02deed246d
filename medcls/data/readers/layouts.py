"""The layouts of folders and tables, and the set and class of each image in them."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from medcls.data.dataset import UNSPLIT
from medcls.data.readers.arrays import Part
from medcls.data.readers.idx import NAME, idx_files, read_idx
from medcls.data.readers.listing import files_in, folders_in, images_below, images_in
from medcls.data.readers.nesting import refuse_patients_above_classes, refuse_sets_in_class
from medcls.data.readers.npz import read_npz
from medcls.data.readers.pairs import has_folders_of_masks
from medcls.data.readers.partners import IMAGE, MASK, side_of
from medcls.data.readers.records import Record, label_of, listed, part_folders
from medcls.data.readers.table import TABLES, read_table, table_of
from medcls.utils.errors import BadInputError

NO_CLASSES = "holds images with masks and no classes"
KNOWN = (
    "train/CLASS/* with validation/CLASS/* or test/CLASS/*, CLASS/* alone, "
    "files named LABEL_*.png (in train/ and test/ or alone), labels.csv with the columns path and label, "
    "an .npz as MedMNIST or Keras writes it, or a folder with MNIST's four idx files"
)


def read_source(source: Path) -> list[Record]:
    """Return the images of a folder or of a table, in no particular order.

    Raises:
        BadInputError: no known layout fits, or something may not be read.
    """
    table = table_of(source)
    if table is not None:
        return read_table(table)
    if source.is_dir():
        return _read_folder(source)
    raise BadInputError(f"{source} is not a folder, a table or an .npz file: give {KNOWN}.")


def read_arrays(source: Path) -> list[Part]:
    """Return the sets in a file of arrays, or in the one such file of a folder without images; none for other sources.

    Raises:
        BadInputError: a damaged file, several to choose from, or arrays of which no study can be made.
    """
    if not source.is_dir():
        return read_npz(source) if source.suffix.lower() == ".npz" else []
    files = files_in(source)
    archives = [path for path in files if path.suffix.lower() == ".npz"]
    if not archives and not any(NAME.fullmatch(path.name) for path in files):
        return []
    if table_of(source) is not None or images_below(source):
        return []
    idx = idx_files(files)
    if len(archives) > 1 or (archives and idx):
        names = listed([path.name for path in [*archives, *idx.values()]])
        raise BadInputError(f"{source} holds several files of arrays ({names}): give one of the .npz files itself.")
    return read_npz(archives[0]) if archives else read_idx(idx)


def layout_of(source: Path, records: Sequence[Record]) -> str:
    """Return how the images of a folder or a table are laid out, for people."""
    table = table_of(source)
    if table is not None:
        return TABLES[0] if records[0].patient is None else f"{TABLES[0]} with patients"
    sets = dict.fromkeys(PurePosixPath(record.name).parts[0] for record in records if record.part != UNSPLIT)
    prefix = "/, ".join(sets) + "/, in each " if sets else ""
    depth = len(PurePosixPath(records[0].name).parts) - bool(prefix)
    return prefix + ("CLASS/*" if depth > 1 else "LABEL_*")


def _read_folder(source: Path) -> list[Record]:
    if has_folders_of_masks(source):
        raise BadInputError(f"{source} {NO_CLASSES}: give {KNOWN}.")
    folders = part_folders(source) or {UNSPLIT: source}
    records = []
    for set_name, folder in folders.items():
        for image, label in _labelled(folder):
            name = image.relative_to(source).as_posix()
            records.append(Record(path=image, name=name, label=label, part=set_name))
    return records


def _labelled(folder: Path) -> list[tuple[Path, str]]:
    """Return the images of one set with their labels, which are folders' names or the beginnings of files' names."""
    beside = images_in(folder)
    below = []
    for class_folder in folders_in(folder):
        below += _labelled_by_folder(class_folder)
    if beside and below:
        raise BadInputError(
            f"{folder} has images both beside its folders ({beside[0].name}) and in them "
            f"({below[0][0].relative_to(folder).as_posix()}): put each into the folder of its class."
        )
    refuse_patients_above_classes(folder, [image for image, _ in below])
    labelled = below or [(image, _label_in_name(image)) for image in beside]
    if {side_of(label).kind for _, label in labelled} == {IMAGE, MASK}:
        raise BadInputError(f"{folder} {NO_CLASSES}: give {KNOWN}.")
    return labelled


def _labelled_by_folder(folder: Path) -> list[tuple[Path, str]]:
    images = images_below(folder)
    sets = list(part_folders(folder).values())
    if images and sets:
        refuse_sets_in_class(folder, sets, hold_images=any(image.parent in sets for image in images))
    return [(image, label_of(folder.name)) for image in images]


def _label_in_name(image: Path) -> str:
    label, underscore, _ = image.stem.partition("_")
    if not underscore or not label:
        raise BadInputError(
            f"{image} lies in no folder of a class and its name does not begin with a label and an "
            f"underscore (like C4_4662.jpg): give {KNOWN}."
        )
    return label_of(label)
