"""Apply the options of a command to a study: data, settings, weights, variants, seeds, folds and trials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from medcls.evaluation.answers import Answer, questions
from medcls.evaluation.best_answers import best_trial, compare_each, deciding_score
from medcls.execution.options import Options
from medcls.execution.planning.pretrained import with_pretrained
from medcls.execution.planning.sources import Conditions, data_name, with_sources
from medcls.execution.planning.weights import inherited, with_weights
from medcls.spec.overrides import set_text
from medcls.spec.parameters import check_limits, checked, function_of, given_to
from medcls.spec.search_space import Search
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.utils.errors import BadInputError

SMOKE_TRIALS, SMOKE_FOLDS, SMOKE_SEEDS = 2, 2, 1
EXPLAIN = "explain"  # what the paths of `Study.explain` begin with


def apply_options(study: Study, options: Options) -> Study:
    """Return the study with the data, settings, variants, seeds, folds and trials that the options ask for.

    Raises:
        BadInputError: an option that does not fit the study, or a value that nothing can be trained with.
    """
    study = _with_variants(study, options.only)
    study = replace(study, answers=study.answers or _default_answers(study))
    study, conditions = with_sources(study, options.data)
    if options.smoke:
        conditions = _with_settings(conditions, _smoke_settings(study, conditions))
    explain = _with_explain_settings(study, options)
    settings = _settings_of_variants(study, options)
    conditions = _with_settings(conditions, settings)
    conditions, weights = with_pretrained(conditions, options.weights, options.work_dir, few=options.smoke)
    conditions = with_weights(conditions, weights, options.work_dir)
    if study.search is not None:
        _check_force(options)
        inherit = inherited(study.search, conditions[0][1], settings, options.work_dir)
        conditions = _with_settings(conditions, inherit)
        settings = {**settings, **inherit}
    variants: dict[str, Variant] = {}
    for name, variant in conditions:
        variant.check()
        variants.setdefault(name, variant)
    search = None
    if study.search is not None:
        search = _with_trials(study.search.within(conditions[0][1], settings), options)
        _check_space(search, conditions[0][1])
    seeds = _seeds(study, options)
    _check_until_decided(study, len(seeds), options.until_decided)
    return replace(
        study,
        variants=variants,
        data=_replaced_data(study, conditions),
        search=search,
        folds=_folds(study, options),
        seeds=seeds,
        explain=explain,
    )


def _default_answers(study: Study) -> tuple[Answer, ...]:
    """Return what a study that declares no answers is asked: its best trial, or each variant against the first."""
    if study.search is not None:
        return (best_trial(study.search.metric, study.question),)
    first, *others = study.variants
    return (compare_each(first, others, deciding_score(study.metric)),) if others else ()


def _smoke_settings(study: Study, conditions: Conditions) -> dict[str, str]:
    """Return what --smoke sets in the variants, as far as any of them has the parameter."""
    paths: set[str] = set()
    for _, variant in conditions:
        paths.update(variant.parameters())
    return {path: str(value) for path, value in study.smoke.items() if path in paths}


def _with_trials(search: Search, options: Options) -> Search:
    if options.trials is not None:
        return replace(search, trials=options.trials)
    return replace(search, trials=SMOKE_TRIALS) if options.smoke else search


def _folds(study: Study, options: Options) -> int | None:
    if options.folds is not None:
        return options.folds
    if options.smoke and study.folds is not None:
        return min(study.folds, SMOKE_FOLDS)
    return study.folds


def _seeds(study: Study, options: Options) -> tuple[int, ...]:
    if options.seeds is not None:
        return options.seeds
    return study.seeds[:SMOKE_SEEDS] if options.smoke else study.seeds


def _replaced_data(study: Study, conditions: Conditions) -> tuple[Callable[..., object], ...]:
    """Return the study's own data sets with the values that the options have changed in the variants' data."""
    replaced = []
    for place, data in enumerate(study.data):
        changed = conditions[place * len(study.variants)][1].data
        declared = {"source", *given_to(data)}
        keywords = {name: value for name, value in given_to(changed).items() if name in declared}
        replaced.append(partial(function_of(changed), **keywords))
    return tuple(replaced)


def options_for(study: Study, studies: Sequence[Study], options: Options) -> Options:
    """Return the options for one of several studies, without the data sets that only the others have."""
    own: set[str] = set()
    others: set[str] = set()
    for other in studies:
        names = own if other.name == study.name else others
        names.update(data_name(variant) for _, variant in other.conditions)
    data = {name: source for name, source in options.data.items() if name in own or name not in others}
    return replace(options, data=data)


def _with_variants(study: Study, texts: tuple[str, ...]) -> Study:
    """Return the study with the variants that --only names; () stands for all."""
    if not texts:
        return study
    names: set[str] = set()
    for text in texts:
        names.update(_variant_names(text, study))
    return replace(study, variants={name: variant for name, variant in study.variants.items() if name in names})


def _variant_names(text: str, study: Study) -> Iterator[str]:
    """Yield the names of variants that a text lists, separated by commas; a name may have commas of its own.

    Raises:
        BadInputError: the study has no such variant.
    """
    parts = text.split(",")
    while parts:
        for end in range(len(parts), 0, -1):  # the longest name first
            name = ",".join(parts[:end]).strip()
            if name in study.variants:
                break
        else:
            raise BadInputError(f"--only {parts[0].strip()}: the variants of this study are {study.variant_names}.")
        yield name
        parts = parts[end:]


def _with_settings(conditions: Conditions, settings: Mapping[str, str]) -> Conditions:
    """Return the variants with the settings put into those that have the parameter.

    Raises:
        BadInputError: a parameter that no variant has, or a value that does not fit it.
    """
    for path in sorted(settings):  # an owner ("learner.schedule") comes before what it owns
        if not any(path in variant.parameters() for _, variant in conditions):
            conditions[0][1].set_text(path, settings[path])  # raises the error that names the nearest parameters
        changed = []
        for name, variant in conditions:
            takes = path in variant.parameters()
            changed.append((name, variant.set_text(path, settings[path]) if takes else variant))
        conditions = changed
    return conditions


def _is_of_explain(path: str) -> bool:
    return path.partition(".")[0] == EXPLAIN


def _settings_of_variants(study: Study, options: Options) -> Mapping[str, str]:
    """Return the settings that concern the variants, which are all if the study explains nothing."""
    if study.explain is None:
        return options.settings
    return {path: text for path, text in options.settings.items() if not _is_of_explain(path)}


def _with_explain_settings(study: Study, options: Options) -> Callable[..., object] | None:
    """Return the function that every trained network is asked, changed by --smoke and --set; None for none."""
    if study.explain is None:
        return None
    settings: list[tuple[str, str]] = []
    if options.smoke:
        settings += [(path, str(value)) for path, value in study.smoke.items() if _is_of_explain(path)]
    settings += [(path, text) for path, text in options.settings.items() if _is_of_explain(path)]
    node = checked(EXPLAIN, study.explain)
    for path, text in settings:
        node = set_text(EXPLAIN, node, path, text)
    check_limits(EXPLAIN, node)
    return node


def _check_until_decided(study: Study, seeds: int, most: int | None) -> None:
    if most is None:
        return
    if study.search is not None or not questions(study.answers):
        raise BadInputError(f"--until-decided {most}: {study.name} compares no two variants, so nothing is decided.")
    if most <= seeds:
        raise BadInputError(f"--until-decided {most}: the study begins with {seeds} seeds; give a larger number.")


def _check_force(options: Options) -> None:
    if options.force and options.storage is not None:
        raise BadInputError(
            "--force would also delete the trials of other commands that share this search: leave it out, or first "
            "delete the search with `optuna delete-study` (`optuna studies --storage URL` lists the searches)."
        )


def _check_space(search: Search, base: Variant) -> None:
    for path, axis in search.space.items():
        if path.split(".")[0] == "data":
            raise BadInputError(f"{path} cannot be searched over: all trials must use the same images.")
        if path not in base.parameters():
            continue  # it belongs to a function that another axis chooses
        for value in (axis.low, axis.high) if axis.choices is None else axis.choices.values():
            base.with_(path, value).check()
