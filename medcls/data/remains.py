"""What lies in the folders of a data set and is no image of it: files of other kinds, folders without images."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from medcls.data.dataset import Remark
from medcls.data.finding import EMPTY_FOLDERS, PASSED_OVER, UNUSED_FOLDERS
from medcls.data.readers.dicom import has_no_suffix
from medcls.data.readers.listing import files_in, folders_in, images_and_others_below
from medcls.data.readers.records import label_of, listed, part_folders
from medcls.data.regions import MASKS

COMPANIONS = frozenset(
    {".csv", ".html", ".json", ".md", ".pdf", ".rst", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml", ".yml"}
)
PAPERS = frozenset({"citation", "licence", "license", "notice", "readme"})
UNNAMED = "without a suffix"


def remarks_on(source: Path, classes: Collection[str] | None) -> tuple[Remark, ...]:
    """Return remarks on files that are no images and on unused folders in a folder of images.

    Args:
        source: the folder.
        classes: the names of the classes; None where folders are not classes.

    Raises:
        BadInputError: a folder cannot be listed.
    """
    set_folders = part_folders(source)
    homes = list(set_folders.values()) or [source]
    remarks = []
    others = _other_files(source, homes)
    if others:
        kinds = Counter(UNNAMED if has_no_suffix(path) else path.suffix.lower() for path in others)
        counted = listed(
            [f"{kind} {count}" for kind, count in sorted(kinds.items(), key=lambda kind: (-kind[1], kind))]
        )
        are = "1 file is" if len(others) == 1 else f"{len(others)} files are"
        example = others[0].relative_to(source).as_posix()
        remarks.append(Remark(PASSED_OVER, f"{are} of no kind that is read: {counted} (e.g. {example}).", len(others)))
    empty = [] if classes is None else _empty_folders(homes, classes)
    if empty:
        names = tuple(folder.relative_to(source).as_posix() for folder in empty)
        hold = (
            "1 folder holds no image and counts" if len(names) == 1 else f"{len(names)} folders hold no image and count"
        )
        sentence = f"{hold} as no class: {listed(names)}; put images there or remove it."
        remarks.append(Remark(EMPTY_FOLDERS, sentence, len(names), names))
    unused = _unused_folders(source, homes) if set_folders else {}
    if unused:
        counted = listed([f"{name} ({count})" for name, count in unused.items()])
        lies = "1 folder lies" if len(unused) == 1 else f"{len(unused)} folders lie"
        sentence = f"{lies} beside train and test with images that nothing uses: {counted}."
        remarks.append(Remark(UNUSED_FOLDERS, sentence, len(unused), tuple(unused)))
    return tuple(remarks)


def _other_files(source: Path, homes: Sequence[Path]) -> list[Path]:
    """Return the files that are no images, but for what usually lies at the top of a data set to explain it."""
    others = [] if source in homes else files_in(source)
    for home in homes:
        others += images_and_others_below(home)[1]
    tops = {source, *homes}
    return [path for path in others if not (path.parent in tops and _is_companion(path))]


def _unused_folders(source: Path, homes: Sequence[Path]) -> dict[str, int]:
    """Return how many images lie in each folder beside those of the sets, but for masks that are there to explain."""
    counts: dict[str, int] = {}
    for folder in folders_in(source):
        if folder not in homes and not folder.name.endswith(MASKS):
            images = images_and_others_below(folder)[0]
            if images:
                counts[folder.name] = len(images)
    return counts


def _is_companion(path: Path) -> bool:
    return path.suffix.lower() in COMPANIONS or path.stem.lower() in PAPERS


def _empty_folders(homes: Sequence[Path], classes: Collection[str]) -> list[Path]:
    """Return the folders beside those of classes that hold no image, and are of no class that has images elsewhere."""
    empty: list[Path] = []
    for home in homes:
        folders = folders_in(home)
        holding = [folder for folder in folders if images_and_others_below(folder)[0]]
        if holding:
            empty += [folder for folder in folders if folder not in holding and label_of(folder.name) not in classes]
    return empty
