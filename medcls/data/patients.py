"""Whose the images are: by a column, by DICOM's own word, by a folder or by a pattern in the name."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import Remark
from medcls.data.finding import PATIENTS_KNOWN
from medcls.data.readers import dicom, images, suspicions
from medcls.data.readers.nesting import folder_within
from medcls.data.readers.records import Record, label_of, listed, refuse_spellings
from medcls.data.readers.spelling import normal_form
from medcls.utils.errors import BadInputError

FOLDER, NONE = "folder", "none"
NOT_TAKEN = "patients_not_taken"  # a kind of finding
MEANINGLESS = frozenset(  # what programs write in place of a patient, in small letters and without marks
    {"", "anonymous", "anonymized", "anonymised", "anonym", "anon", "deidentified", "removed", "unknown", "unnamed"}
    | {"none", "null", "nan", "na", "id", "pat", "patient", "patientid", "noid", "test"}
)

Known = tuple[list[Record], tuple[Remark, ...]]


def patients_known(*, patients: str, **_: object) -> None:
    """Check that a data function's parameter `patients` is "", "none", "folder" or a pattern with a group.

    Raises:
        BadInputError: a pattern that cannot be read or has no group.
    """
    if patients in ("", NONE, FOLDER):
        return
    advice = "say folder, none or a regular expression whose first group is the patient, e.g. ^(pat\\d+)_"
    try:
        pattern = re.compile(patients)
    except re.error as error:
        raise BadInputError(f"patients={patients!r} is no regular expression ({error}): {advice}.") from None
    if not pattern.groups:
        raise BadInputError(f"patients={patients!r} has no group in parentheses: {advice}.")


def with_patients(source: Path, records: Sequence[Record], asked: str, hashes: Hashes) -> Known:
    """Return the records with the patient of each, as far as it is known, and remarks about that.

    Args:
        source: the folder or table.
        records: its images, with the patients of a table's column.
        asked: "" takes the column, else DICOM's PatientID where every image has one; "none" takes neither; "folder"
            the folder that holds the image; else a pattern whose first group is the patient, looked for in the file's
            name, or in the path below the source if there is a slash in the pattern.
        hashes: the remembered hashes of files.

    Raises:
        BadInputError: images for which "folder" or the pattern says nothing, or patients of several spellings.
    """
    remarks: list[Remark] = []
    assigned = list(records)
    if asked == NONE:
        assigned = [replace(record, patient=None) for record in records]
    elif asked:
        assigned = _asked(source, records, asked)
    elif all(record.patient is None for record in records):
        assigned, remarks = _by_dicom(records, hashes)
        if all(record.patient is None for record in assigned):
            remarks += suspicions.of_columns(source) + suspicions.of_patients(assigned)
    refuse_spellings(source, "patients", {record.patient for record in assigned if record.patient is not None})
    return assigned, tuple(remarks)


def _asked(source: Path, records: Sequence[Record], asked: str) -> list[Record]:
    find = folder_within if asked == FOLDER else _of_pattern(asked)
    patients = [find(record) for record in records]
    unknown = [record.name for record, patient in zip(records, patients, strict=True) if not patient]
    if unknown:
        what = "lie in no folder of a patient" if asked == FOLDER else "are named otherwise"
        raise BadInputError(
            f"data.patients={asked}: {len(unknown)} of {len(records)} images in {source} {what}: {listed(unknown)}; "
            f"say whose they are in another way, or by the column patient of a labels.csv."
        )
    return [replace(record, patient=patient) for record, patient in zip(records, patients, strict=True)]


def _of_pattern(text: str) -> Callable[[Record], str]:
    pattern = re.compile(text)

    def find(record: Record) -> str:
        path = PurePosixPath(record.name)
        match = pattern.search(path.as_posix() if "/" in text else path.name)
        return label_of(match[1] or "") if match else ""

    return find


def _by_dicom(records: Sequence[Record], hashes: Hashes) -> tuple[list[Record], list[Remark]]:
    """Return the records with DICOM's patients if every image has one that says something and some have several."""
    files = [record.path for record in records if dicom.is_named_as_dicom(record.path)]
    named = hashes.texts_of(files, "PatientID", images.patient_in)
    named = _in_one_spelling(named)
    telling = [patient for patient in named if not _is_meaningless(patient)]
    count, several = len(records), Counter(telling)
    if len(telling) == count and len(several) == count:
        return list(records), []  # each image is a patient of its own, as if nothing were known
    if len(telling) == count and len(several) > 1:
        sentence = f"{len(several)} patients are known by DICOM's PatientID (data.patients=none passes them over)."
        taken = [replace(record, patient=patient) for record, patient in zip(records, named, strict=True)]
        return taken, [Remark(PATIENTS_KNOWN, sentence, len(several))]
    if not any(named):
        return list(records), []
    same = tuple(set(telling)) if len(telling) == count else ()
    why = f"{count - len(telling)} of {count} images have none that says anything"
    if same:
        why = f"all images have the same ({telling[0]})"
    sentence = (
        f"DICOM's PatientID is not taken for the patient, for {why}: cuts may divide patients until data.patients or "
        f"the column patient of a labels.csv says whose the images are."
    )
    return list(records), [Remark(NOT_TAKEN, sentence, count - len(telling) or count, same)]


def _in_one_spelling(patients: Sequence[str]) -> list[str]:
    """Return the patients with one spelling of each, the first: no one can mend what stands in DICOM files."""
    first: dict[str, str] = {}
    for patient in sorted(set(patients)):
        first.setdefault(normal_form(patient), patient)
    return [first[normal_form(patient)] for patient in patients]


def _is_meaningless(patient: str) -> bool:
    plain = re.sub(r"[\W_]+", "", patient).lower()
    return plain in MEANINGLESS or (len(plain) > 1 and set(plain) in ({"0"}, {"x"}))
