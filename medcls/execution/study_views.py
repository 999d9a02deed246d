"""The saved views of a study in MLflow: its variants, its trials, its best run, and the same cases side by side."""

from medcls.execution import entry_names
from medcls.execution.entry_tags import BEST, DATA, LEVEL, REFIT, STUDY_RUN, VARIANT, VERDICT
from medcls.execution.planning.plan import StudyPlan
from medcls.report.case_images import ERRORS, OUTLINES, PREDICTION, SALIENCY
from medcls.tracking.run_table import RANK, shown
from medcls.tracking.saved_views import Views
from medcls.tracking.view_state import Chart, View, metric_column, param_column, tag_column

MOST_PARAMETERS = 12  # columns of parameters in a table
MOST_AXES = 7  # parameters in parallel coordinates
CURVES, SCORES, EVERY, RECALL = "Learning curves", "Scores", "Every seed or fold", "Recall by class"
SEARCHED, BY_PARAMETER = "What was tried", "Scores by parameter"
MISTAKES, CASES = "The most certain errors", "The same cases, image by image"
VERDICT_OF_VARIANT, VERDICT_OF_TRIAL = 370, 160  # pixels of the column: a comparison with its interval, a few words
NUMBER, SCORE = 60, 90  # pixels of columns of whole numbers and of scores


def views_of(plan: StudyPlan, study_run: str, *, ended: bool) -> Views:
    """Return the views of a study, the one to open first.

    Args:
        plan: of the study.
        study_run: the tag that all entries of this study run share.
        ended: whether the study has ended, so that its best run is known.
    """
    query = f"tags.`{STUDY_RUN}` = '{study_run}'"
    views = [_variants(plan, query), _best(plan, query, ended=ended)]
    if plan.study.search is not None:
        views.insert(0, _trials(plan, query))
    if any(source.bundle.size for source in plan.sources.by_name.values()):
        views.append(_cases(plan, query))
    kinds = {source.bundle.kind for source in plan.sources.by_name.values()}
    outcome = ", ".join(plan.sources.by_name)
    if "phantom" in kinds:
        outcome += " (phantom)"
    if plan.options.smoke:
        outcome += ", smoke"
    rank = 2 * (not plan.options.smoke) + ("phantom" not in kinds)
    return Views(outcome, rank, tuple(views), plan.study.question)


def _variants(plan: StudyPlan, query: str) -> View:
    """Return the view of the variants, each with its seeds or folds below it."""
    metric = _metric(plan)
    parameters = _differing(plan)
    charts = [
        Chart("LINE", CURVES, (f"curve/val_{metric}", f"curve_low/val_{metric}", f"curve_high/val_{metric}")),
        Chart("LINE", CURVES, ("curve/val_loss",)),
        Chart("LINE", CURVES, ("curve/loss",)),
        Chart("BAR", SCORES, (f"mean/{metric}",)),
        Chart("BAR", SCORES, (f"sd/{metric}",)),
        Chart("BAR", SCORES, ("mean/gap",)),
        Chart("LINE", EVERY, (f"val_{metric}",)),
        Chart("LINE", EVERY, ("val_loss",)),
        Chart("LINE", EVERY, ("loss",)),
    ]
    return View(
        kind="variants",
        name="Variants",
        query=f"{query} and tags.`{REFIT}` = 'False'",
        order_by=metric_column(RANK),
        columns=(
            *_scores(metric),
            metric_column(shown(metric)),
            *(param_column(path) for path in parameters),
            *_interval(metric),
            metric_column("mean/gap"),
        ),
        charts=tuple(charts),
        group_by=(DATA, VARIANT) if len(plan.sources.by_name) > 1 else (VARIANT,),
        widths=_widths(metric, VERDICT_OF_VARIANT),
    )


def _trials(plan: StudyPlan, query: str) -> View:
    """Return the view of a search's trials, the best first; the pruned ones come last."""
    metric, paths = _metric(plan), list(plan.search.space)
    charts = [Chart("PARALLEL", SEARCHED, (f"mean/{metric}",), tuple(paths[:MOST_AXES]))]
    charts.append(Chart("BAR", BY_PARAMETER, (RANK,)))
    for path in paths[:MOST_PARAMETERS]:
        charts.append(Chart("SCATTER", BY_PARAMETER, (f"mean/{metric}",), (path,)))
    charts.append(Chart("LINE", CURVES, (f"curve/val_{metric}",)))
    charts.append(Chart("LINE", CURVES, ("curve/val_loss",)))
    return View(
        kind="trials",
        name="Trials, best first",
        query=f"{query} and tags.`{LEVEL}` = 'trial'",
        order_by=metric_column(RANK),
        columns=(
            *_scores(metric),
            *(param_column(path) for path in paths[:MOST_PARAMETERS]),
            *_interval(metric),
        ),
        charts=tuple(charts),
        widths=_widths(metric, VERDICT_OF_TRIAL),
    )


