"""What a tracking store shows: nodes (study > trial > run) with parameters, epochs, scores and files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcls.tracking.journal import RunFolder

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"


@dataclass(frozen=True)
class DataRecord:
    """The data set of a node: what the store's input says of it."""

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
        started: in milliseconds since 1970.
        parameters, tags: as recorded; values become text.
        data: the data set, if the node has one of its own.
        folder: the run folder whose journal belongs to the node.
    """

    identity: str
    name: str
    parent: str | None
    started: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    data: DataRecord | None = None
    folder: RunFolder | None = None


@dataclass(frozen=True)
class Ending:
    """How a node ended: its status, final scores, time in milliseconds since 1970, and files to keep."""

    status: str
    metrics: Mapping[str, float]
    ended: int
    files: Mapping[Path, str] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
