"""What a study ends with, data set by data set: the best variant, its refit, and its scores on the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medcls.data.loading.decoded_cache import open_decoded
from medcls.evaluation import intervals
from medcls.evaluation.summary import TestScore
from medcls.execution import loop
from medcls.execution.controller import EndedRun, RunController
from medcls.execution.loop import ScheduledStudy
from medcls.execution.planning.datasets import DataSource
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.schedulers import FixedScheduler
from medcls.spec.run import Run
from medcls.tasks import scoring


@dataclass(frozen=True)
class BestModel:
    """The best variant on one data set.

    Attributes:
        run: the refit, or without folds the variant's best run.
        metric: the score that decides.
        scores: score -> one value a fold or seed on the validation set, in their order.
        test: score -> the run's value on the test set, None where there is no test set.
        ensemble: score -> the value of the folds' or seeds' mean prediction on the test set.
        tested: score -> one value a fold or seed on the test set, in their order.
    """

    run: Run
    metric: str
    scores: Mapping[str, tuple[float, ...]]
    test: Mapping[str, TestScore] | None = None
    ensemble: Mapping[str, TestScore] | None = None
    tested: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def mean_sd(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over the folds or seeds, by metric."""
        return {name: intervals.mean_sd(values) for name, values in self.scores.items()}

    @property
    def value(self) -> float:
        """The mean of the metric that decides."""
        return self.mean_sd[self.metric][0]


def select_best(
    plan: StudyPlan, controller: RunController, source: DataSource, groups: Mapping[str, Sequence[EndedRun]]
) -> BestModel | None:
    """Choose the best of the finished groups of runs, refit it under cross-validation, score the test set once.

    Without folds the test set is the data set's own, if it has one, and nothing is refitted.

    Args:
        plan: of the study.
        controller: of its runs.
        source: the data set.
        groups: variant -> its runs on this data set.
    """
    metric = plan.search.metric if plan.study.search else plan.study.metric
    means = {}
    for variant, records in groups.items():
        if all(record.result.is_finished for record in records):
            means[variant] = intervals.mean_sd([record.result.metrics[metric] for record in records])[0]
    if not means:
        return None
    name = max(means, key=lambda variant: means[variant])
    records = groups[name]
    scores = _common_scores([record.result.metrics for record in records])
    parents = {record.run: record.parent for record in records}
    if plan.study.folds is not None:
        first = records[0].run
        best = plan.run(first.variant, first.variant_name, first.seed, None)
        controller.screen.say(f"Refitting {name} on the full training set; evaluating once on the held-out test set.")
    else:
        best = max(records, key=lambda record: record.result.metrics[metric]).run
        if "test" not in plan.parts[source.name]:
            return BestModel(best, metric, scores)
        controller.screen.say(f"Evaluating {name} once on the test set of {source.name}.")
    scheduler = FixedScheduler(list(dict.fromkeys([best, *parents])))

    def parent(run: Run) -> str:
        return parents.get(run, controller.mirroring.study)

    loop.run_until_done([ScheduledStudy(controller, scheduler, parent, test=True)])
    runs = list(parents)
    tested, ensemble = _tested(controller, source, [best]), _tested(controller, source, runs)
    return BestModel(best, metric, scores, tested, ensemble, _each_tested(controller, source, runs))


def _common_scores(repeats: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """Return the scores that all repeats have, one value a repeat."""
    common = {}
    for name in repeats[0]:
        if all(name in scores for scores in repeats):
            common[name] = tuple(scores[name] for scores in repeats)
    return common


def _each_tested(controller: RunController, source: DataSource, runs: Sequence[Run]) -> dict[str, tuple[float, ...]]:
    """Score each of some runs on the test set, without intervals; {} where a run's predictions are missing."""
    assert source.decoded is not None
    data = open_decoded(source.decoded)
    repeats = []
    for run in runs:
        predicted = controller.work.folder(run).read_arrays("test")
        if predicted is None:
            return {}
        repeats.append(scoring.scores(run.variant.task, data, predicted["rows"], predicted["predictions"]))
    return _common_scores(repeats)


def _tested(controller: RunController, source: DataSource, runs: Sequence[Run]) -> Mapping[str, TestScore] | None:
    """Score the mean prediction of some runs on the test set, with 95% bootstrap intervals."""
    predicted = []
    for run in runs:
        arrays = controller.work.folder(run).read_arrays("test")
        if arrays is None:
            return None
        predicted.append(arrays)
    if not predicted:
        return None
    assert source.decoded is not None
    data, rows = open_decoded(source.decoded), predicted[0]["rows"]
    mean = intervals.ensemble([arrays["predictions"] for arrays in predicted])
    return scoring.tested(runs[0].variant.task, data, rows, mean)
