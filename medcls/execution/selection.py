"""What a study ends with, data set by data set: the best variant, its refit, and what the held-out part says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medcls.data.loading.decoded_cache import open_decoded
from medcls.evaluation import intervals
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
        scores: metric -> one value a fold or seed, in their order.
        test: metric -> {"value", "ci95"} of that run on the held-out part, None where there is none.
        ensemble: the same for the mean of the folds' or seeds' predictions.
        tested: metric -> one value a fold or seed on the held-out part, in their order.
    """

    run: Run
    metric: str
    scores: Mapping[str, Sequence[float]]
    test: Mapping[str, Any] | None = None
    ensemble: Mapping[str, Any] | None = None
    tested: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def mean_sd(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over the folds or seeds, by metric."""
        return {name: intervals.mean_sd(values) for name, values in self.scores.items()}

    @property
    def value(self) -> float:
        """The mean of the metric that decides."""
        return self.mean_sd[self.metric][0]


def select_best(
    programme: StudyPlan, driver: RunController, source: DataSource, groups: Mapping[str, Sequence[EndedRun]]
) -> BestModel | None:
    """Choose the best of the finished groups of runs, refit it under cross-validation, score the held-out part once.

    Without folds the held-out part is the data set's test part, if it has one, and nothing is refitted.
    """
    metric = programme.search.metric if programme.study.search else programme.study.metric
    whole = {name: each for name, each in groups.items() if all(one.result.is_finished for one in each)}
    if not whole:
        return None
    name = max(whole, key=lambda name: intervals.mean_sd([one.result.metrics[metric] for one in whole[name]])[0])
    records = whole[name]
    names = [each for each in records[0].result.metrics if all(each in one.result.metrics for one in records)]
    scores = {each: [one.result.metrics[each] for one in records] for each in names}
    parents = {one.run: one.parent for one in records}
    if programme.study.folds is not None:
        first = records[0].run
        best = programme.run(first.variant, first.variant_name, first.seed, None)
        driver.screen.say(f"Refitting {name} on the full training set; evaluating once on the held-out test set.")
    else:
        best = max(records, key=lambda one: one.result.metrics[metric]).run
        if "test" not in programme.parts[source.name]:
            return BestModel(best, metric, scores)
        driver.screen.say(f"Evaluating {name} once on the test set of {source.name}.")
    agenda = FixedScheduler(list(dict.fromkeys([best, *parents])))
    loop.run_until_done(
        [ScheduledStudy(driver, agenda, lambda run: parents.get(run, driver.mirroring.study), test=True)]
    )
    tested, together = _tested(driver, source, [best]), _tested(driver, source, list(parents))
    return BestModel(best, metric, scores, tested, together, _each_tested(driver, source, list(parents)))


def _each_tested(driver: RunController, source: DataSource, runs: Sequence[Run]) -> dict[str, list[float]]:
    """Score each of some runs on the held-out part, without intervals: those that all of them have."""
    assert source.decoded is not None
    data, each = open_decoded(source.decoded), []
    for run in runs:
        predicted = driver.work.folder(run).read_arrays("test")
        if predicted is None:
            return {}
        each.append(scoring.scores(run.variant.task, data, predicted["rows"], predicted["predictions"]))
    names = [name for name in each[0] if all(name in scores for scores in each)]
    return {name: [scores[name] for scores in each] for name in names}


def _tested(driver: RunController, source: DataSource, runs: Sequence[Run]) -> Mapping[str, Any] | None:
    """Score the mean prediction of some runs on the held-out part, with 95% bootstrap intervals."""
    predicted = [driver.work.folder(run).read_arrays("test") for run in runs]
    whole = [each for each in predicted if each is not None]
    if len(whole) < len(runs) or not whole:
        return None
    assert source.decoded is not None
    data, rows = open_decoded(source.decoded), whole[0]["rows"]
    mean = intervals.ensemble([each["predictions"] for each in whole])
    return scoring.tested(runs[0].variant.task, data, rows, mean)
