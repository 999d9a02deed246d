"""What a summary says of one run and of one data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from medcls.evaluation.saliency_record import SaliencyRecord
from medcls.utils.environment import Environment
from medcls.utils.statuses import RunStatus
from medcls.utils.typed_json import OMITTED_IF_NONE, nothing

Scalar: TypeAlias = str | int | float | bool | None
"""The value of a parameter."""
DataKind: TypeAlias = Literal["files", "phantom", "toolkit"]
"""Where images come from: the user's files, drawn ones, or a library."""


@dataclass(frozen=True)
class FindingRecord:
    """Something that was found in the images of a data set before training.

    Attributes:
        kind: the check that found it, e.g. "copies_across_parts".
        sentence: what was found, in words.
        count: of how many images or files it is true.
    """

    kind: str
    sentence: str
    count: int


@dataclass(frozen=True)
class JudgedImages:
    """The validation images of a study without folds, in the order of `RunRecord.right`.

    Attributes:
        split_seed: of the split that they come from.
        labels: the class of each image, by number.
        patients: a number for each image's patient, in the order in which they come; None where they are unknown.
    """

    split_seed: int
    labels: tuple[int, ...]
    patients: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class DataSetRecord:
    """One data set of a study.

    Attributes:
        name: as runs and the command line call it.
        instead_of: the names of the study's own data sets that --data replaced by this one, None for none.
        source: the directory, file or built-in name that the images came from.
        kind: "files" for images that were given, "phantom" for drawn ones, "toolkit" for a library's.
        fingerprint: "sha256:" and a digest of everything that the data set holds.
        n: "train", "validation", "test" -> the number of images, as the study uses them.
        classes: the names of the classes, in the order of their numbers.
        findings: what was found in the images; None where nobody looked.
        skipped: the files that could not be read and were left out.
        counts: set -> class -> the number of images, as the data set came.
        judged: the validation images of runs without folds; None with folds, for masks, and before a run has ended.
    """

    name: str
    instead_of: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    source: str = ""
    kind: DataKind
    fingerprint: str = ""
    n: Mapping[str, int] = field(default_factory=nothing)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=nothing)
    classes: tuple[str, ...] = ()
    findings: tuple[FindingRecord, ...] | None = field(default=None, metadata=OMITTED_IF_NONE)
    skipped: tuple[str, ...] = ()
    judged: JudgedImages | None = field(default=None, metadata=OMITTED_IF_NONE)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run of a study.

    Attributes:
        key: the name of its run directory: a digest of everything that determines its result.
        data: the name of its data set.
        variant: the name of its variant.
        seed: of its random numbers.
        fold: of the cross-validation, from 0 on; None without one, and for a refit on all folds.
        refit: whether it is a refit on all folds; False, too, in a summary of an older version (see `is_refit`).
        status: how it ended.
        reused: whether it was there before this command.
        shared_epochs: how many of its epochs were copied from a shorter run.
        epochs: how many it has.
        best_epoch: the epoch whose weights were kept, from 0 on; None if the run did not finish.
        params: dotted path -> the value of each parameter of the variant.
        parameters: "total" and "trainable" -> the number of the network's parameters.
        metrics: name -> the final score on the validation set.
        history: name -> one value an epoch.
        predictions_sha256: a digest of the predictions on the validation set, "" where they are gone.
        right: a "1" for each validation image whose class was predicted correctly, a "0" for each other;
            None where the task has no classes.
        remark: what the predictions make one wary of, as a sentence without its subject; "" for nothing.
        heat: where the network looks, None where the study does not ask.
        seconds_per_epoch: the median over the epochs that the run trained itself, without the first.
        weights_sha256: a digest of the final weights, in the order of `model.weights`, as float32.
        threads: on how many it was trained.
        environment: in which it was trained; None for a run of an older version, which did not record it.
        earlier_environments: in which its first epochs were trained, where these are others.
        mlflow_run_id: its entry in the tracking store, "" when offline.
        error: what went wrong, None for a finished run.
    """

    key: str
    data: str
    variant: str
    seed: int
    fold: int | None = None
    refit: bool = False
    status: RunStatus
    reused: bool = False
    shared_epochs: int = 0
    epochs: int = 0
    best_epoch: int | None = None
    params: Mapping[str, Scalar] = field(default_factory=nothing)
    parameters: Mapping[str, int] = field(default_factory=nothing)
    metrics: Mapping[str, float] = field(default_factory=nothing)
    history: Mapping[str, tuple[float, ...]] = field(default_factory=nothing)
    predictions_sha256: str = ""
    right: str | None = None
    remark: str = ""
    heat: SaliencyRecord | None = field(default=None, metadata=OMITTED_IF_NONE)
    seconds_per_epoch: float | None = None
    weights_sha256: str = ""
    threads: int = 0
    environment: Environment | None = field(default=None, metadata=OMITTED_IF_NONE)
    earlier_environments: tuple[Environment, ...] = ()
    mlflow_run_id: str = ""
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end."""
        return self.status == RunStatus.FINISHED

    @property
    def folds(self) -> int | None:
        """How many folds its cross-validation has, None without one."""
        folds = self.params.get("folds")
        return folds if isinstance(folds, int) else None

    @property
    def split_seed(self) -> int:
        """What seeds the split of its data set; 0 keeps the sets that the data came with."""
        seed = self.params.get("split_seed")
        return seed if isinstance(seed, int) else 0

    @property
    def is_refit(self) -> bool:
        """Whether it is a refit on all folds of a cross-validation."""
        return self.fold is None and self.folds is not None
