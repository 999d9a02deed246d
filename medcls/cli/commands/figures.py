"""`medcls figures`: draw the figures of a finished study into a folder, for a paper or slides."""

import argparse
from pathlib import Path

from medcls.cli.commands.common import Commands, add_outcome, examples, note
from medcls.cli.options import Parser, work_dir
from medcls.report.figures import formats
from medcls.utils.errors import BadInputError
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls figures` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "figures",
        parents=[shared],
        help="draw a study's figures into a folder",
        **examples(
            "medcls figures bonus_resnet --out figures", "medcls figures bonus_resnet --out slides --format svg"
        ),
    )
    add_outcome(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder, which is made")
    parser.add_argument(
        "--format", default="pdf", metavar="NAME[,NAME]", help=f"of {', '.join(formats.FORMATS)} (default: pdf)"
    )
    parser.set_defaults(command=_figures)


def _figures(arguments: argparse.Namespace) -> None:
    from medcls.report.study_figures import study_figures
    from medcls.tracking.outcomes import matching

    kinds = _formats(arguments.format)
    work = work_dir(arguments)
    outcome = matching(arguments.outcome, work)[0]
    note(outcome.sentence)
    figures = study_figures(outcome.asked_by(arguments.outcome), work)
    for sentence in figures.missing:
        note(sentence)
    if not figures.by_name:
        raise BadInputError(f"{outcome.name} has no figures: none of its runs finished.")
    folder = _made(arguments.out)
    for name, make in figures.by_name.items():
        figure = make()
        for kind in kinds:
            path = folder / f"{name}.{kind}"
            formats.write(figure, path)
            say(str(path))


def _formats(text: str) -> list[str]:
    """Return the formats that --format names.

    Raises:
        BadInputError: one of them is unknown.
    """
    kinds = list(dict.fromkeys(kind.strip().lower() for kind in text.split(",")))
    for kind in kinds:
        if kind not in formats.FORMATS:
            raise BadInputError(f"--format {text}: there is no format {kind!r}; use {', '.join(formats.FORMATS)}.")
    return kinds


def _made(folder: Path) -> Path:
    """Return the folder of --out, made where it does not exist.

    Raises:
        BadInputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--out {folder} cannot be made ({error.strerror}): name another folder.") from error
    return folder
