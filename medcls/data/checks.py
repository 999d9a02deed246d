"""The checks of a data set before training: unreadable files and leaks are found, and left out or mended."""

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.content_hashes import Hashes
from medcls.data.dataset import DatasetSpec, Tell
from medcls.data.finding import PATIENTS_KNOWN, UNREADABLE, Finding, counted, leaks
from medcls.data.marks import Marks
from medcls.data.masks.findings import found_in_masks, lost_in_resizing
from medcls.data.quality import depths
from medcls.data.quality.leaks import divided, found_in
from medcls.data.quality.repair import fixed, without
from medcls.data.quality.scan import Survey, survey
from medcls.data.readers.records import listed
from medcls.data.segmentation_sets import any_kind
from medcls.data.split import split
from medcls.utils.errors import BadInputError

STUDIES = "run studies with"
FILES = "files"  # the kind of data set that is checked: drawn images can be neither unreadable nor leaks


@dataclass(frozen=True)
class Policy:
    """What to do about bad files and leaks, as the command line says it.

    Attributes:
        skip_bad_files: leave out files that cannot be read (--skip-bad-files); False by default.
        refuse_leaks: stop where a leak is found (--refuse-leaks); False by default.
        fix_leaks: close the leaks (--fix-leaks); False by default.
    """

    skip_bad_files: bool = False
    refuse_leaks: bool = False
    fix_leaks: bool = False


@dataclass(frozen=True)
class Checked:
    """A data set as a study may use it.

    Attributes:
        bundle: without the files that were skipped, leaks mended if that was asked for.
        findings: the notes and warnings about it.
        skipped: the names of the files that were left out because they cannot be read.
    """

    bundle: DatasetSpec
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a source holds.

    Attributes:
        bundle: the data set.
        channels: how the files' pixels are stored -> how many files are so; empty for a phantom.
        sizes: width and height of the smallest and of the largest image; one entry if the two agree.
        findings: the notes and warnings about it, bad files first.
        complaint: why no study could use it as it is, "" if one could.
        marks: what its masks mark, None where it has none or is a phantom.
    """

    bundle: DatasetSpec
    channels: Counter[str]
    sizes: tuple[tuple[int, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    complaint: str = ""
    marks: Marks | None = None

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by set and class; sets without an image are left out."""
        bundle = self.bundle
        counts: dict[str, dict[str, int]] = {}
        for set_name in dict.fromkeys(bundle.parts.tolist()):
            counts[set_name] = {}
            for label, class_name in enumerate(bundle.classes):
                rows = (bundle.parts == set_name) & (bundle.labels == label)
                counts[set_name][class_name] = int(np.sum(rows))
        return counts


def checked(
    bundle: DatasetSpec, hashes: Hashes, policy: Policy, *, folds: int | None, split_seeds: Collection[int], tell: Tell
) -> Checked:
    """Return a data set as a study may use it, and the findings about it.

    Args:
        bundle: the data set as it lies there.
        hashes: the remembered hashes of its files.
        policy: what to do about bad files and leaks.
        folds: into how many folds the study will cut it, or None.
        split_seeds: the seeds of all splits that the study will use.
        tell: called with the current step, how much of it is done, and how much there is.

    Raises:
        BadInputError: bad files or leaks that the policy does not put up with, or nothing left to train on.
    """
    if bundle.kind != FILES:
        return Checked(bundle)
    seen = survey(bundle, hashes.folder, tell)
    bad, copies = _bad(bundle, seen), seen.copies
    findings: list[Finding] = []
    if bad is not None:
        if not policy.skip_bad_files:
            raise BadInputError(_refused(bundle, bad, "go on with"))
        rows = np.array([not fault for fault in seen.faults])
        bundle, copies = without(bundle, np.flatnonzero(~rows)), copies[rows]
        findings.append(replace(bad, sentence=f"{bad.sentence.rstrip('.')}: left out."))
    findings += found_in_masks(bundle, tell)
    findings += lost_in_resizing(bundle, hashes.folder, tell)
    findings += _deep(bundle, seen, hashes.folder, tell)
    if policy.fix_leaks:
        bundle, copies, done = fixed(bundle, copies)
        findings += done
    findings += found_in(bundle, copies)
    findings += _divided(bundle, copies, folds, split_seeds, fixed=policy.fix_leaks)
    if policy.refuse_leaks and leaks(findings):
        sentences = " ".join(finding.sentence for finding in leaks(findings))
        raise BadInputError(f"{bundle.source}: {sentences} Give --fix-leaks to close these leaks.")
    return Checked(bundle, tuple(findings), () if bad is None else bad.names)


