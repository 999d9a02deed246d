"""The options of a study as one value: the command line makes it from flags, `medcls.run` from keyword arguments."""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from medcls.spec.parameters import unknown
from medcls.utils.errors import BadInputError
from medcls.utils.paths import default_work_dir, home_of, tracking_uri

LARGEST_SEED = 2**32 - 2  # under --vary split the split is seeded with one more
STORAGE = "MEDCLS_STORAGE"


def default_storage() -> str | None:
    """Return the database of shared searches that MEDCLS_STORAGE names; None for a file in the work directory."""
    return os.environ.get(STORAGE) or None


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a study is run, whatever the study.

    Attributes:
        data: data set's name -> source; "" stands for every data set.
        settings: dotted path of a parameter -> the text that it is set to.
        weights: a file of saved weights, "imagenet" or "random"; None for what the study declares.
        only: names of variants, those with a comma of their own in quotes; () for all.
        seeds: the seeds to repeat with; None for the study's own.
        folds: the number of folds of the cross-validation, at least 2; None for the study's own.
        vary_split: whether seeds vary the split too.
        split_seed: the seed of the split for all seeds of the study.
        until_decided: up to this total number seeds are added until the main comparison is decided; None for never.
        workers: the number of runs at a time; None to choose.
        threads: the threads of each run; None to choose.
        tracking_uri: the MLflow store.
        work_dir: where run directories lie, an absolute path.
        work_url: the URL of the copy of `work_dir` that other machines see, "" for none.
        smoke: whether the whole study is run tiny.
        plan: whether the runs are listed and nothing is trained.
        force: whether finished runs are rerun.
        keep: whether to accept finished runs of a different version of the code.
        promote: whether the best model becomes champion even if the current one scores higher.
        loudness: -1 to print only the final results, 1 to print every epoch of every run.
        executor: "local", "ray", "auto" or "ray://HOST:PORT".
        skip_bad_files: whether files that cannot be read are left out.
        refuse_leaks: whether leaks stop the study.
        fix_leaks: whether copies and patients are kept together in one set each.
        offline: whether nothing is logged to MLflow.
        no_source: whether the study's file and its uncommitted changes are not kept with its runs.
        wait: whether to wait while another command uses the work directory.
        json: the file that the summary is written to, None for none.
        trials: the total number of trials of a search; None for its own number.
        timeout: the seconds after which a search starts no new trial; None for never.
        storage: the URL of the database that a search is shared through; None for a file in the work directory.

    Raises:
        BadInputError: a value that no study can be run with.
    """

    data: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None
    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    folds: int | None = None
    vary_split: bool = False
    split_seed: int = 0
    until_decided: int | None = None
    workers: int | None = None
    threads: int | None = None
    tracking_uri: str = field(default_factory=lambda: tracking_uri(None))
    work_dir: Path = field(default_factory=default_work_dir)
    work_url: str = ""
    smoke: bool = False
    plan: bool = False
    force: bool = False
    keep: bool = False
    promote: bool = False
    loudness: int = 0
    executor: str = "local"
    skip_bad_files: bool = False
    refuse_leaks: bool = False
    fix_leaks: bool = False
    offline: bool = False
    no_source: bool = False
    wait: bool = False
    json: Path | None = None
    trials: int | None = None
    timeout: float | None = None
    storage: str | None = field(default_factory=default_storage)

    def __post_init__(self) -> None:
        """Check every value that has limits."""
        limits = {"folds": 2, "until_decided": 2, "workers": 1, "threads": 1, "trials": 1}
        for name, least in limits.items():
            value = getattr(self, name)
            if value is not None and not _is_whole(value, least):
                raise BadInputError(f"--{name.replace('_', '-')} {value!r}: give a whole number of at least {least}.")
        for seed in (*(self.seeds or ()), self.split_seed):
            if not _is_whole(seed, 0) or seed > LARGEST_SEED:
                raise BadInputError(f"--seeds {seed!r}: give whole numbers from 0 to {LARGEST_SEED}.")
        if self.seeds is not None and len(set(self.seeds)) != max(len(self.seeds), 1):
            raise BadInputError(f"--seeds {','.join(map(str, self.seeds))}: give at least one seed, and each once.")
        if self.vary_split and self.split_seed:
            raise BadInputError(
                "--vary split and --split-seed both decide how the data are split: give one of the two."
            )
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise BadInputError(f"--timeout {self.timeout!r}: give a number of seconds above 0.")
        if self.executor not in ("local", "ray", "auto") and not self.executor.startswith("ray://"):
            raise BadInputError(f"--executor {self.executor!r}: give local, ray, auto or ray://HOST:PORT.")

    @classmethod
    def from_keywords(cls, flags: Mapping[str, Any]) -> "Options":
        """Return options from flags as keyword arguments, such as `set={"learner.epochs": 5}` or `seeds=(0, 1)`.

        None and False stand for a flag that is not given.

        Raises:
            BadInputError: an unknown flag, or a value that the flag does not take.
        """
        given = {name: value for name, value in flags.items() if value is not None and value is not False}
        for name in given:
            if name not in (*PLAIN, *CONVERTED):
                raise BadInputError(unknown(name, [*PLAIN, *CONVERTED], "flag"))
        values = {name: given[name] for name in PLAIN if name in given}
        for name in CONVERTED:
            if name in given:
                values |= _converted(name, given[name])
        return cls(**values)


PLAIN = (
    *("weights", "folds", "split_seed", "until_decided", "workers", "threads", "smoke", "plan", "force", "keep"),
    *("promote", "executor", "skip_bad_files", "refuse_leaks", "fix_leaks", "offline", "no_source", "wait"),
    *("trials", "timeout", "storage"),
)
"""Flags whose values in Python are fields of the options as they are."""

CONVERTED = ("data", "set", "only", "seeds", "vary", "tracking_uri", "work_dir", "json", "verbose", "quiet")
"""Flags whose values in Python are converted into fields of the options."""


def work_place(text: str) -> tuple[Path, str]:
    """Return a work directory's path on this machine, and the URL of the copy that other machines see ("" for none).

    Args:
        text: a path, file://PATH or another URL that fsspec knows.

    Raises:
        BadInputError: a file:// URL without a path.
    """
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return Path(text).absolute(), ""
    if scheme != "file":
        return home_of(text).absolute(), text
    if not rest.startswith("/"):
        raise BadInputError(f"{text} has no path: write file:///PATH")
    return Path(unquote(rest)).absolute(), ""


def source_of(text: str) -> tuple[str, str]:
    """Return the name of a data set ("" for every data set) and its source from a text such as NAME=SOURCE."""
    if "=" not in text or os.path.exists(text):  # noqa: PTH110 - Path.exists raises where it may not look
        return "", text
    name, _, source = text.partition("=")
    return name.strip(), source.strip()


def _converted(name: str, value: Any) -> dict[str, Any]:
    """Return the fields of the options that a flag stands for whose value has to be converted."""
    match name:
        case "data":
            return {"data": _sources(value)}
        case "set":
            return {"settings": {path: str(setting) for path, setting in value.items()}}
        case "only":
            return {"only": tuple(f'"{variant}"' if "," in variant else variant for variant in _listed(value))}
        case "seeds":
            return {"seeds": tuple(int(seed) if isinstance(seed, Integral) else seed for seed in _listed(value))}
        case "vary" if value == "split":
            return {"vary_split": True}
        case "vary":
            raise BadInputError(f"vary={value!r}: give 'split', or leave it out.")
        case "tracking_uri":
            return {"tracking_uri": tracking_uri(str(value))}
        case "work_dir":
            path, url = work_place(str(value))
            return {"work_dir": path, "work_url": url}
        case "json":
            return {"json": Path(value)}
        case _:
            return {"loudness": {"verbose": 1, "quiet": -1}[name]}


def _sources(given: object) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {name: str(source) for name, source in given.items()}
    return dict([source_of(str(given))])


def _listed(value: object) -> list[Any]:
    """Return a single value or several values as a list."""
    return [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)


def _is_whole(value: object, least: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= least
