"""The plan of a study: its data sets, its runs, and which of them exist already."""

import shutil
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise, product

from medcls.data.checks import Policy
from medcls.data.dataset import Tell
from medcls.data.split import split
from medcls.evaluation import paired_tests
from medcls.evaluation.summary import Look
from medcls.evaluation.wording import asked_of
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
from medcls.utils.provenance import UserCode, user_code
from medcls.utils.statuses import TrialState


class StudyPlan:
    """The plan of one study. To make a plan trains nothing, decodes no images and logs nothing to MLflow.

    Args:
        study: the study, with the options applied.
        options: the options.
        work: the work directory.
        tell: called with the progress of the data checks.

    Raises:
        BadInputError: a data set that the study cannot use.
    """

    def __init__(self, study: Study, options: Options, work: WorkDir, tell: Tell) -> None:
        self.study, self.options, self.work = study, options, work
        seeds = {self.split_seed(seed) for seed in self.seeds}
        policy = Policy(options.skip_bad_files, options.refuse_leaks, options.fix_leaks)
        variants = [variant for _, variant in study.conditions]
        few = options.smoke
        given = study.given_data
        self.sources = describe(variants, given, work, policy, folds=study.folds, split_seeds=seeds, few=few, tell=tell)
        check_scores(study, self.sources)
        self.parts: dict[str, dict[str, int]] = {}
        for name, source in self.sources.by_name.items():
            self.parts[name] = check(source, study.folds, seeds)

    @cached_property
    def key(self) -> str:
        """A hash by which a study is recognized when its command is run again; more trials do not change the key."""
        study = self.study
        identity: dict[str, object] = {
            "name": study.name,
            "variants": {name: variant.hashed() for name, variant in study.variants.items()},
            "data": sorted(source.bundle.fingerprint for source in self.sources.by_name.values()),
            "folds": study.folds,
            "seeds": list(study.seeds),
            "search": None if study.search is None else study.search.described(),
            "vary": self.options.vary_split,
        }
        if self.options.split_seed:
            identity["split_seed"] = self.options.split_seed
        if self.options.until_decided:
            identity["until"] = self.looks
        return digest(identity)

    @cached_property
    def code(self) -> UserCode:
        """The study's code as its user has it; its texts are empty under --no-source."""
        return user_code(self.study.file, keep=not self.options.no_source)

    @property
    def question(self) -> str:
        """The study's question, and of which data it is asked where these are not its own."""
        return asked_of(self.study.question, [(data.name, data.instead_of) for data in self.sources.by_name.values()])

    def run(self, variant: Variant, name: str, seed: int, fold: int | None) -> Run:
        """Return one run of the study.

        Args:
            variant: the variant that is trained.
            name: the variant's name.
            seed: the run's seed.
            fold: the fold that is the validation set, counted from 0; None without folds, or for a refit.
        """
        source = self.sources.of(variant)
        return Run(
            variant,
            source.bundle.fingerprint,
            seed,
            fold,
            folds=self.study.folds,
            split_seed=self.split_seed(seed),
            data_name=source.name,
            variant_name=name,
        )

    def split_seed(self, seed: int) -> int:
        """Return the seed of the split for a run with this seed; 0 keeps the sets that the data came with."""
        return seed + 1 if self.options.vary_split else self.options.split_seed

    @property
    def looks(self) -> list[int]:
        """The numbers of seeds after which the study is evaluated: one, unless seeds are added until it is decided."""
        first = len(self.study.seeds)
        return paired_tests.looks(first, self.options.until_decided or first)

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds that the study may use."""
        return grown(self.study.seeds, self.looks[-1])

    def stages(self) -> list[list[Run]]:
        """Return the runs that each look adds to those before."""
        folds: Iterable[int | None] = [None] if self.study.folds is None else range(self.study.folds)
        stages: list[list[Run]] = []
        for before, count in pairwise([0, *self.looks]):
            stage: list[Run] = []
            for name, variant in self.study.conditions:
                for seed in self.seeds[before:count]:
                    stage += [self.run(variant, name, seed, fold) for fold in folds]
            stages.append(stage)
        return stages

    def look(self, seeds: int) -> Look:
        """Return the look after so many seeds, and its share of the significance level of 5%."""
        number = sum(count < seeds for count in self.looks)
        return Look(number + 1, tuple(self.looks), paired_tests.levels(self.looks)[number])

    def runs(self) -> list[Run]:
        """Return the runs of the first look and those of later looks that exist; of a search, the runs of trials."""
        if self.study.search is not None:
            return self._search_runs()
        first, *later = self.stages()
        runs = list(first)
        for stage in later:
            runs += [run for run in stage if self._exists(run)]
        return runs

    def refits(self) -> list[Run]:
        """Return the existing runs on the full training set, that is on all folds together."""
        if self.study.search is not None:
            runs = [self.trial_run(trial, None) for trial in self.trials()]
        elif self.study.folds is not None:
            runs = [self.run(variant, name, self.study.seeds[0], None) for name, variant in self.study.conditions]
        else:
            return []
        return [run for run in runs if self._exists(run)]

    def _exists(self, run: Run) -> bool:
        return self.work.folder(run).path.exists()

    def _search_runs(self) -> list[Run]:
        """Return the runs of this command's trials proposed so far, without those that pruning has saved."""
        runs = []
        for trial in self.trials():
            if trial.ours:
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
        """Open the storage of the search; of a shared one, this driver takes at most `slots` trials at a time."""
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
        """Return the trials that any driver has proposed so far; nothing is written."""
        folder, url = self.work.study(self.key), self.options.storage
        if url is None:
            return storages.remembered(folder)
        return storages.remembered_in_database(url, self._shared_name, folder)

    @property
    def _shared_name(self) -> str:
        """The name of the search in a database, which is equal for all drivers with equal study and data."""
        return f"{self.study.name}-{self.key}"

    def known_runs(self) -> list[Run]:
        """Return the runs that are known so far, and the existing refits."""
        return [*self.runs(), *self.refits()]

    def forget(self) -> None:
        """Delete the run directories and the search of the study."""
        for run in self.known_runs():
            self.work.folder(run).clear()
        shutil.rmtree(self.work.study(self.key), ignore_errors=True)

    @property
    def repeats(self) -> list[tuple[int, int]]:
        """The seed and fold of each run of a trial."""
        return list(product(self.study.seeds, range(self.study.folds or 0)))

    def trial_run(self, trial: Trial, repeat: int | None) -> Run:
        """Return one of a trial's runs by its number in `repeats`, or its refit for None."""
        variant = self.search.variant(self.base, trial.labels)
        seed, fold = (self.study.seeds[0], None) if repeat is None else self.repeats[repeat]
        return self.run(variant, f"trial {trial.number}", seed, fold)


def grown(seeds: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the seeds, followed by new larger ones until there are `most` in total."""
    first = max(seeds) + 1
    return (*seeds, *range(first, first + most - len(seeds)))
