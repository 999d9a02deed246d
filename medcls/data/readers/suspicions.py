"""What the names of files and folders suggest of patients, where nothing says whose the images are."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from medcls.data.dataset import Remark
from medcls.data.readers.nesting import are_called_patients, are_numbered_alike, are_views, folder_within
from medcls.data.readers.records import PARTS, Record, label_of, listed
from medcls.data.readers.table import table_of, unread_columns

SUSPECTED, UNREAD, FOLDERS = "patients_suspected", "column_unread", "folders_within_classes"  # kinds of findings
CLASSES = "classes_like_patients"  # another
MANY_CLASSES = 20  # that differ in their numbers alone: more likely patients

FEWEST, FEWEST_OF_WORDS = 3, 5  # beginnings of names that suggest patients: with numbers in them, or words alone
LEAST_SHARE = 0.1  # of the images must share the beginning of their names with another one
MOST_IMAGES = 20  # of a patient, for each patient there is: three beginnings of 500 names each are no patients
PATTERNS = (  # that are proposed, the plainest first
    r"^([^_]+)_",
    r"^([^-]+)-",
    r"^([^_]+_[^_]+)_",
    r"^([^-]+-[^-]+)-",
    r"^([^.]+)\.",
    r"^(\S+) ",
    r"^([A-Za-z]*\d+)",
    r"^(.*\d)[A-Za-z]",
    r"^(.*\d)[ _.-]",
)
HASH = re.compile(r"[0-9a-f]{8,}|[0-9A-F]{8,}")
BETWEEN = re.compile(r"[ _.\-()\[\]]+")
AFTER_NUMBER = re.compile(r"(?<=\d)(?=[A-Za-z]{1,5}\d*$)")  # 12a, 9174216L, 12left, p1s3

Stems = Mapping[str, list[Record]]


def of_columns(source: Path) -> list[Remark]:
    """Return a remark on unread columns of a table that may hold the patient or the split."""
    table = table_of(source)
    if table is None:
        return []
    remarks = []
    for meant, name in unread_columns(table).items():
        sentence = f"{table.name} has a column {name}, which is passed over: if it says the {meant}, call it {meant}."
        remarks.append(Remark(UNREAD, sentence, 1, (name,)))
    return remarks


def of_patients(records: Sequence[Record]) -> list[Remark]:
    """Return what suggests that several images are of one patient: folders within the classes, or names."""
    labels = sorted({record.label for record in records})
    if records[0].mask is None and _may_be_patients(labels):
        return [_remark_on_classes(labels)]
    folders = _by_folder(records)
    if folders:
        return [_remark_on_folders(folders)]
    beginnings = _beginnings(records)
    return [_remark_on_names(beginnings, records)] if beginnings else []


def _may_be_patients(labels: Sequence[str]) -> bool:
    return are_numbered_alike(labels) and (are_called_patients(labels) or len(labels) >= MANY_CLASSES)


def _remark_on_classes(labels: Sequence[str]) -> Remark:
    sentence = (
        f"The {len(labels)} classes are called as patients are ({listed(labels, 3)}): if they are, write a labels.csv "
        f"with the columns path, label and patient."
    )
    return Remark(CLASSES, sentence, len(labels), tuple(labels))


def _by_folder(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the images by the folder that holds them within their class or set, if some hold several images."""
    folders = defaultdict(list)
    for record in records:
        name = folder_within(record)
        if name and (record.mask is not None or record.label in map(label_of, PurePosixPath(record.name).parts)):
            folders[name].append(record)
    several = sum(len(images) > 1 for images in folders.values())
    return dict(folders) if len(folders) > 1 and several else {}


