"""The data sets of a study: which variant means which, described, checked and decoded."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from medcls.data.checks import Policy, checked, cuts
from medcls.data.content_hashes import Hashes
from medcls.data.dataset import VALIDATION, DatasetSpec, Tell
from medcls.data.finding import Finding, leaks
from medcls.data.loading import decoded_cache
from medcls.data.masks.findings import lost_in_resizing
from medcls.data.pseudonyms import Pseudonyms
from medcls.data.quality.repair import selected
from medcls.spec.parameters import Scalar, arguments_of, function_of
from medcls.spec.run import Run
from medcls.spec.variant import Variant
from medcls.tracking.work_dir import WorkDir
from medcls.utils.errors import BadInputError

Parameters = tuple[tuple[str, Scalar], ...]
FEW, FEWEST = 4, 2  # images of a class and part under --smoke: where parts are cut further, and where they are not


@dataclass(frozen=True)
class Told:
    """The findings of a data set and the names of files left out as unreadable, with pseudonyms for its patients."""

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class DataSource:
    """A data set of the study: what it is called there, its description, and its decoded images once made.

    `findings` and `skipped` are what was found in it as a whole, and the names of the files left out as unreadable.
    `whole` is the data set as it lay there, in which all patients are known.
    """

    name: str
    bundle: DatasetSpec
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()
    decoded: Path | None = None
    whole: DatasetSpec | None = None

    @cached_property
    def told(self) -> Told:
        """What was found in it as it may leave the run folders."""
        pseudonyms = Pseudonyms(self.whole or self.bundle)
        findings = tuple(pseudonyms.finding(finding) for finding in self.findings)
        return Told(findings, tuple(pseudonyms.file(name) for name in self.skipped))

    @property
    def leaks(self) -> str:
        """Its leaks in a few words, for a tag."""
        return ", ".join(finding.short for finding in leaks(self.findings)) or "none"


@dataclass(frozen=True)
class StudyData:
    """The data sets of a study as its variants see them: several may see one in sizes or channels of their own.

    `views` has every size and number of channels of every data set, by the parameters that name them.
    """

    views: Mapping[Parameters, DataSource]

    def of(self, variant: Variant) -> DataSource:
        """Return the data set as a variant sees it."""
        return self.views[_parameters(variant)]

    @property
    def by_name(self) -> dict[str, DataSource]:
        """Each data set once, as the first of the variants sees it: the images and their parts are the same in all."""
        named: dict[str, DataSource] = {}
        for source in self.views.values():
            named.setdefault(source.name, source)
        return named

    @property
    def decoded(self) -> dict[str, Path]:
        """The folder of decoded images of each data set that has been decoded."""
        return {name: source.decoded for name, source in self.by_name.items() if source.decoded is not None}

    def called(self, run: Run) -> str:
        """Return what a person calls a run in this study: its data set comes first where there are several."""
        return f"{run.data_name}, {run.label}" if len(self.by_name) > 1 else run.label

    def map(self, change: Callable[[DataSource], DataSource]) -> "StudyData":
        """Return the data sets with every view changed."""
        return StudyData({parameters: change(source) for parameters, source in self.views.items()})


def with_sources(conditions: Sequence[tuple[str, Variant]], given: Mapping[str, str]) -> list[tuple[str, Variant]]:
    """Return the named variants with their data replaced as --data says ("" stands for every data set)."""
    names = {data_name(variant) for _, variant in conditions}
    for name in given:
        if name and name not in names:
            raise BadInputError(f"--data {name}=...: this study's data sets are {', '.join(sorted(names))}.")

    def replaced(variant: Variant) -> Variant:
        source = given.get(data_name(variant), given.get(""))
        return variant if source is None else variant.with_("data.source", source)

    return [(name, replaced(variant)) for name, variant in conditions]


def data_name(variant: Variant) -> str:
    """Return what the study calls a variant's data set: its parameter `name`, or else its function's name."""
    name: str = arguments_of(variant.data).get("name", function_of(variant.data).__name__)
    return name


def describe(
    variants: Sequence[Variant],
    work: WorkDir,
    policy: Policy,
    *,
    folds: int | None,
    split_seeds: Collection[int],
    few: bool,
    tell: Tell,
) -> StudyData:
    """Return the variants' data sets, checked and fingerprinted but not decoded; each is checked once.

    Raises:
        BadInputError: a source that cannot be used, or that the policy refuses, or two sources under one name.
    """
    hashes = Hashes(work.cache / "hashes.sqlite")
    views: dict[Parameters, DataSource] = {}
    by_name: dict[str, tuple[str, DataSource]] = {}
    for variant in variants:
        name, parameters = data_name(variant), _parameters(variant)
        if parameters not in views:
            bundle, given = variant.data(hashes), _meant(variant)
            if name not in by_name:
                found_there = checked(bundle, hashes, policy, folds=folds, split_seeds=split_seeds, tell=tell)
                there = _few(found_there.bundle, folds, split_seeds) if few else found_there.bundle
                by_name[name] = given, DataSource(name, there, found_there.findings, found_there.skipped, whole=bundle)
            first, source = by_name[name]
            if first != given:
                raise BadInputError(
                    f"The variants mean different images, patients or whites by {name}: {first} and {given}; give one."
                )
            views[parameters] = view = _resized(source, bundle)
            if view.bundle.size != source.bundle.size:
                lost = lost_in_resizing(view.bundle, hashes.folder, tell)
                further = tuple(finding for finding in lost if finding not in source.findings)
                by_name[name] = given, replace(source, findings=source.findings + further)
        _check_classes(variant, views[parameters].bundle)
    return StudyData(views).map(lambda view: replace(view, findings=by_name[view.name][1].findings))


def _meant(variant: Variant) -> str:
    """Return which images a variant means, whose and how bright, for people: only so far must variants agree."""
    given = {name: variant.parameters().get(f"data.{name}") for name in ("patients", "white")}
    said = ", ".join(f"{name}={value}" for name, value in given.items() if value)
    return f"{variant.get('data.source')} ({said})" if said else str(variant.get("data.source"))


def _parameters(variant: Variant) -> Parameters:
    return tuple(sorted((path, value) for path, value in variant.parameters().items() if path.startswith("data")))


def _resized(source: DataSource, bundle: DatasetSpec) -> DataSource:
    """Return the source in the size and the channels of a bundle of the same images."""
    return replace(source, bundle=replace(source.bundle, size=bundle.size, channels=bundle.channels))


def _few(bundle: DatasetSpec, folds: int | None, split_seeds: Collection[int]) -> DatasetSpec:
    """Return a few images of a data set; where a study cannot cut these, as many that are of different patients."""
    cut = folds is not None or any(split_seeds) or VALIDATION not in bundle.parts
    count = max(FEW, (folds or 0) + 1) if cut else FEWEST
    chosen = sample(bundle, count)
    try:
        for seed in split_seeds:
            cuts(chosen, folds, seed)
    except BadInputError:
        return sample(bundle, count, apart=True)
    return chosen


def _check_classes(variant: Variant, bundle: DatasetSpec) -> None:
    if variant.task.pixels != (bundle.masks is not None):
        holds, needs = ("masks", "classes") if bundle.masks is not None else ("classes", "masks")
        raise BadInputError(f"{bundle.source} holds images with {holds}, and this study needs images with {needs}.")
    wanted, count = variant.task.classes, len(bundle.classes)
    if wanted not in (None, count):
        raise BadInputError(
            f"{bundle.source} has {count} classes, and this study tells {wanted} apart: give data of {wanted} classes."
        )


def check(source: DataSource, folds: int | None, split_seeds: Collection[int]) -> dict[str, int]:
    """Return the number of images in each part as the study will use them; complain about what cannot be split."""
    bundle = source.bundle
    try:
        sides = [cuts(bundle, folds, seed) for seed in split_seeds][-1]
    except BadInputError as error:
        raise BadInputError(f"{bundle.source}: {error}") from None
    pool = sum(len(rows) for name, rows in sides.items() if name.startswith("fold"))
    counts = {"train": pool} | {name: len(rows) for name, rows in sides.items() if not name.startswith("fold")}
    return {part: count for part, count in counts.items() if count}


def decode(
    source: DataSource, work: WorkDir, progress: Callable[[int, int], None], say: Callable[[str], None]
) -> DataSource:
    """Return the source with its images decoded into the cache that all workers share."""
    return replace(source, decoded=decoded_cache.prepare(source.bundle, work.cache, progress, say))


def sample(bundle: DatasetSpec, count: int, *, apart: bool = False) -> DatasetSpec:
    """Return a data set of its own with at most `count` images of each class and part, spread over the order.

    Args:
        bundle: the data set.
        count: of images.
        apart: whether no two of a class and part are of one patient.
    """
    chosen: list[int] = []
    for part in sorted(set(bundle.parts)):
        for label in range(len(bundle.classes)):
            rows = np.flatnonzero((bundle.parts == part) & (bundle.labels == label))
            if apart and bundle.patients is not None:
                rows = rows[np.sort(np.unique(bundle.patients[rows], return_index=True)[1])]
            chosen += (
                rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))].tolist()
                if len(rows)
                else []
            )
    digest = hashlib.sha256(f"{bundle.fingerprint} at most {count} of a class and part".encode()).hexdigest()
    return selected(bundle, np.array(sorted(chosen)), fingerprint=f"sha256:{digest}")
