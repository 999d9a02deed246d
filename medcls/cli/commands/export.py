"""`medcls export`: a study's best model, or another of its runs', as a folder to take away."""

import argparse
from pathlib import Path
from typing import Any

from medcls.cli.commands.common import examples, naming_a_study
from medcls.cli.options import Parser, work_dir
from medcls.export.metadata import BY_DEFAULT, FILES
from medcls.utils.errors import BadInputError
from medcls.utils.files import check_empty
from medcls.utils.quiet import quiet
from medcls.utils.texts import say


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "export",
        parents=[places],
        help="write a study's best model into a folder",
        **examples(
            "medcls export bonus_resnet --out best",
            "medcls export bonus_resnet --out phone --format onnx,litert,litert_int8",
            "medcls export task1a_dropout --out fold --key KEY",
        ),
    )
    naming_a_study(each.add_argument("study", metavar="STUDY", help="the study's name"))
    each.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    each.add_argument("--key", metavar="KEY", help="another run than the best one's")
    each.add_argument("--data", metavar="NAME", help="the data set, where the study has several")
    each.add_argument(
        "--format",
        type=_formats,
        default=BY_DEFAULT,
        metavar="NAME[,NAME]",
        help=f"what to write the model as: {', '.join(FILES)}, or all ({','.join(BY_DEFAULT)})",
    )
    each.set_defaults(command=_export)


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(FILES) if text == "all" else tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in FILES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no format {unknown[0]!r}: the formats are {', '.join(FILES)}")
    return names


def _export(given: argparse.Namespace) -> None:
    from medcls.export.exporter import choose, export

    check_empty("--out", given.out)
    chosen = choose(given.study, work_dir(given), given.key, given.data, say)
    try:
        with quiet():
            found = export(chosen, work_dir(given), given.out, given.format)
    except OSError as error:
        raise BadInputError(f"--out {given.out} cannot be written ({error.strerror or error}).") from error
    for name, parity in found.items():
        difference = f"{parity['largest_difference']:.1g}"
        cost = ""
        if "score_after" in parity:
            cost = f"; its score there is {parity['score_after']:.3f}, the run's {parity['score_before']:.3f}"
        print(f"{name:<11} loaded again, its probabilities differ from the run's by {difference} at most{cost}")
    say(f"{given.out} has {', '.join(sorted(path.name for path in given.out.iterdir()))}")
