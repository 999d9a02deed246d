"""What a command would do, without doing it: its runs, what they share, how long they may take."""

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
"""A study, a data set and a variant: epochs of one kind take about the same time."""
Network = tuple[str, str]
"""A learner and its model, by their names: those of one network may take about the same time."""
Key = TypeVar("Key", Kind, Network)


@dataclass(frozen=True)
class Planned:
    """A run of a programme and what there will be of it when its turn comes."""

    programme: StudyPlan
    run: Run
    state: RunState

    @property
    def kind(self) -> Kind:
        """Whose epochs take about as long as this run's."""
        return self.programme.study.name, self.run.data_name, self.run.variant_name

    @property
    def network(self) -> Network:
        """Whose epochs take about as long as this run's where none of its kind has been trained."""
        learner = self.run.variant.learner
        model = arguments_of(learner).get("model")
        return name_of(learner), name_of(model) if is_node(model) else ""

    def seconds(self) -> list[float]:
        """Return what its epochs have taken so far, or those of the run that it goes on from."""
        folder = (
            self.programme.work.folder(self.run) if self.state.shared_from is None else RunDir(self.state.shared_from)
        )
        return [row.seconds for row in folder.rows()]

    @property
    def missing(self) -> int:
        """The epochs that are to be trained."""
        return (self.run.epochs or 0) - self.state.epochs

    @property
    def epochs(self) -> str:
        """How many of how many epochs there are; of a learner that has none, "none"."""
        return f"{self.state.epochs}/{self.run.epochs}" if self.run.epochs else "none"


def print_plan(programmes: Sequence[StudyPlan], screen: Screen) -> None:
    """Print the runs of some studies, planned together."""
    known = [(programme, run) for programme in programmes for run in programme.known_runs()]
    states = [programme.work.state(run) for programme, run in known]
    planned = [
        Planned(programme, run, state)
        for (programme, run), state in zip(known, with_planned_sharing([run for _, run in known], states), strict=True)
    ]
    for programme in programmes:
        _show_runs(programme, [each for each in planned if each.programme is programme], screen)
    if len(programmes) > 1:
        screen.say(f"All {len(programmes)} studies: {_counted(Counter(str(each.state.progress) for each in planned))}")
    shared = sum(each.state.epochs for each in planned if each.state.progress == Progress.SHARED)
    if shared:
        asked = sum(each.run.epochs for each in planned)
        screen.say(f"{shared} of {asked} epochs are shared with other runs and need no training.")
    screen.say(f"Estimated time on one worker: {_estimate(programmes, planned)}.")


def _show_runs(programme: StudyPlan, planned: Sequence[Planned], screen: Screen) -> None:
    study, counts = programme.study, Counter(str(each.state.progress) for each in planned)
    rows = [[programme.sources.called(each.run), each.state.progress, each.epochs, each.run.key] for each in planned]
    if rows:
        screen.table(f"{study.name}: planned runs", ["run", "state", "epochs", "key"], rows)
    if study.search is not None:
        trials, each = len(programme.trials()), len(programme.repeats)
        screen.say(f"Search: {trials} of {study.search.trials} trials proposed, {each} runs each, then one refit.")
        counts["to be proposed"] = _to_come(programme)
    screen.say(_counted(counts))
    if len(programme.looks) > 1:
        counted = ", ".join(map(str, programme.looks[1:]))
        screen.say(f"Until its first comparison is decided, it is run again with {counted} seeds in all.")


def _counted(counts: Mapping[str, int]) -> str:
    words = {str(Progress.SHARED): "sharing epochs"}
    return ", ".join(f"{count} {words.get(word, word)}" for word, count in counts.items() if count) + "."


def _to_come(programme: StudyPlan) -> int:
    """Return how many runs of a search are not known yet, its refit included."""
    trials = max(0, programme.search.trials - len(programme.trials()))
    return trials * len(programme.repeats) + (1 if trials or not programme.refits() else 0)


def _estimate(programmes: Sequence[StudyPlan], planned: Sequence[Planned]) -> str:
    """Return the time that the epochs to come may take, from the journals of epochs trained before."""
    seconds = [(each, each.seconds()) for each in planned]
    by_kind = _medians((each.kind, taken) for each, taken in seconds)
    by_network = _medians((each.network, taken) for each, taken in seconds)
    if not by_kind:
        return "unknown (nothing of this has been trained yet)"
    waiting = [each for each in planned if each.state.progress != Progress.FINISHED and each.missing]
    told = [(each.missing, by_kind.get(each.kind, by_network.get(each.network))) for each in waiting]
    left = sum(missing * epoch for missing, epoch in told if epoch is not None)
    begun = [each.state.epochs for each in planned if each.state.has_own_epochs and each.state.epochs]
    searches = [programme for programme in programmes if programme.study.search is not None]
    if begun:
        left += sum(_to_come(programme) for programme in searches) * median(begun) * median(by_kind.values())
    untold = sum(epoch is None for _, epoch in told)
    beside = f", and {untold} {'run' if untold == 1 else 'runs'} of networks that have not been trained yet"
    return duration(left) + (beside if untold else "")


def _medians(seconds: Iterable[tuple[Key, Sequence[float]]]) -> dict[Key, float]:
    """Return the median of what epochs took, kind by kind, of those with any epochs."""
    collected: dict[Key, list[float]] = {}
    for key, taken in seconds:
        collected.setdefault(key, []).extend(taken)
    return {key: median(values) for key, values in collected.items() if values}