def _remark_on_folders(folders: Stems) -> Remark:
    shared: list[str] = []
    classes: set[str] = set()
    for name, images in sorted(folders.items()):
        labels = {image.label for image in images}
        classes |= labels
        if len(labels) > 1:
            shared.append(name)
    of = f", {len(shared)} of them in several classes ({listed(shared, 3)})" if shared else ""
    example = PurePosixPath(next(iter(folders.values()))[0].name).parent
    if len(shared) == len(folders) < len(classes) and not are_views(folders):
        sentence = (
            f"The {len(classes)} classes hold folders of the same {len(shared)} names ({listed(shared, 3)}): if these "
            f"are the classes and the outer folders ({listed(sorted(classes), 3)}) patients, turn the folders round "
            f"and say data.patients=folder."
        )
        return Remark(FOLDERS, sentence, len(folders), tuple(shared))
    sentence = (
        f"Images lie in {len(folders)} folders, such as {example}{of}: if each is a patient's, say "
        f"data.patients=folder, or cuts may divide patients."
    )
    return Remark(FOLDERS, sentence, len(folders), tuple(sorted(folders)))


def _beginnings(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the images by that beginning of their names which most likely is the patient; {} if none seems to be."""
    cuts = [(record, list(_cuts(PurePosixPath(record.name).stem))) for record in records]
    for depth in range(max((len(beginnings) for _, beginnings in cuts), default=0)):
        by_beginning = defaultdict(list)
        for record, beginnings in cuts:
            if len(beginnings) > depth:
                by_beginning[beginnings[depth].casefold()].append(record)
        if _suggest_patients(by_beginning, records):
            return dict(by_beginning)
    return {}


def _cuts(stem: str) -> Iterator[str]:
    """Yield the beginnings of a name: before each blank, dash, underscore or dot, and after the last number."""
    if HASH.fullmatch(stem):
        return
    ends = [match.start() for match in BETWEEN.finditer(stem) if match.start() and match.end() < len(stem)]
    ends += [match.start() for match in AFTER_NUMBER.finditer(stem) if not ends or match.start() > ends[-1]]
    for end in ends:
        yield stem[:end]


def _suggest_patients(beginnings: Stems, records: Sequence[Record]) -> bool:
    classes = len({record.label for record in records})
    words = {record.label.casefold() for record in records} | PARTS.keys()
    names = [name for name in beginnings if name not in words]
    sizes = Counter({name: len(beginnings[name]) for name in names})
    repeated = sum(size for size in sizes.values() if size > 1)
    numbered = sum(any(map(str.isdigit, name)) for name in names)
    fewest = FEWEST if 2 * numbered > len(names) else max(FEWEST_OF_WORDS, 2 * classes + 1)
    return (
        len(names) >= max(fewest, classes + 1)
        and sum(size > 1 for size in sizes.values()) > 1
        and repeated >= max(4, LEAST_SHARE * len(records))
        and sizes.total() / len(names) <= MOST_IMAGES * len(names)
    )


def _remark_on_names(beginnings: Stems, records: Sequence[Record]) -> Remark:
    repeated = {}
    for name, images in sorted(beginnings.items()):
        if len(images) > 1:
            repeated[name] = images
    first, second = sorted(PurePosixPath(image.name).name for image in next(iter(repeated.values())))[:2]
    pattern = _pattern(beginnings, records)
    advice = f'e.g. --set "data.patients={pattern}"' if pattern else "a pattern whose first group is the patient"
    sentence = (
        f"Names such as {first} and {second} suggest several images of one patient, {len(beginnings)} patients in all, "
        f"whom cuts may divide: if so, say data.patients, {advice}; if not, data.patients=none."
    )
    return Remark(SUSPECTED, sentence, len(repeated), tuple(repeated))


def _pattern(by_beginning: Stems, records: Sequence[Record]) -> str:
    """Return a plain pattern that matches all names and these beginnings of them, "" if none of PATTERNS does."""
    beginnings: dict[str, str] = {}
    for beginning, images in by_beginning.items():
        for image in images:
            beginnings[image.name] = beginning
    for pattern in PATTERNS:
        patients: dict[str, str] = {}
        for record in records:
            match = re.search(pattern, PurePosixPath(record.name).name)
            if match:
                patients[record.name] = match[1].casefold()
        every_name = len(patients) == len({record.name for record in records})
        if every_name and patients == patients | beginnings:
            return pattern
    return ""
