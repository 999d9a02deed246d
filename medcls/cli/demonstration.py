"""A demonstration: what transforms and random augmentations do to one image; and its command line."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medcls.cli.options import Parser, folder, work_dir
from medcls.spec.demonstration import Demonstration, Options
from medcls.utils.errors import BadInputError
from medcls.utils.exit_codes import ExitCode
from medcls.utils.importing import is_imported
from medcls.utils.paths import tracking_uri
from medcls.utils.signals import ignore_signals, install_handlers


def main(demonstration: Demonstration, arguments: Sequence[str] | None = None) -> None:
    """Draw a demonstration as its command line says and exit: 0 done, 2 bad usage or input, 130 interrupted.

    In a script that is imported and not run it does nothing.
    """
    if is_imported():
        return
    install_handlers()
    try:
        parser = _parser(demonstration)
        given = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
        try:
            chosen, options = _chosen(demonstration, given), _options(given)
            from medcls.execution.demonstration import demonstrate

            demonstrate(chosen, options)
        except BadInputError as error:
            parser.complain(str(error))
        except OSError as error:
            parser.complain(f"{error.filename or options.work_dir} cannot be used ({error.strerror or error}).")
        sys.exit(ExitCode.DONE)
    except KeyboardInterrupt:
        ignore_signals()
        print(f"{demonstration.name}: interrupted. The same command begins anew.", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)


def _chosen(demonstration: Demonstration, given: argparse.Namespace) -> Demonstration:
    """Return the demonstration with the parameters that were given, checked."""
    if not all(0.01 <= scale <= 10 for scale in given.scale):
        raise BadInputError(f"--scale {_listed(given.scale)}: give factors from 0.01 to 10, e.g. 0.2,0.8.")
    if not all(abs(angle) <= 360 for angle in given.angle):
        raise BadInputError(f"--angle {_listed(given.angle)}: give degrees from -360 to 360, e.g. 30,-30,-70.")
    low_to_high = len(given.percentiles) == 2 and 0 <= given.percentiles[0] < given.percentiles[1] <= 100
    if not low_to_high:
        raise BadInputError(f"--percentiles {_listed(given.percentiles)}: give a lower and a higher one, e.g. 5,95.")
    if not 0 <= given.seed < 2**32:
        raise BadInputError(f"--seed {given.seed}: give a whole number from 0 to {2**32 - 1}.")
    if given.image is not None and given.data is not None:
        raise BadInputError("--image and --data name two images: give one of the two.")
    return replace(demonstration, scales=given.scale, angles=given.angle, percentiles=given.percentiles)


def _options(given: argparse.Namespace) -> Options:
    return Options(
        source=given.data or "",
        image=given.image,
        seed=given.seed,
        out=given.out,
        plan=given.plan,
        smoke=given.smoke,
        offline=given.offline,
        json=given.json,
        tracking_uri=tracking_uri(given.tracking_uri),
        work_dir=work_dir(given),
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
    add("--data", metavar="SOURCE", help="a folder or a built-in name, whose first image is shown")
    add("--image", type=Path, metavar="FILE", help="an image file in its place")
    add("--scale", type=_numbers, default=demonstration.scales, metavar="0.2,0.8", help="factors of the size")
    add("--angle", type=_numbers, default=demonstration.angles, metavar="30,-30", help="degrees, counter-clockwise")
    add("--percentiles", type=_numbers, default=demonstration.percentiles, metavar="5,95", help="of the values")
    add("--seed", type=int, default=0, metavar="N", help="another seed, another strip (0)")
    add("--out", type=Path, metavar="DIR", help="the figures (a folder of their own below --work-dir)")
    add("--smoke", action="store_true", help="the same with a tag that says so: it takes seconds anyway")
    add("--plan", action="store_true", help="say what would be drawn; draw nothing")
    add("--offline", action="store_true", help="write files only, nothing into the store")
    add("--json", type=Path, metavar="FILE", help="write the summary here")
    add("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    add("--work-dir", type=folder, metavar="DIR", help="caches and figures (mlruns/runs)")
    return parser


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with --angle and what follows as one: -30,30 alone would be taken for a flag."""
    joined: list[str] = []
    for each in arguments:
        if joined and joined[-1] == "--angle":
            joined[-1] += f"={each}"
        else:
            joined.append(each)
    return joined


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers such as 0.2,0.8") from None


def _listed(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
