"""What a tracking store shows: nodes (study > trial > run) with parameters, epochs, scores and files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from medcls.tracking.run_dir import RunDir


class EntryStatus(StrEnum):
    """How a node ended, in the words of MLflow."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True)
class DataRecord:
    """A data set of a node: what the store's input says of it."""

    name: str
    source: str
    kind: str
    fingerprint: str
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """One entry of the store, found again by its identity; with a run folder its epochs are mirrored.

    Attributes:
        identity: unique in the experiment, the same in every process.
        name: what the run table shows.
        parent: the identity of the node above, None for the study itself.
        started: in milliseconds since 1970; None to start with the run of its folder, or with its first child.
        parameters, tags: as recorded; values become text, None is left out of the tags.
        data: the data sets, if the node has some of its own.
        folder: the run folder whose journal belongs to the node.
    """

    identity: str
    name: str
    parent: str | None
    started: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[DataRecord, ...] = ()
    folder: RunDir | None = None


@dataclass(frozen=True)
class Ending:
    """How a node ended.

    Attributes:
        status: how it ended.
        ended: in milliseconds since 1970.
        metrics: the final scores; single values, at step 0, which the UI shows as numbers and bars.
        tags: None is left out.
        files: what to keep -> the folder in the store that it goes to ("" for the top).
        drawings: the same for figures that are drawn just before, unless they are there already.
    """

    status: EntryStatus
    ended: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    drawings: Mapping[Path, Callable[[Path], object]] = field(default_factory=dict)
