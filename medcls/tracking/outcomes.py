"""Outcomes: how studies ended on their data sets, and which outcome a name such as STUDY or STUDY@DATA means."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from medcls.evaluation.metrics import words
from medcls.evaluation.run_record import DataSetRecord
from medcls.evaluation.summary import BestRecord, StudySummary, read_summary
from medcls.utils.errors import BadInputError
from medcls.utils.records import DamagedError

REMEDY = "remove it and run the study's command again, which trains nothing anew"
FEWEST_DIGITS = 4  # of a study's key in the name of an outcome


@dataclass(frozen=True)
class Outcome:
    """How a study ended on one of its data sets.

    Attributes:
        written: when, in seconds since 1970.
        folder: the study's directory, below the work directory.
        summary: what the study found, on all its data sets.
        data: the record of the data set.
    """

    written: float
    folder: Path
    summary: StudySummary
    data: DataSetRecord

    @property
    def name(self) -> str:
        """What the outcome is called: STUDY@DATA."""
        return f"{self.summary.study}@{self.data.name}"

    @property
    def best(self) -> BestRecord | None:
        """The best variant on the data set, None if none has finished."""
        return self.summary.best.get(self.data.name)

    @property
    def is_phantom(self) -> bool:
        """Whether the images were drawn by a program."""
        return self.data.kind == "phantom"

    @property
    def rank(self) -> tuple[bool, bool]:
        """What comes first: real data before phantoms, then whole runs before those of --smoke."""
        return self.is_phantom, self.summary.smoke

    @property
    def sentence(self) -> str:
        """The outcome's name and state, as commands say which one they took."""
        return f"{self.name} of {state(self)}."

    def asked_by(self, name: str) -> StudySummary:
        """Return what the study found: on all its data sets for the study's name, else on the outcome's own."""
        return self.summary if stem(name) == self.summary.study else self.summary.on(self.data.name)

    def is_called(self, name: str) -> bool:
        """Tell whether the outcome has a name: STUDY, STUDY@DATA, or that with #KEY, the first digits of its key."""
        exact, separator, key = name.rpartition("#")
        if separator and key and exact == self.name and self.folder.name.startswith(key):
            return True
        return name in (self.summary.study, self.name)


def outcomes(work: Path) -> list[Outcome]:
    """Return all outcomes in a work directory by rank, those of one rank by time, the latest first."""
    found = []
    for written, path in sorted(_by_time(work), reverse=True):
        with suppress(DamagedError):
            summary = _summary(path)
            found += [Outcome(written, path.parent, summary, data) for data in summary.data_sets]
    return sorted(found, key=lambda outcome: outcome.rank)  # keeps the order by time


def called(name: str, work: Path) -> list[Outcome]:
    """Return the outcomes in a work directory that have a name, by rank; of an unknown name none."""
    return [outcome for outcome in outcomes(work) if outcome.is_called(name)]


def matching(name: str, work: Path) -> list[Outcome]:
    """Return the outcomes that a name may mean; the first is the one that it means.

    Args:
        name: STUDY, STUDY@DATA or STUDY@DATA#KEY; for STUDY also the path of the study's file.
        work: the work directory.

    Raises:
        BadInputError: there is none.
    """
    name = stem(name)
    matches = called(name, work)
    if not matches:
        every = outcomes(work)
        study = name.partition("@")[0]
        names = labels([outcome for outcome in every if outcome.summary.study == study] or every)
        there = f"the outcomes there are {', '.join(sorted(names))}" if names else "run its file first"
        raise BadInputError(f"There are no results of {name} in {work}: {there}.")
    return matches


def stem(name: str) -> str:
    """Return the name of an outcome, of which a study's part may be the path of the study's file."""
    return name.removesuffix(".py").rpartition("/")[2]


def labels(every: Sequence[Outcome]) -> list[str]:
    """Return a name for each outcome that means this one only: STUDY@DATA for the first, with #KEY for others.

    Args:
        every: the outcomes, in the order of `outcomes`.
    """
    keys: dict[str, list[str]] = {}
    for outcome in every:
        keys.setdefault(outcome.name, []).append(outcome.folder.name)
    names = []
    for outcome in every:
        others = [key for key in keys[outcome.name] if key != outcome.folder.name]
        is_first = keys[outcome.name][0] == outcome.folder.name
        names.append(outcome.name if is_first else f"{outcome.name}#{_digits(outcome.folder.name, others)}")
    return names


def _digits(key: str, others: Sequence[str]) -> str:
    """Return the first digits of a key, enough to tell it from others."""
    for count in range(FEWEST_DIGITS, len(key)):
        if not any(other.startswith(key[:count]) for other in others):
            return key[:count]
    return key


def damaged(work: Path) -> list[str]:
    """Return a sentence for each summary that cannot be read: `outcomes` does without them."""
    sentences = []
    for _, path in sorted(_by_time(work)):
        try:
            _summary(path)
        except DamagedError as error:
            sentences.append(str(error))
    return sentences


def state(outcome: Outcome) -> str:
    """Return one line: when, how many runs on which data, and the best score."""
    summary, data = outcome.summary, outcome.data
    where = f"{data.name} ({data.kind})"
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(outcome.written))
    if not summary.runs:
        return f"{day}: {len(summary.answers)} pictures of {where}"
    smoke = ", smoke" if summary.smoke else ""
    runs = [run for run in summary.runs if run.data == data.name]
    finished = [run for run in runs if run.is_finished]
    line = f"{day}{smoke}: {len(finished)} of {len(runs)} runs finished on {where}"
    if outcome.best is not None:
        line += f", best {words(outcome.best.metric)} {outcome.best.value:.3f}"
    return line


def _summary(path: Path) -> StudySummary:
    """Return the summary in a file.

    Raises:
        DamagedError: it is gone, or no summary.
    """
    try:
        if not path.is_file():
            raise DamagedError(path, "no file", REMEDY)
        summary = read_summary(path.read_bytes())
    except FileNotFoundError as error:
        raise DamagedError(path, "gone", REMEDY) from error
    except ValueError as error:
        raise DamagedError(path, str(error), REMEDY) from error
    if not summary.data_sets:
        raise DamagedError(path, "it has no data set", REMEDY)
    return summary


def _by_time(work: Path) -> Iterator[tuple[float, Path]]:
    for path in work.glob("studies/*/summary.json"):
        yield path.stat().st_mtime, path
