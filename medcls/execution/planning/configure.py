"""A study as its command line has it: other data, settings, weights, variants, seeds, folds and trials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from medcls.evaluation.answers import Compare
from medcls.execution.options import Options
from medcls.execution.planning.datasets import data_name, with_sources
from medcls.execution.planning.pretrained import with_pretrained
from medcls.execution.planning.weights import inherited, with_weights
from medcls.spec.overrides import set_text
from medcls.spec.parameters import check_limits, checked, function_of, given_to
from medcls.spec.search_space import Search
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.utils.errors import BadInputError

SMOKE_TRIALS, SMOKE_FOLDS, SMOKE_SEEDS = 2, 2, 1


def apply_options(study: Study, options: Options) -> Study:
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
        _check_force(options)
        inherit = inherited(study.search, conditions[0][1], settings, options.work_dir)
        conditions, settings = _with_settings(conditions, inherit), {**settings, **inherit}
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


def options_for(study: Study, studies: Sequence[Study], options: Options) -> Options:
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


def _with_explain(study: Study, options: Options) -> tuple[Any, Mapping[str, str]]:
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


def _check_force(options: Options) -> None:
    if options.force and options.storage is not None:
        raise BadInputError(
            "--force would throw away what other commands have searched too: leave it out, or first delete the "
            "search with `optuna delete-study` (`optuna studies --storage URL` lists them)."
        )


def _check_space(search: Search, base: Variant) -> None:
    for path, axis in search.space.items():
        if path.split(".")[0] == "data":
            raise BadInputError(f"{path} cannot be searched over: all trials see the same images.")
        ends = (axis.low, axis.high) if axis.choices is None else axis.choices.values()
        for value in ends if path in base.parameters() else ():
            base.with_(path, value).check()
