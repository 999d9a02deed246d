"""The summary of a study: what it found, as typed values, and the JSON that `--json` writes from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.run_record import DataSetRecord, RunRecord, Scalar
from medcls.utils.statuses import RunStatus, TrialState
from medcls.utils.typed_json import OMITTED_IF_NONE, as_plain, from_json, json_schema, nothing


@dataclass(frozen=True)
class AnswerTable:
    """An answer about many variants, which nobody wants to read as a paragraph.

    Attributes:
        columns: their names.
        rows: one text a column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class AnswerRecord:
    """The answer to one of a study's questions.

    Attributes:
        question: as the study asks it.
        answer: in words.
        values: the numbers that the words are made of, by data set.
        table: the answer as a table, None where the words are short.
    """

    question: str
    answer: str
    values: Mapping[str, Any] = field(default_factory=nothing)
    table: AnswerTable | None = field(default=None, metadata=OMITTED_IF_NONE)


@dataclass(frozen=True)
class TestScore:
    """A score on the test set with its 95% interval over the images."""

    __test__ = False  # no test of pytest's

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class BestRecord:
    """The best variant on one data set.

    Attributes:
        key: of the run whose model it is: the refit, or without folds the best run.
        variant: its name.
        metric: the score that decided.
        value: the mean of that score over the folds or seeds.
        params: dotted path -> the value of each parameter of the variant.
        mean_sd: score -> mean and standard deviation over the folds or seeds.
        folds: score -> one value a fold; None without folds.
        test: score -> the run's value on the test set; None where there is no test set.
        ensemble: score -> the value of the folds' or seeds' mean prediction on the test set.
        tested: score -> one value a fold or seed on the test set.
    """

    key: str
    variant: str
    metric: str
    value: float
    params: Mapping[str, Scalar] = field(default_factory=nothing)
    mean_sd: Mapping[str, tuple[float, float]] = field(default_factory=nothing)
    folds: Mapping[str, tuple[float, ...]] | None = None
    test: Mapping[str, TestScore] | None = None
    ensemble: Mapping[str, TestScore] | None = None
    tested: Mapping[str, tuple[float, ...]] = field(default_factory=nothing)


@dataclass(frozen=True)
class TrialRecord:
    """One trial of a search.

    Attributes:
        number: from 0 on.
        state: how far it has come.
        value: its mean score over the folds, None where it was not completed.
        params: dotted path -> what was proposed.
    """

    number: int
    state: TrialState
    value: float | None
    params: Mapping[str, Scalar] = field(default_factory=nothing)


@dataclass(frozen=True)
class Look:
    """Which interim look a study that adds seeds until it is decided has come to.

    Attributes:
        number: from 1 on.
        seeds: after how many seeds each look is.
        level: the share of the 5% that this look may spend.
    """

    number: int
    seeds: tuple[int, ...]
    level: float


@dataclass(frozen=True)
class Remark:
    """What makes one wary of a variant's networks on a data set, in a sentence."""

    data: str
    variant: str
    sentence: str


@dataclass(frozen=True)
class FigureRecord:
    """A figure of the report.

    Attributes:
        title: of the figure.
        file: the name of the file beside the summary.
        best_on: the name of the data set whose best network it shows; "" for a figure of where networks look.
    """

    title: str
    file: str
    best_on: str = ""


@dataclass(frozen=True)
class StoreRecord:
    """The MLflow store that shows a study.

    Attributes:
        page: the address of the study's experiment in MLflow's user interface.
        command: what starts that user interface; "" where a server runs.
    """

    page: str
    command: str = ""

    @property
    def is_linkable(self) -> bool:
        """Whether the page is an address of the web: a summary that was changed by hand may hold anything."""
        return self.page.startswith(("http://", "https://"))


@dataclass(frozen=True, kw_only=True)
class StudySummary:
    """Everything that a study found.

    Attributes:
        study: the name of the study.
        question: the first line of its docstring.
        smoke: whether it was a trial run on a few images, whose scores mean nothing.
        command: what was typed.
        directory: in which it was typed, where relative paths in it begin; "" if an older medcls wrote the summary.
        document: the docstring of the study's file.
        wall_seconds: how long the command took.
        git_commit: of the repository around the study's file, None outside one.
        git_dirty: whether the files there had changes that were not committed.
        data_sets: in the order of their names in the study.
        runs: all, in the order of their beginning.
        comparisons: of all variants that the study compares, p corrected together.
        answers: to the study's questions.
        best: data set -> its best variant; lacks data sets on which no variant was finished.
        look: the interim look, None unless seeds are added until the study is decided.
        trials: of the search, None without one.
        importances: path -> its share of the variance of the trials' scores (fANOVA); None from too few trials.
        remarks: on variants whose networks tell little apart.
        figures: of the report, beside what every report has.
        store: the MLflow store that shows the study, None when offline.
    """

    study: str
    question: str
    smoke: bool
    command: str = ""
    directory: str = ""
    document: str = ""
    wall_seconds: float = 0.0
    git_commit: str | None = None
    git_dirty: bool = False
    data_sets: tuple[DataSetRecord, ...]
    runs: tuple[RunRecord, ...]
    comparisons: tuple[Comparison, ...] = ()
    answers: tuple[AnswerRecord, ...]
    best: Mapping[str, BestRecord]
    look: Look | None = field(default=None, metadata=OMITTED_IF_NONE)
    trials: tuple[TrialRecord, ...] | None = field(default=None, metadata=OMITTED_IF_NONE)
    importances: Mapping[str, float] | None = field(default=None, metadata=OMITTED_IF_NONE)
    remarks: tuple[Remark, ...] = ()
    figures: tuple[FigureRecord, ...] | None = field(default=None, metadata=OMITTED_IF_NONE)
    store: StoreRecord | None = field(default=None, metadata=OMITTED_IF_NONE)

    @property
    def finished(self) -> tuple[RunRecord, ...]:
        """The runs that came to their end."""
        return tuple(run for run in self.runs if run.is_finished)

    @property
    def failed(self) -> tuple[RunRecord, ...]:
        """The runs that failed."""
        return tuple(run for run in self.runs if run.status == RunStatus.FAILED)

    @property
    def has_folds(self) -> bool:
        """Whether its runs are folds of a cross-validation."""
        return any(run.folds is not None for run in self.runs)

    def data_set(self, name: str) -> DataSetRecord:
        """Return the data set of a name."""
        return next(data for data in self.data_sets if data.name == name)

    def on(self, name: str) -> "StudySummary":
        """Return what the study found on one of its data sets."""
        return replace(
            self,
            data_sets=(self.data_set(name),),
            runs=tuple(run for run in self.runs if run.data == name),
            comparisons=tuple(comparison for comparison in self.comparisons if comparison.data == name),
            best={data: best for data, best in self.best.items() if data == name},
            remarks=tuple(remark for remark in self.remarks if remark.data == name),
        )

    def run(self, key: str) -> RunRecord:
        """Return the first run with a key."""
        return next(run for run in self.runs if run.key == key)

    def as_plain(self) -> dict[str, Any]:
        """Return it as `--json` writes it."""
        return dict(as_plain(self))


def read_summary(content: bytes) -> StudySummary:
    """Return the summary that a JSON file holds.

    Raises:
        ValueError: it holds none; the message says in a few words what is wrong.
    """
    return from_json(StudySummary, content)


def summary_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of the summary that `--json` writes."""
    return json_schema(StudySummary)
