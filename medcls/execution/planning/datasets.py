"""The data sets of a study: which variant uses which one; described, checked and decoded."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from medcls.data.checks import Policy, checked, cuts
from medcls.data.content_hashes import Hashes
from medcls.data.dataset import DatasetSpec, Tell
from medcls.data.finding import Finding, leaks
from medcls.data.loading import decoded_cache
from medcls.data.masks.findings import lost_in_resizing
from medcls.data.pseudonyms import Pseudonyms
from medcls.data.quality.reduction import reduction
from medcls.execution.planning.few_images import few_images
from medcls.execution.planning.sources import called
from medcls.spec.parameters import Scalar, function_of
from medcls.spec.run import Run
from medcls.spec.study import GivenData
from medcls.spec.variant import Variant
from medcls.tracking.work_dir import WorkDir
from medcls.utils.errors import BadInputError
from medcls.utils.tracing import defined_at

Parameters = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class PseudonymousFindings:
    """What was found in a data set, with pseudonyms for its patients.

    Attributes:
        findings: the findings of the data checks.
        skipped: the names of files that were left out because they cannot be read.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class DataSource:
    """A data set of a study.

    Attributes:
        name: what the study calls the data set.
        bundle: the data set as the study uses it.
        findings: the findings of the data checks in the whole data set.
        skipped: the names of files that were left out because they cannot be read.
        decoded: the directory of decoded images, None before they are decoded.
        whole: the data set before any image was left out, in which all patients are known.
        instead_of: the names of the study's own data sets that --data replaced by this one, "" for none.
        seen: sentences on what networks see of its images, where these are larger or have colours.
    """

    name: str
    bundle: DatasetSpec
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()
    decoded: Path | None = None
    whole: DatasetSpec | None = None
    instead_of: str = ""
    seen: tuple[str, ...] = ()

    @cached_property
    def pseudonymous(self) -> PseudonymousFindings:
        """The findings in the form in which they may leave the work directory."""
        pseudonyms = Pseudonyms(self.whole or self.bundle)
        findings = tuple(pseudonyms.finding(finding) for finding in self.findings)
        return PseudonymousFindings(findings, tuple(pseudonyms.file(name) for name in self.skipped))

    @property
    def leaks(self) -> str:
        """The leaks of the data set in a few words, for a tag; "none" without leaks."""
        return ", ".join(finding.short for finding in leaks(self.findings)) or "none"


@dataclass(frozen=True)
class StudyData:
    """The data sets of a study; several variants may use one in different sizes or with different channels.

    Attributes:
        views: parameters of a variant's data -> the data set in the size and with the channels that they ask for.
    """

    views: Mapping[Parameters, DataSource]

    def of(self, variant: Variant) -> DataSource:
        """Return the data set of a variant, in the size and with the channels that the variant uses."""
        return self.views[_parameters(variant)]

    @property
    def by_name(self) -> dict[str, DataSource]:
        """Name -> data set, as its first variant sees it; the images and their sets are equal in all views."""
        named: dict[str, DataSource] = {}
        for source in self.views.values():
            named.setdefault(source.name, source)
        return named

    @property
    def decoded(self) -> dict[str, Path]:
        """Name of each decoded data set -> the directory of its decoded images."""
        directories = {}
        for name, source in self.by_name.items():
            if source.decoded is not None:
                directories[name] = source.decoded
        return directories

    def called(self, run: Run) -> str:
        """Return a run's label for people, which begins with its data set if the study has several."""
        return f"{run.data_name}, {run.label}" if len(self.by_name) > 1 else run.label

    def map(self, change: Callable[[DataSource], DataSource]) -> "StudyData":
        """Return the data sets with a function applied to every view."""
        return StudyData({parameters: change(view) for parameters, view in self.views.items()})


