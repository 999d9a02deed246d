"""The data sets of a study: which variant means which, described, checked and decoded."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcls.data import cache
from medcls.data.checks import Checked, Policy, checked, cuts
from medcls.data.hashes import Hashes
from medcls.data.leaks import Finding, leaks
from medcls.data.mending import selected
from medcls.data.survey import Tell
from medcls.data.types import Bundle
from medcls.errors import BadInputError
from medcls.plan import WorkFolder
from medcls.spec import Variant
from medcls.values import function_of

FEW = 9  # images of a class and part under --smoke: three a fold


@dataclass(frozen=True)
class Source:
    """A data set of the study: what it is called there, its description, and its decoded images once made.

    `findings` and `skipped` are what was found in it as a whole, and the names of the files left out as unreadable.
    """

    name: str
    bundle: Bundle
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()
    decoded: Path | None = None

    @property
    def leaks(self) -> str:
        """Its leaks in a few words, for a tag."""
        return ", ".join(finding.short for finding in leaks(self.findings)) or "none"


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
    """Return what the study calls a variant's data set: its function's name."""
    return function_of(variant.data).__name__


def describe(
    variants: Sequence[Variant],
    work: WorkFolder,
    policy: Policy,
    *,
    folds: int | None,
    split_seeds: Collection[int],
    few: bool,
    tell: Tell,
) -> dict[str, Source]:
    """Return the variants' data sets by name, checked and fingerprinted but not decoded.

    Raises:
        BadInputError: a source that cannot be used, or that the policy refuses, or one data set in two sizes.
    """
    hashes = Hashes(work.cache / "hashes.sqlite")
    known: dict[tuple[object, ...], Source] = {}
    for variant in variants:
        identity = tuple(sorted((key, value) for key, value in variant.parameters().items() if key.startswith("data")))
        if identity not in known:
            found_there = checked(variant.data(hashes), hashes, policy, folds=folds, split_seeds=split_seeds, tell=tell)
            known[identity] = _source(data_name(variant), found_there, few=few)
        _check_classes(variant, known[identity].bundle)
    names = [source.name for source in known.values()]
    for name in names:
        if names.count(name) > 1:
            raise BadInputError(f"The variants see {name} differently: give them the same source, size and channels.")
    return {source.name: source for source in known.values()}


def _source(name: str, checked: Checked, *, few: bool) -> Source:
    bundle = sample(checked.bundle, FEW) if few else checked.bundle
    return Source(name, bundle, checked.findings, checked.skipped)


def _check_classes(variant: Variant, bundle: Bundle) -> None:
    wanted, count = variant.task.classes, len(bundle.classes)
    if wanted not in (None, count):
        raise BadInputError(
            f"{bundle.source} has {count} classes, and this study tells {wanted} apart: give data of {wanted} classes."
        )


def check(source: Source, folds: int | None, split_seeds: Collection[int]) -> dict[str, int]:
    """Return the number of images in each part as the study will use them; complain about what cannot be split."""
    bundle = source.bundle
    try:
        sides = [cuts(bundle, folds, seed) for seed in split_seeds][-1]
    except BadInputError as error:
        raise BadInputError(f"{bundle.source}: {error}") from None
    pool = sum(len(rows) for name, rows in sides.items() if name.startswith("fold"))
    counts = {"train": pool} | {name: len(rows) for name, rows in sides.items() if not name.startswith("fold")}
    return {part: count for part, count in counts.items() if count}


def decode(source: Source, work: WorkFolder, progress: Callable[[int, int], None]) -> Source:
    """Return the source with its images decoded into the cache that all workers share."""
    return replace(source, decoded=cache.prepare(source.bundle, work.cache, progress))


def sample(bundle: Bundle, count: int) -> Bundle:
    """Return a data set of its own with at most `count` images of each class and part, spread over the order."""
    chosen: list[int] = []
    for part in sorted(set(bundle.parts)):
        for label in range(len(bundle.classes)):
            rows = np.flatnonzero((bundle.parts == part) & (bundle.labels == label))
            chosen += (
                rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))].tolist()
                if len(rows)
                else []
            )
    digest = hashlib.sha256(f"{bundle.fingerprint} at most {count} of a class and part".encode()).hexdigest()
    return selected(bundle, np.array(sorted(chosen)), fingerprint=f"sha256:{digest}")
