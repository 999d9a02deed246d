"""The records that a run directory holds: the run's description, the rows of its journal, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from medcls.utils.statuses import RunStatus

__all__ = ["CheckpointState", "EpochRow", "RunDescription", "RunResult"]


@dataclass(frozen=True)
class CheckpointState:
    """What a checkpoint holds besides its arrays.

    Attributes:
        callbacks: the state of each Keras callback of the training, attribute -> value.
        stopped: whether a rule has stopped the training.
        began: the number of epochs at which the stage of the training began.
    """

    callbacks: tuple[Mapping[str, object], ...] = ()
    stopped: bool = False
    began: int = 0

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the state in a checkpoint, whose content was checked before."""
        return cls(tuple(record["callbacks"]), record["stopped"], record.get("began", 0))


@dataclass(frozen=True)
class RunDescription:
    """What run.json says of a run. Every field has a default, as older directories lack some of them.

    Attributes:
        key: of the run, "" where run.json is missing, damaged or older than this field.
        trajectory: the run's key without its number of epochs.
        data: the name of its data set.
        variant: the name of its variant.
        label: what the run is called on the screen.
        parameters: of the variant, with the seed and the fold, by path.
        code: the digest of the code that determines the result, None where it is not recorded.
        git_commit: that was checked out when the run was described, None outside a repository.
        git_dirty: whether tracked files differed from the commit, None where it is not recorded.
        threads: that TensorFlow had, None where it is not recorded.
        created: when the run was described, in milliseconds since 1970.
        started: when the run was first at work, in milliseconds since 1970; None before.
        shared_epochs: how many epochs were copied from another run.
        shared_from: the name of the run directory that they were copied from, None for none.
    """

    key: str = ""
    trajectory: str = ""
    data: str = ""
    variant: str = ""
    label: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    code: str | None = None
    git_commit: str | None = None
    git_dirty: bool | None = None
    threads: int | None = None
    created: int | None = None
    started: int | None = None
    shared_epochs: int = 0
    shared_from: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the run, because run.json is missing or damaged."""
        return self == type(self)()

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the description in run.json, whose content was checked before."""
        return cls(**_fields_of(cls, record))

    def as_record(self) -> dict[str, object]:
        """Return the content of run.json; a field that is not known is left out."""
        record: dict[str, object] = dict(vars(self))
        for name in ("code", "threads", "created", "started"):
            if record[name] is None:
                del record[name]
        return record


@dataclass(frozen=True)
class RunResult:
    """How a run ended, as result.json says it; a run that did not finish has no scores.

    Attributes:
        status: how the run ended.
        epochs: how many epochs were trained.
        best_epoch: the epoch whose weights are kept, counted from 0; None where the run did not finish.
        metrics: the scores on the validation set at the best epoch, and "gap", the training score minus the
            validation score.
        parameters: how many parameters the network has, by kind: "total", "trainable".
        weights_sha256: the digest of the network's weights, "" where the run did not finish.
        images: how many images the training set and the validation set have; None where the run did not finish.
        error: what went wrong, in one sentence; None where nothing did.
        unsaved: why the network could not be saved as a file, None where it was saved.
        ended: when the run ended, in milliseconds since 1970.
        seconds: how long the process that ended the run was at work.
        traceback: of the exception that ended the run, None for any other end.
    """

    status: RunStatus
    epochs: int = 0
    best_epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    weights_sha256: str = ""
    images: Mapping[str, int] | None = None
    error: str | None = None
    unsaved: str | None = None
    ended: int = 0
    seconds: float = 0.0
    traceback: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the run finished, so that it has scores."""
        return self.status == RunStatus.FINISHED

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the result in result.json, whose content was checked before."""
        values = _fields_of(cls, record)
        return cls(**{**values, "status": RunStatus(values["status"])})

    def as_record(self) -> dict[str, object]:
        """Return the content of result.json."""
        record: dict[str, object] = dict(vars(self))
        for name in ("images", "traceback"):
            if record[name] is None:
                del record[name]
        if not self.is_finished:
            del record["unsaved"]
        return record


@dataclass(frozen=True)
class EpochRow:
    """One line of a run's journal: one epoch.

    Attributes:
        epoch: counted from 0.
        metrics: of the training set, and with the prefix "val_" of the validation set, by name.
        time: when the epoch ended, in milliseconds since 1970.
        seconds: how long the epoch took.
        system: how busy the machine was, by name.
    """

    epoch: int
    metrics: Mapping[str, float]
    time: int = 0
    seconds: float = 0.0
    system: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the row in a line of journal.jsonl, whose content was checked before."""
        return cls(**_fields_of(cls, record))

    def as_record(self) -> dict[str, object]:
        """Return the content of a line of journal.jsonl."""
        return {
            "epoch": self.epoch,
            "time": self.time,
            "seconds": self.seconds,
            "metrics": self.metrics,
            "system": self.system,
        }


def _fields_of(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a JSON object says of the fields of a dataclass; what other versions have written is left out."""
    values: dict[str, Any] = {}
    for entry in fields(kind):
        if entry.name in record:
            values[entry.name] = record[entry.name]
    return values
