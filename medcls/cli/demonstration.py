"""The command line of demonstrations: flags become parameters and options, errors one sentence and an exit code."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medcls.cli.options import Parser, add_store, folder, work_dir
from medcls.spec.demonstration import Demonstration, Options
from medcls.utils.errors import BadInputError
from medcls.utils.exit_codes import ExitCode
from medcls.utils.importing import is_imported
from medcls.utils.paths import tracking_uri
from medcls.utils.signals import ignore_signals, install_handlers


def main(demonstration: Demonstration, arguments: Sequence[str] | None = None) -> None:
    """Draw a demonstration as its command line says and exit: 0 done, 2 bad usage or input, 130 interrupted.

    Nothing happens in a script that is imported instead of run.
    """
    if is_imported():
        return
    install_handlers()
    try:
        parser = _parser(demonstration)
        parsed = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
        try:
            chosen, options = _with_parameters(demonstration, parsed), _options(parsed)
            from medcls.execution.demonstration import demonstrate

            demonstrate(chosen, options)
        except BadInputError as error:
            parser.complain(str(error))
        except OSError as error:
            parser.complain(f"{error.filename or options.work_dir} cannot be used ({error.strerror or error}).")
        sys.exit(ExitCode.DONE)
    except KeyboardInterrupt:
        ignore_signals()
        print(f"{demonstration.name}: Interrupted. Run the same command to start again.", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)


def _with_parameters(demonstration: Demonstration, parsed: argparse.Namespace) -> Demonstration:
    """Return the demonstration with the parameters of its command line, checked."""
    if not all(0.01 <= scale <= 10 for scale in parsed.scale):
        raise BadInputError(f"--scale {_listed(parsed.scale)}: give factors from 0.01 to 10, e.g. 0.2,0.8.")
    if not all(abs(angle) <= 360 for angle in parsed.angle):
        raise BadInputError(f"--angle {_listed(parsed.angle)}: give degrees from -360 to 360, e.g. 30,-30,-70.")
    percentiles = parsed.percentiles
    if len(percentiles) != 2 or not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise BadInputError(f"--percentiles {_listed(percentiles)}: give a lower and a higher percentile, e.g. 5,95.")
    if not 0 <= parsed.seed < 2**32:
        raise BadInputError(f"--seed {parsed.seed}: give a whole number from 0 to {2**32 - 1}.")
    if parsed.image is not None and parsed.data is not None:
        raise BadInputError("--image and --data each name an image: give one of the two.")
    return replace(demonstration, scales=parsed.scale, angles=parsed.angle, percentiles=percentiles)


def _options(parsed: argparse.Namespace) -> Options:
    return Options(
        source=parsed.data or "",
        image=parsed.image,
        seed=parsed.seed,
        out=parsed.out,
        plan=parsed.plan,
        smoke=parsed.smoke,
        offline=parsed.offline,
        json=parsed.json,
        tracking_uri=tracking_uri(parsed.tracking_uri),
        work_dir=work_dir(parsed),
    )


def _parser(demonstration: Demonstration) -> Parser:
    parser = Parser(
        prog=f"{demonstration.name}.py",
        description=demonstration.question,
        epilog=(sys.modules["__main__"].__doc__ or "").strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", metavar="SOURCE", help="a folder of images or a built-in data set, whose first image is shown")
    add("--image", type=Path, metavar="FILE", help="show this image file instead")
    add("--scale", type=_numbers, default=demonstration.scales, metavar="0.2,0.8", help="factors to rescale by")
    add(
        "--angle",
        type=_numbers,
        default=demonstration.angles,
        metavar="30,-30",
        help="angles to rotate by, in degrees counter-clockwise",
    )
    add(
        "--percentiles",
        type=_numbers,
        default=demonstration.percentiles,
        metavar="5,95",
        help="percentiles of the values that become black and white",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of the random augmentations (default: 0)")
    add("--out", type=Path, metavar="DIR", help="the folder for the figures (default: one in the work directory)")
    add("--smoke", action="store_true", help="tag the MLflow run as a smoke test; it takes seconds anyway")
    add("--plan", action="store_true", help="print what would be drawn; draw nothing")
    add("--offline", action="store_true", help="write files only; log nothing to MLflow")
    add("--json", type=Path, metavar="FILE", help="write a machine-readable summary to FILE")
    add_store(parser)
    add("--work-dir", type=folder, metavar="DIR", help="work directory: caches and figures (default: mlruns/runs)")
    return parser


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with --angle and its value as one: argparse would take a value such as -30,30 for a flag."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--angle":
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.2,0.8") from None


def _listed(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
