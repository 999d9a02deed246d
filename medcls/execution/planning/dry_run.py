"""What --plan prints: the runs of a command, what they share, and how long they may take."""

from collections import Counter
from collections.abc import Mapping, Sequence

from medcls.execution.planning import pace
from medcls.execution.planning.estimate import PlannedRun, estimate, unproposed_runs
from medcls.execution.planning.plan import StudyPlan
from medcls.spec.run import Run
from medcls.tracking.work_dir import Progress, with_planned_sharing
from medcls.utils.console import Screen


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
    screen.say(f"Estimated time on one worker: {estimate(plans, planned)}.")
    workers = min(pace.side_by_side(plan) for plan in plans)
    missing = sum(run.is_missing for run in planned) + sum(unproposed_runs(plan) for plan in plans if plan.study.search)
    if workers > 1 and missing > 1 and plans[0].options.executor == "local":
        screen.say(f"This machine trains {workers} such runs at a time, and divides that time by up to {workers}.")


def _print_study(plan: StudyPlan, planned: Sequence[PlannedRun], screen: Screen) -> None:
    study = plan.study
    rows = [[plan.sources.called(run.run), run.state.progress, run.epochs, run.run.key] for run in planned]
    if rows:
        screen.table(f"{study.name}: planned runs", ["run", "state", "epochs", "key"], rows)
    counts = Counter(str(run.state.progress) for run in planned)
    if study.search is not None:
        proposed = f"{len(plan.trials())} of {study.search.trials} trials proposed"
        screen.say(f"Search: {proposed}, with {len(plan.repeats)} runs each, then one refit.")
        counts["not yet proposed"] = unproposed_runs(plan)
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
