"""A study as its command line has it: variants, data sets, runs, and what there is of them already."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

from medcls.data.checks import Policy
from medcls.data.survey import Tell
from medcls.errors import BadInputError
from medcls.evaluation import comparison
from medcls.evaluation.answers import Compare
from medcls.options import Options
from medcls.plan import WorkFolder
from medcls.pretraining import with_pretrained
from medcls.search.space import Search
from medcls.search.tuner import PRUNED, Trial, Tuner, remembered
from medcls.sequence import grown
from medcls.sources import Sources, check, data_name, describe, with_sources
from medcls.spec import Run, Variant, digest
from medcls.study import Study
from medcls.values import check_limits, checked, function_of, given_to, set_text, unknown
from medcls.weights import inherited, with_weights

SMOKE_TRIALS, SMOKE_FOLDS, SMOKE_SEEDS = 2, 2, 1


def adapted(study: Study, options: Options) -> Study:
    """Return the study with the command line's data, settings, variants, seeds, folds and trials.

    Raises:
        BadInputError: a flag that does not fit the study, or a value that nothing can be trained with.
    """
    conditions = with_sources(_only(study, options.only).conditions, options.data)
    if options.smoke:
        known = {path for _, variant in conditions for path in variant.parameters()}
        few = {path: str(value) for path, value in study.smoke.items() if path in known}
        conditions = _with_settings(conditions, few)
    explain, settings = _with_explain(study, options)
    conditions = _with_settings(conditions, settings)
    conditions, weights = with_pretrained(conditions, options.weights, options.work_dir, few=options.smoke)
    conditions = with_weights(conditions, weights, options.work_dir)
    if study.search is not None:
        inherit = inherited(study.search, conditions[0][1], settings, options.work_dir)
        conditions, settings = _with_settings(conditions, inherit), settings | inherit
    for _, variant in conditions:
        variant.check()
    variants: dict[str, Variant] = {}
    for name, variant in conditions:
        variants.setdefault(name, variant)
    placed = {data_name(variant): variant.data for _, variant in conditions}
    data = tuple(_replaced(each, placed[function_of(each).__name__]) for each in study.data)
    search, folds, seeds = study.search, study.folds, study.seeds
    if search is not None:
        base = next(iter(variants.values()))
        search = search.within(base, settings)
        _check_space(search, base)
        search = replace(search, trials=options.trials or (SMOKE_TRIALS if options.smoke else search.trials))
    if options.smoke:
        folds, seeds = folds and min(folds, SMOKE_FOLDS), seeds[:SMOKE_SEEDS]
    folds, seeds = options.folds or folds, options.seeds or seeds
    _check_looks(study, len(seeds), options.until_decided)
    return replace(study, variants=variants, data=data, search=search, folds=folds, seeds=seeds, explain=explain)


def _replaced(data: Callable[..., Any], by: Callable[..., Any]) -> Callable[..., Any]:
    """Return one of the study's data sets with what it declares, and its source, as the command line has changed it."""
    declared = {"source", *given_to(data)}
    return partial(function_of(by), **{name: value for name, value in given_to(by).items() if name in declared})


def among(study: Study, studies: Sequence[Study], options: Options) -> Options:
    """Return the options as they concern one of several studies: without data sets that only others have."""
    names = {each.name: {data_name(variant) for _, variant in each.conditions} for each in studies}
    mine, others = names[study.name], {name for each in names.values() for name in each}
    kept = {name: source for name, source in options.data.items() if name in mine or name not in others}
    return replace(options, data=kept)


def _only(study: Study, texts: tuple[str, ...]) -> Study:
    names = {name for text in texts for name in _named(text, study)}
    kept = {name: variant for name, variant in study.variants.items() if not texts or name in names}
    return replace(study, variants=kept)


def _named(text: str, study: Study) -> Iterator[str]:
    """Yield the variants whose names a text lists, between commas; a name with commas of its own is one name."""
    parts = text.split(",")
    while parts:
        ends = range(len(parts), 0, -1)  # the longest name first
        candidates = {",".join(parts[:end]).strip(): end for end in ends}
        name = next((each for each in candidates if each in study.variants), None)
        if name is None:
            raise BadInputError(f"--only {parts[0].strip()}: this study's variants are {study.variant_names}.")
        yield name
        parts = parts[candidates[name] :]


