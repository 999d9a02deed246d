"""What --plan prints: the runs of a command, what they share, and how long they may take."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from medcls.execution.planning.plan import StudyPlan
from medcls.spec.parameters import arguments_of, is_node, name_of
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.tracking.work_dir import Progress, RunState, with_planned_sharing
from medcls.utils.console import Screen, duration

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


def print_plan(plans: Sequence[StudyPlan], screen: Screen) -> None:
    """Print the runs of studies that are planned together, with an estimate of the time."""
    runs: list[tuple[StudyPlan, Run]] = []
    for plan in plans:
        runs += [(plan, run) for run in plan.known_runs()]
    states = [plan.work.state(run) for plan, run in runs]
    planned: list[PlannedRun] = []
    for (plan, run), state in zip(runs, with_planned_sharing([run for _, run in runs], states), strict=True):
        planned.append(PlannedRun(plan, run, state))
    for plan in plans:
        _print_study(plan, [run for run in planned if run.plan is plan], screen)
    if len(plans) > 1:
        screen.say(f"All {len(plans)} studies: {_counted(Counter(str(run.state.progress) for run in planned))}")
    shared = sum(run.state.epochs for run in planned if run.state.progress == Progress.SHARED)
    if shared:
        total = sum(run.run.epochs for run in planned)
        screen.say(f"{shared} of {total} epochs are shared with other runs and need no training.")
    screen.say(f"Estimated time on one worker: {_estimate(plans, planned)}.")


def _print_study(plan: StudyPlan, planned: Sequence[PlannedRun], screen: Screen) -> None:
    study = plan.study
    rows = [[plan.sources.called(run.run), run.state.progress, run.epochs, run.run.key] for run in planned]
    if rows:
        screen.table(f"{study.name}: planned runs", ["run", "state", "epochs", "key"], rows)
    counts = Counter(str(run.state.progress) for run in planned)
    if study.search is not None:
        proposed = f"{len(plan.trials())} of {study.search.trials} trials proposed"
        screen.say(f"Search: {proposed}, with {len(plan.repeats)} runs each, then one refit.")
        counts["not yet proposed"] = _unproposed_runs(plan)
    screen.say(_counted(counts))
    if len(plan.looks) > 1:
        numbers = ", ".join(map(str, plan.looks[1:]))
        screen.say(f"Until its first comparison is decided, the study continues with {numbers} seeds in total.")


def _counted(counts: Mapping[str, int]) -> str:
    """Return the numbers of runs in each state, such as "4 new, 2 sharing epochs."."""
    words = {str(Progress.SHARED): "sharing epochs"}
    phrases = []
    for state, count in counts.items():
        if count:
            phrases.append(f"{count} {words.get(state, state)}")
    return f"{', '.join(phrases)}."


def _unproposed_runs(plan: StudyPlan) -> int:
    """Return the number of runs of a search that are not known yet, its refit included."""
    trials = max(0, plan.search.trials - len(plan.trials()))
    refits = 1 if trials or not plan.refits() else 0
    return trials * len(plan.repeats) + refits


def _estimate(plans: Sequence[StudyPlan], planned: Sequence[PlannedRun]) -> str:
    """Return the time that the missing epochs may take, judged by the journals of epochs that have been trained."""
    durations = [(run, run.seconds()) for run in planned]
    by_kind = _medians((run.kind, seconds) for run, seconds in durations)
    by_network = _medians((run.network, seconds) for run, seconds in durations)
    if not by_kind:
        return "unknown (no comparable run has been trained yet)"
    total, unknown = 0.0, 0
    for run in planned:
        if run.state.progress == Progress.FINISHED or not run.missing:
            continue
        epoch = by_kind.get(run.kind, by_network.get(run.network))
        if epoch is None:
            unknown += 1
        else:
            total += run.missing * epoch
    total += _estimate_of_searches(plans, planned, median(by_kind.values()))
    if not unknown:
        return duration(total)
    runs = "run" if unknown == 1 else "runs"
    return f"{duration(total)}, plus {unknown} {runs} of networks that have not been trained yet"


def _estimate_of_searches(plans: Sequence[StudyPlan], planned: Sequence[PlannedRun], epoch: float) -> float:
    """Return the seconds that runs of trials may take which are not proposed yet.

    Args:
        plans: the plans of all studies.
        planned: all runs that are known; those begun tell how many epochs a run has.
        epoch: the seconds that an epoch takes.
    """
    epochs = [run.state.epochs for run in planned if run.state.has_own_epochs and run.state.epochs]
    if not epochs:
        return 0.0
    runs = sum(_unproposed_runs(plan) for plan in plans if plan.study.search is not None)
    return runs * median(epochs) * epoch


def _medians(durations: Iterable[tuple[Key, Sequence[float]]]) -> dict[Key, float]:
    """Return the median seconds of an epoch for each key that has any epochs."""
    collected: dict[Key, list[float]] = {}
    for key, seconds in durations:
        collected.setdefault(key, []).extend(seconds)
    return {key: median(seconds) for key, seconds in collected.items() if seconds}
