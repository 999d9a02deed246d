"""`medcls export`: write a study's best model, or that of another of its runs, into a folder."""

import argparse
from pathlib import Path

from medcls.cli.commands.common import Commands, add_outcome, examples
from medcls.cli.options import Parser, work_dir
from medcls.export.format_names import BY_DEFAULT, FILES
from medcls.utils.errors import BadInputError
from medcls.utils.files import check_empty
from medcls.utils.quiet import quiet
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls export` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "export",
        parents=[shared],
        help="write a study's best model into a folder",
        **examples(
            "medcls export bonus_resnet --out best",
            "medcls export bonus_resnet@my_images --out best",
            "medcls export bonus_resnet --out phone --format onnx,litert,litert_int8",
            "medcls export task1a_dropout --out fold --key KEY",
        ),
    )
    add_outcome(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    parser.add_argument("--key", metavar="KEY", help="export the run with this key instead of the best run")
    parser.add_argument("--data", metavar="NAME", help="the same as STUDY@NAME")
    parser.add_argument(
        "--format",
        type=_formats,
        default=BY_DEFAULT,
        metavar="NAME[,NAME]",
        help=f"formats of the model: {', '.join(FILES)}, or all that can be written (default: {','.join(BY_DEFAULT)})",
    )
    parser.set_defaults(command=_export)


ALL = ("all",)


def _formats(text: str) -> tuple[str, ...]:
    if text == "all":
        return ALL
    names: list[str] = []
    for word in text.split(","):
        name = word.strip()
        if name not in FILES:
            raise argparse.ArgumentTypeError(f"there is no format {name!r}: the formats are {', '.join(FILES)}")
        if name not in names:
            names.append(name)
    return tuple(names)


def _export(arguments: argparse.Namespace) -> None:
    from medcls.export.exporter import choose, export

    check_empty("--out", arguments.out)
    name = arguments.outcome if arguments.data is None else f"{arguments.outcome}@{arguments.data}"
    chosen = choose(name, work_dir(arguments), arguments.key)
    say(chosen.outcome.sentence)
    try:
        with quiet():
            everything = arguments.format == ALL
            formats = tuple(FILES) if everything else arguments.format
            exported = export(chosen, work_dir(arguments), arguments.out, formats, partly=everything)
    except OSError as error:
        raise BadInputError(f"--out {arguments.out} cannot be written ({error.strerror or error}).") from error
    for name, parity in exported.parities.items():
        sentence = (
            f"loaded again; its probabilities differ from the run's by at most {parity['largest_difference']:.1g}"
        )
        if "score_after" in parity:
            sentence += f"; it scores {parity['score_after']:.3f}, the run {parity['score_before']:.3f}"
        say(f"{name:<11} {sentence}")
    for name, reason in exported.missing.items():
        say(f"{name:<11} not exported: {reason}")
    say(f"{arguments.out} contains {', '.join(sorted(path.name for path in arguments.out.iterdir()))}")
