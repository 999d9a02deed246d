"""`medcls report` and `medcls compare`: the results of finished studies as an HTML page and as tables."""

import argparse
import webbrowser

from medcls.cli.commands.common import Commands, add_outcome, complete_studies, examples, note
from medcls.cli.options import Parser, work_dir
from medcls.utils.texts import say


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
        **examples("medcls compare task1a_dropout task1b_batch_norm --metric val_accuracy"),
    )
    complete_studies(
        parser.add_argument(
            "studies", nargs="+", metavar="STUDY", help="names of studies, or STUDY@DATA for one data set"
        )
    )
    parser.add_argument("--metric", metavar="M", help="show only comparisons of this score, e.g. val_accuracy")
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

    found = [matching(name, work_dir(arguments))[0] for name in arguments.studies]
    screen = Screen()
    for name, outcome in zip(arguments.studies, found, strict=True):
        screen.say(outcome.sentence)
        print_comparisons(screen, outcome.asked_by(name), arguments.metric)
