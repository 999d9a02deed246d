"""What a command would do, without doing it: its runs, what they share, how long they may take."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from medcls.plan import CONTINUE, FINISHED, SHARED, State, with_planned_sharing
from medcls.programme import Programme
from medcls.screen import Screen, duration
from medcls.spec import Run

Kind = tuple[str, str, str]
"""A study, a data set and a variant: epochs of one kind take about the same time."""


@dataclass(frozen=True)
class Planned:
    """A run of a programme and what there will be of it when its turn comes."""

    programme: Programme
    run: Run
    state: State

    @property
    def kind(self) -> Kind:
        """Whose epochs take about as long as this run's."""
        return self.programme.study.name, self.run.data_name, self.run.variant_name

    @property
    def epochs(self) -> str:
        """How many of how many epochs there are; of a learner that has none, "none"."""
        return f"{self.state.epochs}/{self.run.epochs}" if self.run.epochs else "none"


def show(programmes: Sequence[Programme], screen: Screen) -> None:
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
        screen.say(f"All {len(programmes)} studies: {_counted(Counter(each.state.word for each in planned))}")
    shared = sum(each.state.epochs for each in planned if each.state.word == SHARED)
    if shared:
        asked = sum(each.run.epochs for each in planned)
        screen.say(f"{shared} of {asked} epochs are shared with other runs and need no training.")
    screen.say(f"Estimated time on one worker: {_estimate(programmes, planned)}.")


def _show_runs(programme: Programme, planned: Sequence[Planned], screen: Screen) -> None:
    study, counts = programme.study, Counter(each.state.word for each in planned)
    rows = [[programme.sources.called(each.run), each.state.word, each.epochs, each.run.key] for each in planned]
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
    words = {SHARED: "sharing epochs"}
    return ", ".join(f"{count} {words.get(word, word)}" for word, count in counts.items() if count) + "."


def _to_come(programme: Programme) -> int:
    """Return how many runs of a search are not known yet, its refit included."""
    trials = max(0, programme.search.trials - len(programme.trials()))
    return trials * len(programme.repeats) + (1 if trials or not programme.refits() else 0)


def _estimate(programmes: Sequence[Programme], planned: Sequence[Planned]) -> str:
    """Return the time that the epochs to come may take, from the journals of epochs trained before."""
    seconds: dict[Kind, list[float]] = {}
    for each in planned:
        rows = each.programme.work.folder(each.run).rows()
        seconds.setdefault(each.kind, []).extend(row["seconds"] for row in rows)
    known = {kind: median(values) for kind, values in seconds.items() if values}
    if not known:
        return "unknown (nothing of this has been trained yet)"
    usual = median(known.values())
    waiting = [each for each in planned if each.state.word != FINISHED]
    left = sum((each.run.epochs - each.state.epochs) * known.get(each.kind, usual) for each in waiting)
    begun = [each.state.epochs for each in planned if each.state.word in (FINISHED, CONTINUE) and each.state.epochs]
    searches = [programme for programme in programmes if programme.study.search is not None]
    if begun:
        left += sum(_to_come(programme) for programme in searches) * median(begun) * usual
    return duration(left)
