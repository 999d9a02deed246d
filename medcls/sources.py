"""The data sets of a study: which variant means which, described, checked and decoded."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcls.data import cache
from medcls.data.hashes import Hashes
from medcls.data.split import split
from medcls.data.types import Bundle
from medcls.errors import BadInputError
from medcls.plan import WorkFolder
from medcls.spec import Variant
from medcls.values import function_of

FEW = 9  # images of a class and part under --smoke: three a fold


@dataclass(frozen=True)
class Source:
    """A data set of the study: what it is called there, its description, and its decoded images once made."""

    name: str
    bundle: Bundle
    decoded: Path | None = None


def with_sources(variants: Mapping[str, Variant], given: Mapping[str, str]) -> dict[str, Variant]:
    """Return the variants with their data replaced as --data says ("" stands for every data set)."""
    names = {data_name(variant) for variant in variants.values()}
    for name in given:
        if name and name not in names:
            raise BadInputError(f"--data {name}=...: this study's data sets are {', '.join(sorted(names))}.")

    def replaced(variant: Variant) -> Variant:
        source = given.get(data_name(variant), given.get(""))
        return variant if source is None else variant.with_("data.source", source)

    return {name: replaced(variant) for name, variant in variants.items()}


def data_name(variant: Variant) -> str:
    """Return what the study calls a variant's data set: its function's name."""
    return function_of(variant.data).__name__


def describe(variants: Mapping[str, Variant], work: WorkFolder, *, few: bool) -> dict[str, Source]:
    """Return each variant's data set, scanned and fingerprinted but not decoded; the same one for the same data.

    Raises:
        BadInputError: a source that cannot be used, or one data set in two sizes.
    """
    hashes = Hashes(work.cache / "hashes.sqlite")
    known: dict[tuple[object, ...], Source] = {}
    found = {}
    for name, variant in variants.items():
        identity = tuple(sorted((key, value) for key, value in variant.parameters().items() if key.startswith("data")))
        if identity not in known:
            bundle = variant.data(hashes)
            known[identity] = Source(data_name(variant), sample(bundle, FEW) if few else bundle)
        found[name] = known[identity]
    names = [source.name for source in known.values()]
    for name in names:
        if names.count(name) > 1:
            raise BadInputError(f"The variants see {name} differently: give them the same source, size and channels.")
    return found


def check(source: Source, folds: int | None, split_seeds: set[int]) -> dict[str, int]:
    """Return the number of images in each part as the study will use them; complain about what cannot be split."""
    bundle = source.bundle
    fold = None if folds is None else 0
    for seed in split_seeds:
        try:
            rows = split(
                bundle.labels,
                bundle.parts,
                bundle.patients,
                fold=fold,
                folds=folds,
                seed=seed,
                classes=bundle.classes,
            )
        except BadInputError as error:
            raise BadInputError(f"{bundle.source}: {error}") from None
    pool = len(rows.train) + (len(rows.validation) if folds else 0)
    counts = {"train": pool, "validation": 0 if folds else len(rows.validation), "test": len(rows.test)}
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
    rows = np.array(sorted(chosen))
    render = bundle.render
    digest = hashlib.sha256(f"{bundle.fingerprint} at most {count} of a class and part".encode()).hexdigest()
    return replace(
        bundle,
        labels=bundle.labels[rows],
        parts=bundle.parts[rows],
        patients=None if bundle.patients is None else bundle.patients[rows],
        names=tuple(bundle.names[row] for row in rows),
        contents=tuple(bundle.contents[row] for row in rows),
        fingerprint=f"sha256:{digest}",
        render=lambda row, size, channels: render(int(rows[row]), size, channels),
    )
