"""`medcls report` and `medcls compare`: the results of finished studies as an HTML page and as tables."""

import argparse
import webbrowser
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from medcls.cli.commands.common import Commands, add_outcome, complete_outcomes, examples, note
from medcls.cli.options import Parser, work_dir
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.evaluation.summary import StudySummary

FILES = MappingProxyType({"csv": "CSV", "latex": "LaTeX", "markdown": "Markdown"})
"""The flags of files that `medcls compare` writes, and what they hold."""


def add(commands: Commands, shared: Parser) -> None:
    """Add the parsers of `medcls report` and `medcls compare` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "report",
        parents=[shared],
        help="write a study's report as an HTML page",
        **examples("medcls report bonus_resnet --open", "medcls report bonus_resnet@my_images"),
    )
    add_outcome(parser)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.set_defaults(command=_report)

    parser = commands.add_parser(
        "compare",
        parents=[shared],
        help="print the tables of finished studies",
        **examples(
            "medcls compare task1a_dropout task1b_batch_norm --metric val_accuracy",
            "medcls compare task1a_dropout --csv dropout.csv --latex dropout.tex --intervals",
        ),
    )
    complete_outcomes(
        parser.add_argument(
            "studies", nargs="+", metavar="STUDY", help="names of studies, or STUDY@DATA for one data set"
        )
    )
    parser.add_argument("--metric", metavar="M", help="show only comparisons of this score, e.g. val_accuracy")
    for kind, name in FILES.items():
        parser.add_argument(
            f"--{kind}", type=Path, metavar="FILE", help=f"write the tables into FILE as {name} instead"
        )
    parser.add_argument(
        "--intervals", action="store_true", help="in Markdown and LaTeX, give 95%% intervals instead of deviations"
    )
    parser.set_defaults(command=_compare)


def _report(arguments: argparse.Namespace) -> None:
    from medcls.report.study_report import foreign_figures, rewrite_report
    from medcls.tracking.outcomes import matching

    outcome = matching(arguments.outcome, work_dir(arguments))[0]
    note(outcome.sentence)
    folder, summary = outcome.folder, outcome.summary
    path = rewrite_report(folder, summary)
    foreign = foreign_figures(folder, summary)
    if foreign:
        sentence = f"left out figures that {folder / 'summary.json'} names but that are not pictures in its folder"
        note(f"{sentence}: {', '.join(foreign)}.")
    say(str(path))
    if arguments.open:
        webbrowser.open(path.as_uri())


def _compare(arguments: argparse.Namespace) -> None:
    from medcls.report.terminal import print_comparisons
    from medcls.tracking.outcomes import matching
    from medcls.utils.console import Screen

    files = {kind: getattr(arguments, kind) for kind in FILES if getattr(arguments, kind) is not None}
    for kind, path in files.items():
        check_writable(f"--{kind}", path)
    found = [matching(name, work_dir(arguments))[0] for name in arguments.studies]
    if files:
        for outcome in found:
            note(outcome.sentence)
        summaries = [outcome.asked_by(name) for name, outcome in zip(arguments.studies, found, strict=True)]
        _write_tables(summaries, files, arguments.metric, intervals=arguments.intervals)
        return
    screen = Screen()
    for name, outcome in zip(arguments.studies, found, strict=True):
        screen.say(outcome.sentence)
        print_comparisons(screen, outcome.asked_by(name), arguments.metric)


def _write_tables(
    summaries: "Sequence[StudySummary]", files: Mapping[str, Path], metric: str | None, *, intervals: bool
) -> None:
    """Write the tables of studies into files, and say so on standard error, as a file may be standard output.

    Args:
        summaries: of the studies.
        files: "csv", "latex" or "markdown" -> the file.
        metric: the name of the only score, None for all.
        intervals: whether means have 95% intervals instead of standard deviations.
    """
    from medcls.report import exported_tables

    selection = exported_tables.Selection(summaries, metric, intervals)
    write = {
        "csv": exported_tables.as_csv,
        "latex": exported_tables.as_latex,
        "markdown": exported_tables.as_markdown,
    }
    texts = {kind: write[kind](selection) for kind in files}
    for kind, path in files.items():
        write_output(path, partial(_write_text, texts[kind]))
        note(f"{path} contains the tables of {', '.join(summary.study for summary in summaries)}.")


def _write_text(text: str, file: IO[bytes]) -> None:
    file.write(text.encode())
