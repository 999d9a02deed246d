"""The entries of an MLflow store (study > trial > run): their parameters, data sets, scores and files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from medcls.tracking.run_dir import RunDir

FIRST = "medcls.first_epoch"  # the tag of the step of the first epoch; older versions counted from 0, without the tag


class EntryStatus(StrEnum):
    """How an entry ended, in the words of MLflow."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True)
class DataRecord:
    """A data set of an entry, as MLflow shows it.

    Attributes:
        name: of the data set.
        source: where its files come from.
        kind: "files", "phantom" or "toolkit".
        fingerprint: the digest of its content.
        profile: counts, as JSON has them.
    """

    name: str
    source: str
    kind: str
    fingerprint: str
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """An entry of the store, found again by its id; with a run directory its epochs are mirrored.

    Attributes:
        id: unique in the experiment, and the same in every process.
        name: that the run table shows.
        parent: the id of the entry above, None for the study itself.
        started: in milliseconds since 1970; None to start with the run of its directory, or with its first child.
        parameters: by name; values are shown as text.
        tags: by name; values are shown as text, and None leaves the tag out.
        data: the entry's own data sets.
        folder: the run directory whose journal belongs to the entry, None for none.
    """

    id: str
    name: str
    parent: str | None
    started: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[DataRecord, ...] = ()
    folder: RunDir | None = None


@dataclass(frozen=True)
class KeyedImage:
    """An image of MLflow's image grid, which shows runs side by side by key and step.

    Attributes:
        key: of letters, digits, spaces and "_-./".
        step: from 0 on, where the grid begins.
        path: of the PNG.
        draw: draws it there unless it exists.
    """

    key: str
    step: int
    path: Path
    draw: Callable[[Path], object]


@dataclass(frozen=True)
class Ending:
    """How an entry ended.

    Attributes:
        status: how it ended.
        ended: in milliseconds since 1970.
        metrics: the final scores, logged at step 0, which the user interface shows as numbers and bars.
        tags: by name; None leaves the tag out.
        files: local file -> the directory in the store that it is copied to, "" for the top.
        drawings: figure -> the function that draws it unless it exists; figures are copied to the top.
        curves: name -> one value an epoch, from epoch 1 on.
        images: for the image grid.
    """

    status: EntryStatus
    ended: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    drawings: Mapping[Path, Callable[[Path], object]] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    images: tuple[KeyedImage, ...] = ()
