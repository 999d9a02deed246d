"""What a study ends with on the screen: its tables, its remarks and its answers."""

from medcls.evaluation.answers import interim_look
from medcls.evaluation.metrics import SCREEN
from medcls.evaluation.summary import StudySummary
from medcls.evaluation.wording import asked
from medcls.report import tables
from medcls.report.tables import Table
from medcls.utils.console import Screen

MOST_TRIALS = 5  # that are shown


def print_summary(screen: Screen, summary: StudySummary) -> None:
    """Print the best trials or the variants, the scores on the test set, the comparisons and the answers."""
    if summary.trials is not None:
        _print_trials(screen, summary)
    else:
        _print_variants(screen, summary)
    for data, best in summary.best.items():
        _print_table(screen, tables.test_scores(data, best))
    _print_table(screen, tables.comparisons(summary, summary.comparisons))
    _print_look(screen, summary)
    for remark in summary.remarks:
        screen.say(f"Note: {remark.sentence}")
    for answer in summary.answers:
        table = tables.answer(answer)
        if table is None:
            screen.say(f"{answer.question} {answer.answer}")
        _print_table(screen, table)


def print_comparisons(screen: Screen, summary: StudySummary, metric: str | None) -> None:
    """Print the variants of a finished study and their comparisons, only those by one score if it is named.

    Args:
        screen: the terminal.
        summary: what the study ended with.
        metric: the name of a score, None for all.

    Raises:
        BadInputError: the study compares nothing by this score.
    """
    rows = tables.compared_by(summary, metric)
    screen.say(f"{summary.study}: {asked(summary)}")
    _print_variants(screen, summary)
    _print_table(screen, tables.comparisons(summary, rows))
    _print_look(screen, summary)


def _print_trials(screen: Screen, summary: StudySummary) -> None:
    """Print the best completed trials side by side: one column a trial, one row a parameter."""
    trials = tables.trials(summary)
    completed = sum(trial.value is not None for trial in summary.trials or ())
    if trials is None or not completed:
        screen.say("No trial was completed.")
        return
    _print_table(screen, trials.transposed(min(completed, MOST_TRIALS)))


def _print_variants(screen: Screen, summary: StudySummary) -> None:
    for data in summary.data_sets:
        _print_table(screen, tables.variants(summary, data.name, SCREEN))
    for run in summary.failed:
        screen.say(f"{run.variant} seed {run.seed} failed: {run.error}")


def _print_table(screen: Screen, table: Table | None) -> None:
    if table is not None:
        screen.table(table.title, table.columns, table.rows)


def _print_look(screen: Screen, summary: StudySummary) -> None:
    if summary.comparisons and summary.look is not None:
        screen.say(interim_look(summary))