def describe(
    variants: Sequence[Variant],
    given: Mapping[tuple[str, str], GivenData],
    work: WorkDir,
    policy: Policy,
    *,
    folds: int | None,
    split_seeds: Collection[int],
    few: bool,
    tell: Tell,
) -> StudyData:
    """Return the data sets of variants, checked and fingerprinted but not decoded; each data set is checked once.

    Args:
        variants: the study's variants.
        given: function and source -> a data set that --data gave, as of `Study.given_data`.
        work: the work directory, whose cache keeps the hashes of files.
        policy: what to do about unreadable files and leaks.
        folds: the number of folds, None without cross-validation.
        split_seeds: the seeds of the splits that the study will use.
        few: whether to use only a few images of each class (--smoke).
        tell: called with the progress of long checks.

    Raises:
        BadInputError: a source that cannot be used, or that the policy refuses, or two sources under one name.
    """
    hashes = Hashes(work.cache / "hashes.sqlite")
    views: dict[Parameters, DataSource] = {}
    by_name: dict[str, DataSource] = {}
    origins: dict[str, tuple[str, str]] = {}
    functions: dict[str, str] = {}
    for variant in variants:
        parameters, data = _parameters(variant), called(variant, given)
        name = data.name
        if parameters not in views:
            bundle, function = _opened(variant, hashes), function_of(variant.data).__name__
            origin = (_origin(variant), bundle.fingerprint)
            if origins.get(name, origin) != origin and functions[name] != function:
                name = f"{name} ({function})"  # the same files, read in another way
            bundle = replace(bundle, name=name)
            if name not in by_name:
                outcome = checked(bundle, hashes, policy, folds=folds, split_seeds=split_seeds, tell=tell)
                used = few_images(outcome.bundle, folds, split_seeds) if few else outcome.bundle
                by_name[name] = DataSource(
                    name, used, outcome.findings, outcome.skipped, whole=bundle, instead_of=data.instead_of
                )
                origins[name], functions[name] = origin, function
            if origins[name] != origin:
                raise BadInputError(
                    f"The variants use different images, patients or levels of white for {name}: {origins[name][0]} "
                    f"and {origin[0]}. Give the same for all."
                )
            source = by_name[name]
            view = replace(source, bundle=replace(source.bundle, size=bundle.size, channels=bundle.channels))
            views[parameters] = view
            lost = lost_in_resizing(view.bundle, hashes.folder, tell) if bundle.size != source.bundle.size else ()
            new = tuple(finding for finding in lost if finding not in source.findings)
            seen = dict.fromkeys((*source.seen, reduction(view.bundle)))
            by_name[name] = replace(source, findings=source.findings + new, seen=tuple(seen))
        _check_classes(variant, views[parameters].bundle)
    return StudyData(views).map(
        lambda view: replace(view, findings=by_name[view.name].findings, seen=by_name[view.name].seen)
    )


def _opened(variant: Variant, hashes: Hashes) -> DatasetSpec:
    """Return the data set that a variant's data function opens.

    Raises:
        BadInputError: a source that cannot be used, or the function returns something else.
    """
    bundle: object = variant.data(hashes)
    if isinstance(bundle, DatasetSpec):
        return bundle
    function = function_of(variant.data)
    raise BadInputError(
        f"The data function {function.__name__}{defined_at(function)}"
        f" returned a {type(bundle).__name__}, no DatasetSpec."
    )


def _origin(variant: Variant) -> str:
    """Return, for people, what all variants with one data set must agree on: its source, patients and white."""
    details = []
    for name in ("patients", "white"):
        value = variant.parameters().get(f"data.{name}")
        if value:
            details.append(f"{name}={value}")
    source = str(variant.parameters().get("data.source") or function_of(variant.data).__name__)
    return f"{source} ({', '.join(details)})" if details else source


def _parameters(variant: Variant) -> Parameters:
    """Return the parameters of a variant's data, sorted by path."""
    return tuple(sorted((path, value) for path, value in variant.parameters().items() if path.startswith("data")))


def _check_classes(variant: Variant, bundle: DatasetSpec) -> None:
    if variant.task.pixels != (bundle.masks is not None):
        has, needs = ("masks", "classes") if bundle.masks is not None else ("classes", "masks")
        raise BadInputError(f"{bundle.source} has images with {has}, but this study needs images with {needs}.")
    expected, count = variant.task.classes, len(bundle.classes)
    if expected not in (None, count):
        raise BadInputError(
            f"{bundle.source} has {count} classes, but this study expects {expected}. "
            f"Use a data set with {expected} classes."
        )


def check(source: DataSource, folds: int | None, split_seeds: Collection[int]) -> dict[str, int]:
    """Return the number of images in each set that the study will use; the folds together are the training set.

    Args:
        source: the data set.
        folds: the number of folds, None without cross-validation.
        split_seeds: the seeds of the splits that the study will use.

    Raises:
        BadInputError: the data set cannot be split so.
    """
    bundle = source.bundle
    try:
        sides = [cuts(bundle, folds, seed) for seed in split_seeds][-1]
    except BadInputError as error:
        raise BadInputError(f"{bundle.source}: {error}") from None
    counts = {"train": 0}
    for name, rows in sides.items():
        if name.startswith("fold"):
            counts["train"] += len(rows)
        else:
            counts[name] = len(rows)
    return {name: count for name, count in counts.items() if count}


def decode(
    source: DataSource, work: WorkDir, progress: Callable[[int, int], None], say: Callable[[str], None]
) -> DataSource:
    """Return the data set with its images decoded into the cache that all workers share.

    Args:
        source: the data set.
        work: the work directory.
        progress: called with the number of decoded images and the number of all images.
        say: prints a remark.
    """
    return replace(source, decoded=decoded_cache.prepare(source.bundle, work.cache, progress, say))