def _best(plan: StudyPlan, query: str, *, ended: bool) -> View:
    """Return the view of the best variant, its seeds or folds and its refit; while the study runs, of all runs."""
    metric = _metric(plan)
    tested = [metric_column(f"test/{name}") for name in dict.fromkeys((metric, "accuracy", "dice"))]
    numbers = [metric_column("best/epoch"), metric_column("epochs"), metric_column("minutes"), tag_column(REFIT)]
    charts = [
        *_mistakes(plan),
        Chart("LINE", CURVES, (f"val_{metric}",)),
        Chart("LINE", CURVES, ("loss", "val_loss")),
        Chart("LINE", CURVES, ("accuracy", "val_accuracy")),
        Chart("BAR", SCORES, (f"test/{metric}",)),
        Chart("BAR", SCORES, (shown(metric),)),
        Chart("BAR", SCORES, ("gap",)),
    ]
    for source in plan.sources.by_name.values():
        for name in source.bundle.classes[:9]:
            charts.append(Chart("BAR", RECALL, (f"recall/{name}",)))
    return View(
        kind="best",
        name="Best run",
        query=f"{query} and tags.`{BEST}` = 'True'" if ended else f"{query} and tags.`{LEVEL}` = 'run'",
        order_by=metric_column(f"test/{metric}") if ended else metric_column(shown(metric)),
        columns=(
            *tested,
            metric_column(shown(metric)),
            metric_column("gap"),
            *numbers,
            *(param_column(path) for path in _differing(plan)),
        ),
        charts=tuple(charts),
        widths=dict.fromkeys(numbers, NUMBER),
    )


def _mistakes(plan: StudyPlan) -> list[Chart]:
    """Return the chart of the most certain errors, which classifiers of images have; with folds those of the refit."""
    has_images = any(source.bundle.size for source in plan.sources.by_name.values())
    if plan.study.conditions[0][1].task.pixels or not has_images:
        return []
    return [Chart("IMAGE", MISTAKES, (ERRORS if plan.study.folds is None else f"{ERRORS} refit",))]


def _cases(plan: StudyPlan, query: str) -> View:
    """Return the view of the same cases as each variant or trial sees them; a slider goes from case to case."""
    metric, level = _metric(plan), "variant" if plan.study.search is None else "trial"
    task = plan.study.conditions[0][1].task
    # Of several keys MLflow makes a table with a column a run; of one key, rows as wide as the names of the runs.
    keys = (OUTLINES, PREDICTION) if task.pixels else (PREDICTION, SALIENCY)
    return View(
        kind="cases",
        name="Cases side by side",
        query=f"{query} and tags.`{LEVEL}` = '{level}'",
        order_by=metric_column(RANK),
        columns=(*_scores(metric), *_interval(metric)),
        charts=(Chart("IMAGE", CASES, keys),),
        widths=_widths(metric, VERDICT_OF_VARIANT if level == "variant" else VERDICT_OF_TRIAL),
    )


def _metric(plan: StudyPlan) -> str:
    return plan.study.metric if plan.study.search is None else plan.search.metric


def _scores(metric: str) -> tuple[str, ...]:
    """Return the columns that answer which variant is best and by how much: they are visible without scrolling."""
    mean, sd = metric_column(f"mean/{metric}"), metric_column(f"sd/{metric}")
    return (mean, tag_column(VERDICT), metric_column("n"), sd)


def _interval(metric: str) -> tuple[str, str]:
    """Return the columns of the interval of a variant's mean."""
    return metric_column(f"ci_low/{metric}"), metric_column(f"ci_high/{metric}")


def _widths(metric: str, verdict: int) -> dict[str, int]:
    """Return how wide the columns of `_scores` are, so that a window of 1440 pixels shows them all.

    Args:
        metric: the score that decides which variant is best.
        verdict: pixels of the column of the verdict.
    """
    mean, verdicts, number, sd = _scores(metric)
    return {mean: SCORE + 10, verdicts: verdict, number: NUMBER, sd: SCORE}


def _differing(plan: StudyPlan) -> list[str]:
    """Return the paths of the parameters in which the variants or trials of a study differ."""
    if plan.study.search is not None:
        return list(plan.search.space)[:MOST_PARAMETERS]
    paths: dict[str, None] = {}
    for _, variant in plan.study.conditions:
        paths |= dict.fromkeys(entry_names.differing(plan, variant))
    return list(paths)[:MOST_PARAMETERS]
