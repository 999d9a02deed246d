"""How long the runs of a plan may take: by epochs that have been trained, else by the sizes of networks and images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from medcls.execution.planning import pace
from medcls.execution.planning.plan import StudyPlan
from medcls.spec.parameters import arguments_of, is_node, name_of
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.tracking.work_dir import Progress, RunState
from medcls.utils.console import duration

Kind = tuple[str, str, str]
"""The names of a study, a data set and a variant, whose epochs all take about the same time."""
Network = tuple[str, str]
"""The names of a learner and its model, whose epochs may all take about the same time."""
Key = TypeVar("Key", Kind, Network)


@dataclass(frozen=True)
class PlannedRun:
    """A run, and what will exist of it when its turn comes."""

    plan: StudyPlan
    run: Run
    state: RunState

    @property
    def kind(self) -> Kind:
        """The runs whose epochs take about as long as those of this run."""
        return self.plan.study.name, self.run.data_name, self.run.variant_name

    @property
    def network(self) -> Network:
        """The runs whose epochs tell how long those of this run take, if none of its kind has been trained."""
        learner = self.run.variant.learner
        model = arguments_of(learner).get("model")
        return name_of(learner), name_of(model) if is_node(model) else ""

    def seconds(self) -> list[float]:
        """Return the seconds that each epoch has taken: of this run, or of the run that it shares epochs with."""
        donor = self.state.shared_from
        run_dir = self.plan.work.folder(self.run) if donor is None else RunDir(donor)
        return [row.seconds for row in run_dir.rows()]

    @property
    def missing(self) -> int:
        """The number of epochs that are still to be trained."""
        return (self.run.epochs or 0) - self.state.epochs

    @property
    def epochs(self) -> str:
        """Existing epochs of all epochs, such as 3/10; "none" for a learner without epochs."""
        return f"{self.state.epochs}/{self.run.epochs}" if self.run.epochs else "none"

    def epoch_work(self) -> float | None:
        """Return the work of one of its epochs, None where its network cannot be counted."""
        return pace.epoch_work(self.plan, self.run.variant, is_fold=self.run.fold is not None)

    @property
    def is_missing(self) -> bool:
        """Whether it has epochs that are still to be trained."""
        return self.state.progress != Progress.FINISHED and self.missing > 0


def unproposed_runs(plan: StudyPlan) -> int:
    """Return the number of runs of a search that are not known yet, its refit included."""
    trials = max(0, plan.search.trials - len(plan.trials()))
    refits = 1 if trials or not plan.refits() else 0
    return trials * len(plan.repeats) + refits


def estimate(plans: Sequence[StudyPlan], planned: Sequence[PlannedRun]) -> str:
    """Return the time that the missing epochs may take, in words.

    Args:
        plans: the plans of all studies.
        planned: all runs that are known.
    """
    durations = [(run, run.seconds()) for run in planned]
    by_kind = _medians((run.kind, seconds) for run, seconds in durations)
    by_network = _medians((run.network, seconds) for run, seconds in durations)
    rate = pace.rate(_observed(planned, by_kind))
    total, unknown, is_rough = 0.0, 0, not by_kind
    compiled: set[Kind] = set()
    for run in planned:
        if not run.is_missing:
            continue
        epoch = by_kind.get(run.kind, by_network.get(run.network))
        work = None if epoch is not None else run.epoch_work()
        if epoch is not None:
            total += run.missing * epoch
        elif work is not None:
            start = pace.FOLLOWING if run.kind in compiled else pace.COMPILED
            total += (start + run.missing * work) / rate
            compiled.add(run.kind)
            is_rough = True
        else:
            unknown += 1
    known_epoch = median(by_kind.values()) if by_kind else None
    for plan in plans:
        searched = _estimate_of_search(plan, planned, known_epoch, rate)
        if searched is None:
            unknown += unproposed_runs(plan)
        else:
            total += searched
    return _words(total, unknown, is_rough=is_rough)


def _words(seconds: float, unknown: int, *, is_rough: bool) -> str:
    """Return a time in words.

    Args:
        seconds: of the runs that could be estimated.
        unknown: how many runs could not.
        is_rough: whether nothing comparable to some runs has been trained.
    """
    if not seconds and unknown:
        return "unknown (no comparable run has been trained yet)"
    runs = "run" if unknown == 1 else "runs"
    beside = f", plus {unknown} {runs} of networks that have not been trained yet" if unknown else ""
    if not is_rough or not seconds:
        return f"{duration(seconds)}{beside}"
    judged = "judged by the sizes of networks and images; what their epochs take here is unknown until some are trained"
    return f"about {duration(seconds)}{beside} ({judged})"


def _observed(planned: Sequence[PlannedRun], by_kind: Mapping[Kind, float]) -> list[float]:
    """Return the work that each kind of runs has done in a second, where both are known."""
    observed: dict[Kind, float] = {}
    for run in planned:
        if run.kind in by_kind and run.kind not in observed:
            work = run.epoch_work()
            if work is not None and by_kind[run.kind] > 0:
                observed[run.kind] = work / by_kind[run.kind]
    return list(observed.values())


def _estimate_of_search(
    plan: StudyPlan, planned: Sequence[PlannedRun], epoch: float | None, rate: float
) -> float | None:
    """Return the seconds that runs of trials may take which are not proposed yet; None where that cannot be told.

    Args:
        plan: of a study, which may have no search.
        planned: all runs that are known; those begun tell how many epochs a run has.
        epoch: the seconds that an epoch takes, None where none was trained yet.
        rate: the work that this machine does in a second.
    """
    if plan.study.search is None:
        return 0.0
    begun = [run.state.epochs for run in planned if run.state.has_own_epochs and run.state.epochs]
    if begun and epoch is not None:
        return unproposed_runs(plan) * median(begun) * epoch
    ((_, base),) = plan.study.conditions
    work = pace.epoch_work(plan, base, is_fold=True)
    if work is None:
        return None
    epochs = int(arguments_of(base.learner).get("epochs") or 0)
    runs = unproposed_runs(plan)
    # The runs of a trial have one network; the refit is compiled once more.
    programs = min(runs, max(0, plan.search.trials - len(plan.trials())) + 1)
    starts = programs * pace.COMPILED + (runs - programs) * pace.FOLLOWING
    return (starts + runs * epochs * work) / rate


def _medians(durations: Iterable[tuple[Key, Sequence[float]]]) -> dict[Key, float]:
    """Return the median seconds of an epoch for each key that has any epochs."""
    collected: dict[Key, list[float]] = {}
    for key, seconds in durations:
        collected.setdefault(key, []).extend(seconds)
    return {key: median(seconds) for key, seconds in collected.items() if seconds}