def examine(
    source: str,
    hashes: Hashes,
    *,
    folds: int | None = None,
    size: int | None = None,
    patients: str = "",
    tell: Tell = lambda *_: None,
) -> Description:
    """Check a source as a study would and describe what it holds.

    Args:
        source: a folder, a table, a file of arrays or a built-in name.
        hashes: the remembered hashes of its files.
        folds: into how many folds a study would cut it, or None (by default).
        size: the size in pixels to which a study would resize its images; None (by default) checks no resizing.
        patients: whose the images are, by default what the files say (`patients.with_patients`).
        tell: called with the current step, how much of it is done, and how much there is; does nothing by default.

    Raises:
        BadInputError: the source has no known layout.
    """
    asked = {} if size is None else {"size": size}
    bundle = any_kind(hashes, source, patients=patients, **asked)
    if bundle.kind != FILES:
        return Description(bundle, Counter())
    try:
        seen = survey(bundle, hashes.folder, tell)
    except BadInputError as error:  # its masks contradict one another
        return Description(bundle, Counter(), complaint=str(error))
    bad = _bad(bundle, seen)
    good = [stored for stored, fault in zip(seen.stored, seen.faults, strict=True) if not fault]
    sizes = sorted({size for _, size in good}, key=math.prod)
    findings: list[Finding] = []
    complaint = ""
    kept, copies = bundle, seen.copies
    if bad:
        findings.append(bad)
        complaint = _refused(bundle, bad, STUDIES)
    try:
        if bad:
            readable = np.array([not fault for fault in seen.faults])
            kept, copies = without(bundle, np.flatnonzero(~readable)), copies[readable]
        findings += found_in_masks(kept, tell)
        if size is not None:
            findings += lost_in_resizing(kept, hashes.folder, tell)
        findings += _deep(kept, seen, hashes.folder, tell)
        findings += found_in(kept, copies)
        findings += _divided(kept, copies, folds, (0,), fixed=False)
    except BadInputError as error:
        complaint = complaint or str(error)
    extremes = tuple(dict.fromkeys((sizes[0], sizes[-1]))) if sizes else ()
    return Description(bundle, Counter(stored for stored, _ in good), extremes, tuple(findings), complaint, seen.marks)


def cuts(bundle: DatasetSpec, folds: int | None, seed: int) -> dict[str, NDArray[np.int64]]:
    """Return the rows of a study's sets by name: training, validation and test set, or the folds and the test set.

    Args:
        bundle: the data set.
        folds: into how many folds the study cuts it, or None.
        seed: of the split.

    Raises:
        BadInputError: a class has too few images, or patients, to be in every set.
    """
    split_into = partial(
        split, bundle.labels, bundle.parts, bundle.patients, folds=folds, seed=seed, classes=bundle.classes
    )
    if folds is None:
        rows = split_into(fold=None)
        return {"train": rows.train, "validation": rows.validation, "test": rows.test}
    sets: dict[str, NDArray[np.int64]] = {}
    for fold in range(folds):
        rows = split_into(fold=fold)
        sets[f"fold {fold}"] = rows.validation
    return sets | {"test": rows.test}


def _divided(
    bundle: DatasetSpec, copies: NDArray[np.int64], folds: int | None, seeds: Collection[int], *, fixed: bool
) -> list[Finding]:
    try:
        finding = divided(bundle, copies, [cuts(bundle, folds, seed) for seed in sorted(seeds)])
    except BadInputError as error:
        hint = " Under --fix-leaks, copies count as one patient." if fixed else ""
        if any(remark.kind == PATIENTS_KNOWN for remark in bundle.remarks):
            hint += " The patients are DICOM's: data.patients=none passes them over."
        raise BadInputError(f"{bundle.source}: {error}{hint}") from None
    return [] if finding is None else [finding]


def _deep(bundle: DatasetSpec, seen: Survey, folder: Path, tell: Tell) -> list[Finding]:
    """Return the findings about images of more than 8 bits, among those that can be read."""
    stored = [stored for stored, fault in zip(seen.stored, seen.faults, strict=True) if not fault]
    return depths.found_in(bundle, depths.depths(bundle, stored, folder, tell))


def _bad(bundle: DatasetSpec, seen: Survey) -> Finding | None:
    names = tuple(f"{name} ({fault})" for name, fault in zip(bundle.names, seen.faults, strict=True) if fault)
    if not names:
        return None
    sentence = f"{len(names)} of {counted(len(bundle.names), 'image')} cannot be read: {listed(names)}."
    return Finding(UNREADABLE, sentence, len(names), names)


def _refused(bundle: DatasetSpec, bad: Finding, hint: str) -> str:
    count = f"{bad.count} of {counted(len(bundle.names), 'image')} in {bundle.source}"
    return f"{count} cannot be read: {listed(bad.names)}; repair or remove them, or {hint} --skip-bad-files."
