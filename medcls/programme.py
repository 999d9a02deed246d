"""A study as its command line has it: variants, data sets, runs, and what there is of them already."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from statistics import median
from typing import Any

from medcls.errors import BadInputError
from medcls.options import Options
from medcls.plan import CONTINUE, FINISHED, SHARED, WorkFolder
from medcls.screen import Screen, duration
from medcls.search.space import Search
from medcls.search.tuner import Trial, Tuner
from medcls.sources import Source, check, describe, with_sources
from medcls.spec import Run, Variant, digest
from medcls.study import Study

SMOKE_TRIALS, SMOKE_FOLDS, SMOKE_SEEDS = 2, 2, 1


def adapted(study: Study, options: Options) -> Study:
    """Return the study with the command line's data, settings, variants, seeds, folds and trials.

    Raises:
        BadInputError: a flag that does not fit the study.
    """
    variants = with_sources(_only(study, options.only), options.data)
    settings = {path: _set_all(variants, path, text) for path, text in options.settings.items()}
    for path, text in ({**study.smoke, **options.settings} if options.smoke else options.settings).items():
        variants = {
            name: variant.set_text(path, str(text)) if path in variant.parameters() else variant
            for name, variant in variants.items()
        }
    search = study.search
    if search is not None:
        search = search.without(settings)
        search = replace(search, trials=options.trials or (SMOKE_TRIALS if options.smoke else search.trials))
    folds, seeds = study.folds, options.seeds or study.seeds
    if options.smoke:
        folds, seeds = folds and min(folds, SMOKE_FOLDS), options.seeds or study.seeds[:SMOKE_SEEDS]
    folds = options.folds or folds
    if folds == 1:
        raise BadInputError("--folds 1: cross-validation takes at least 2 folds.")
    return replace(study, variants=variants, search=search, folds=folds, seeds=seeds)


def _only(study: Study, names: tuple[str, ...]) -> dict[str, Variant]:
    for name in names:
        if name not in study.variants:
            raise BadInputError(f"--only {name}: this study's variants are {', '.join(study.variants)}.")
    return {name: variant for name, variant in study.variants.items() if not names or name in names}


def _set_all(variants: dict[str, Variant], path: str, text: str) -> str:
    """Return the text if some variant has the path and takes the text; complain as the first one would."""
    takers = [variant for variant in variants.values() if path in variant.parameters()]
    for variant in takers or list(variants.values())[:1]:
        variant.set_text(path, text)
    return text


class Programme:
    """What is to be done: nothing is trained, decoded or written to the store here.

    Raises:
        BadInputError: a data set that cannot be used as the study wants it.
    """

    def __init__(self, study: Study, options: Options, work: WorkFolder) -> None:
        self.study, self.options, self.work = study, options, work
        self.sources = describe(study.variants, work, few=options.smoke)
        seeds = set(study.seeds) if options.vary_split else {0}
        self.parts = {each.name: check(each, study.folds, seeds) for each in self.sources.values()}

    @cached_property
    def key(self) -> str:
        """What makes this study the same one when its command is run again; more trials leave it the same."""
        study = self.study
        return digest(
            {
                "name": study.name,
                "variants": {name: variant.hashed() for name, variant in study.variants.items()},
                "data": sorted(source.bundle.fingerprint for source in self.sources.values()),
                "folds": study.folds,
                "seeds": list(study.seeds),
                "search": study.search and study.search.described(),
                "vary": self.options.vary_split,
            }
        )

    def run(self, variant: Variant, name: str, source: Source, seed: int, fold: int | None) -> Run:
        """Return one run of the study."""
        split_seed = seed if self.options.vary_split else 0
        return Run(variant, source.bundle.fingerprint, seed, fold, self.study.folds, split_seed, source.name, name)

    def runs(self) -> list[Run]:
        """Return the runs that are known: all, or under a search those of the trials proposed so far."""
        if self.study.search is not None:
            return [self.trial_run(trial, fold) for trial in self.trials() for fold in range(self.study.folds or 0)]
        folds: Iterable[int | None] = [None] if self.study.folds is None else range(self.study.folds)
        return [
            self.run(variant, name, self.sources[name], seed, fold)
            for name, variant in self.study.variants.items()
            for seed in self.study.seeds
            for fold in folds
        ]

    @property
    def search(self) -> Search:
        """The study's search."""
        assert self.study.search is not None
        return self.study.search

    @property
    def base(self) -> Variant:
        """The variant that the search starts from."""
        return next(iter(self.study.variants.values()))

    def tuner(self) -> Tuner:
        """Open the search's memory."""
        return Tuner(self.search, self.search.starting_point(self.base), self.work.study(self.key))

    def trials(self) -> list[Trial]:
        """Return the trials proposed so far, without opening a search that has not begun."""
        return self.tuner().trials() if (self.work.study(self.key) / "search.log").exists() else []

    def forget(self, runs: list[Run]) -> None:
        """Throw away what there is of the study's runs and of its search."""
        for run in runs:
            self.work.folder(run).clear()
        shutil.rmtree(self.work.study(self.key), ignore_errors=True)

    def trial_run(self, trial: Trial, fold: int | None) -> Run:
        """Return the run of a trial on one fold, or its refit."""
        variant = self.search.variant(self.base, trial.labels)
        source = next(iter(self.sources.values()))
        return self.run(variant, f"trial {trial.number}", source, self.study.seeds[0], fold)

    def show(self, screen: Screen) -> None:
        """Print the runs, what there is of them, and how long the rest may take."""
        states = {run: self.work.state(run) for run in self.runs()}
        rows = [[run.label, state.word, f"{state.epochs}/{run.epochs}", run.key] for run, state in states.items()]
        if rows:
            screen.table(f"{self.study.name}: planned runs", ["run", "state", "epochs", "key"], rows)
        counts = Counter(state.word for state in states.values())
        if self.study.search is not None:
            known, folds = len(self.trials()), self.study.folds
            screen.say(f"Search: {known} of {self.search.trials} trials proposed, {folds} folds each, then one refit.")
            counts["to be proposed"] = max(0, self.search.trials - known) * (folds or 1) + 1
        screen.say(", ".join(f"{count} {word}" for word, count in counts.items()) + ".")
        shared = sum(state.epochs for state in states.values() if state.word == SHARED)
        if shared:
            screen.say(f"{shared} epochs are shared with other runs.")
        screen.say(f"Estimated time on one worker: {self._estimate(states)}.")

    def _estimate(self, states: dict[Run, Any]) -> str:
        """Return the time that the epochs to come may take, from the journals of epochs trained before."""
        seconds = [row["seconds"] for run in states for row in self.work.folder(run).rows()]
        if not seconds:
            return "unknown (nothing of this study has been trained yet)"
        left = sum(run.epochs - state.epochs for run, state in states.items() if state.word not in (FINISHED,))
        trained = [state.epochs for state in states.values() if state.word in (FINISHED, CONTINUE) and state.epochs]
        if self.study.search is not None and trained:
            to_come = max(0, self.search.trials - len(self.trials())) * (self.study.folds or 1) + 1
            left += int(to_come * median(trained))
        return duration(left * median(seconds))
