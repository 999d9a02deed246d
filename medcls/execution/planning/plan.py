"""What is to be done of a study: its variants, data sets, runs, and what there is of them already."""

import shutil
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

from medcls.data.checks import Policy
from medcls.data.dataset import Tell
from medcls.data.split import split
from medcls.evaluation import paired_tests
from medcls.execution.options import Options
from medcls.execution.planning.datasets import check, describe
from medcls.execution.planning.scores import check_scores
from medcls.execution.search import storages
from medcls.execution.search.trials import Trial, TrialStore
from medcls.execution.search.tuner import Tuner
from medcls.spec.run import Run
from medcls.spec.search_space import Search
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.tracking.work_dir import WorkDir
from medcls.utils.code_digest import code_digest
from medcls.utils.hashing import digest
from medcls.utils.statuses import TrialState


class StudyPlan:
    """What is to be done: nothing is trained, decoded or written to the store here.

    Raises:
        BadInputError: a data set that cannot be used as the study wants it.
    """

    def __init__(self, study: Study, options: Options, work: WorkDir, tell: Tell) -> None:
        self.study, self.options, self.work = study, options, work
        seeds = {self.split_seed(seed) for seed in self.seeds}
        policy = Policy(options.skip_bad_files, options.refuse_leaks, options.fix_leaks)
        variants = [variant for _, variant in study.conditions]
        few = options.smoke
        self.sources = describe(variants, work, policy, folds=study.folds, split_seeds=seeds, few=few, tell=tell)
        check_scores(study, self.sources)
        self.parts = {each.name: check(each, study.folds, seeds) for each in self.sources.by_name.values()}

    @cached_property
    def key(self) -> str:
        """What makes this study the same one when its command is run again; more trials leave it the same."""
        study = self.study
        return digest(
            {
                "name": study.name,
                "variants": {name: variant.hashed() for name, variant in study.variants.items()},
                "data": sorted(source.bundle.fingerprint for source in self.sources.by_name.values()),
                "folds": study.folds,
                "seeds": list(study.seeds),
                "search": study.search and study.search.described(),
                "vary": self.options.vary_split,
                **({"split_seed": self.options.split_seed} if self.options.split_seed else {}),
                **({"until": self.looks} if self.options.until_decided else {}),
            }
        )

    def run(self, variant: Variant, name: str, seed: int, fold: int | None) -> Run:
        """Return one run of the study."""
        source, folds, cut = self.sources.of(variant), self.study.folds, self.split_seed(seed)
        return Run(variant, source.bundle.fingerprint, seed, fold, folds, cut, source.name, name)

    def split_seed(self, seed: int) -> int:
        """Return what seeds the split of a run with this seed; 0 keeps the parts that the data came with."""
        return seed + 1 if self.options.vary_split else self.options.split_seed

    @property
    def looks(self) -> list[int]:
        """After how many seeds the study is looked at: once, unless seeds are added until it is decided."""
        first = len(self.study.seeds)
        return paired_tests.looks(first, self.options.until_decided or first)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The most seeds that there may be."""
        return grown(self.study.seeds, self.looks[-1])

    def stages(self) -> list[list[Run]]:
        """Return the runs that each look adds."""
        folds: Iterable[int | None] = [None] if self.study.folds is None else range(self.study.folds)
        return [
            [
                self.run(variant, name, seed, fold)
                for name, variant in self.study.conditions
                for seed in self.seeds[before:count]
                for fold in folds
            ]
            for before, count in pairwise([0, *self.looks])
        ]

    def look(self, seeds: int) -> dict[str, Any]:
        """Return which look it is after so many seeds, and what it may spend of the 5%."""
        number = sum(count < seeds for count in self.looks)
        return {"number": number + 1, "seeds": self.looks, "level": paired_tests.levels(self.looks)[number]}

    def runs(self) -> list[Run]:
        """Return the runs that are known: all up to the first look and those added so far; of a search, its trials'."""
        if self.study.search is not None:
            return self._search_runs()
        first, *later = self.stages()
        return first + [run for stage in later for run in stage if self.work.folder(run).path.exists()]

    def refits(self) -> list[Run]:
        """Return the runs on the whole training part that there are already."""
        if self.study.search is not None:
            runs = [self.trial_run(trial, None) for trial in self.trials()]
        elif self.study.folds is not None:
            runs = [self.run(each, name, self.study.seeds[0], None) for name, each in self.study.conditions]
        else:
            return []
        return [run for run in runs if self.work.folder(run).path.exists()]

    def _search_runs(self) -> list[Run]:
        """Return the runs of the trials proposed so far, without those that pruning saved."""
        runs = []
        for trial in (each for each in self.trials() if each.ours):
            count = len(trial.folds) if trial.state == TrialState.PRUNED else len(self.repeats)
            runs += [self.trial_run(trial, repeat) for repeat in range(count)]
        return runs

    @property
    def search(self) -> Search:
        """The study's search."""
        assert self.study.search is not None
        return self.study.search

    @property
    def base(self) -> Variant:
        """The variant that the search starts from."""
        return next(iter(self.study.variants.values()))

    def tuner(self, slots: int) -> Tuner:
        """Open the search's memory; where other drivers share it, for no more trials at once than there are slots."""
        memory = self._memory()
        first = self.search.starting_point(self.base)
        return Tuner(self.search, first, memory, slots if memory.shared else None)

    def _memory(self) -> TrialStore:
        folder, url = self.work.study(self.key), self.options.storage
        if url is None:
            return storages.in_folder(folder)
        code = None if self.options.keep else code_digest([*self.base.functions(), *self.search.functions(), split])
        return storages.in_database(url, self._shared_name, folder, code)

    def trials(self) -> list[Trial]:
        """Return the trials proposed so far, those of other drivers too; nothing is written."""
        folder, url = self.work.study(self.key), self.options.storage
        if url is None:
            return storages.remembered(folder)
        return storages.remembered_in_database(url, self._shared_name, folder)

    @property
    def _shared_name(self) -> str:
        """The search's name in a database: the same for all drivers with the same study and data."""
        return f"{self.study.name}-{self.key}"

    def known_runs(self) -> list[Run]:
        """Return the runs that are known, and the refits that there are already."""
        return [*self.runs(), *self.refits()]

    def forget(self) -> None:
        """Throw away what there is of the study's runs and of its search."""
        for run in self.known_runs():
            self.work.folder(run).clear()
        shutil.rmtree(self.work.study(self.key), ignore_errors=True)

    @property
    def repeats(self) -> list[tuple[int, int]]:
        """The seed and fold of each run that a trial has."""
        return [(seed, fold) for seed in self.study.seeds for fold in range(self.study.folds or 0)]

    def trial_run(self, trial: Trial, repeat: int | None) -> Run:
        """Return one of a trial's runs, or its refit."""
        variant = self.search.variant(self.base, trial.labels)
        seed, fold = (self.study.seeds[0], None) if repeat is None else self.repeats[repeat]
        return self.run(variant, f"trial {trial.number}", seed, fold)


def grown(seeds: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the seeds, and after the largest as many more as make `most` in all."""
    first = max(seeds) + 1
    return (*seeds, *range(first, first + most - len(seeds)))