def _with_settings(conditions: list[tuple[str, Variant]], settings: Mapping[str, str]) -> list[tuple[str, Variant]]:
    """Return the variants with what the command line sets, in those that have it; where none has it, complain."""
    for path in sorted(settings):  # an owner ("learner.schedule") comes before what it owns
        takers = [path in variant.parameters() for _, variant in conditions]
        if not any(takers):
            conditions[0][1].set_text(path, settings[path])  # which says what is wrong
        conditions = [
            (name, variant.set_text(path, settings[path]) if takes else variant)
            for (name, variant), takes in zip(conditions, takers, strict=True)
        ]
    return conditions


def _with_explain(study: Study, options: Options) -> tuple[Any, dict[str, str]]:
    """Return what networks are asked, as --smoke and --set change it, and the other settings."""
    own = {path: text for path, text in options.settings.items() if path.split(".")[0] == "explain"}
    others = {path: text for path, text in options.settings.items() if path not in own}
    if study.explain is None:
        return None, options.settings
    few = study.smoke if options.smoke else {}
    small = {path: str(value) for path, value in few.items() if path.split(".")[0] == "explain"}
    node = checked("explain", study.explain)
    for path, text in [*small.items(), *own.items()]:
        node = set_text("explain", node, path, text)
    check_limits("explain", node)
    return node, others


def _check_looks(study: Study, seeds: int, most: int | None) -> None:
    if most is None:
        return
    if study.search is not None or not any(isinstance(each, Compare) for each in study.answers):
        raise BadInputError(f"--until-decided {most}: {study.name} compares no two variants, so nothing decides it.")
    if most <= seeds:
        raise BadInputError(f"--until-decided {most}: there are {seeds} seeds to begin with; allow more.")


def _check_space(search: Search, base: Variant) -> None:
    for path, axis in search.space.items():
        if path.split(".")[0] == "data":
            raise BadInputError(f"{path} cannot be searched over: all trials see the same images.")
        ends = (axis.low, axis.high) if axis.choices is None else axis.choices.values()
        for value in ends if path in base.parameters() else ():
            base.with_(path, value).check()


def _check_metric(study: Study, sources: Sources) -> None:
    """Complain now about a score that would be missed when the first run has ended."""
    deciding = {"Study": study.metric} | ({"Search": study.search.metric} if study.search is not None else {})
    for _, variant in study.conditions:
        known = variant.task.score_names(sources.of(variant).bundle.classes)
        for owner, metric in deciding.items():
            if metric not in known:
                raise BadInputError(f"{owner}.metric: {unknown(f'score {metric} to maximise', list(known))}")


class Programme:
    """What is to be done: nothing is trained, decoded or written to the store here.

    Raises:
        BadInputError: a data set that cannot be used as the study wants it.
    """

    def __init__(self, study: Study, options: Options, work: WorkFolder, tell: Tell) -> None:
        self.study, self.options, self.work = study, options, work
        seeds = {self.split_seed(seed) for seed in self.seeds}
        policy = Policy(options.skip_bad_files, options.refuse_leaks, options.fix_leaks)
        variants = [variant for _, variant in study.conditions]
        few = options.smoke
        self.sources = describe(variants, work, policy, folds=study.folds, split_seeds=seeds, few=few, tell=tell)
        _check_metric(study, self.sources)
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
                **({"until": self.looks} if self.options.until_decided else {}),
            }
        )

    def run(self, variant: Variant, name: str, seed: int, fold: int | None) -> Run:
        """Return one run of the study."""
        source, folds, cut = self.sources.of(variant), self.study.folds, self.split_seed(seed)
        return Run(variant, source.bundle.fingerprint, seed, fold, folds, cut, source.name, name)

    def split_seed(self, seed: int) -> int:
        """Return what seeds the split of a run with this seed; 0 keeps the parts that the data came with."""
        return seed + 1 if self.options.vary_split else 0

    @property
    def looks(self) -> list[int]:
        """After how many seeds the study is looked at: once, unless seeds are added until it is decided."""
        first = len(self.study.seeds)
        return comparison.looks(first, self.options.until_decided or first)

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
        return {"number": number + 1, "seeds": self.looks, "level": comparison.levels(self.looks)[number]}

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
        for trial in self.trials():
            count = len(trial.folds) if trial.state == PRUNED else len(self.repeats)
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

    def tuner(self) -> Tuner:
        """Open the search's memory."""
        return Tuner(self.search, self.search.starting_point(self.base), self.work.study(self.key))

    def trials(self) -> list[Trial]:
        """Return the trials proposed so far; nothing is written."""
        return remembered(self.work.study(self.key))

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
