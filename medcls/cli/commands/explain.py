"""`medcls explain`: where in image files a model looks."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcls.cli.commands.common import examples, naming_a_model, store
from medcls.cli.options import Parser
from medcls.utils.errors import BadInputError
from medcls.utils.quiet import quiet
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.inference.explanations import Asked
    from medcls.inference.predictor import Predictor

NAMES = ("grad-cam", "grad-cam++", "hirescam", "score-cam", "guided-backpropagation", "guided-grad-cam")


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "explain",
        parents=[places],
        help="show where in image files a model looks",
        **examples(
            "medcls explain best image.png --out heat",
            "medcls explain models:/medcls-task8_grad_cam@champion ~/films --out heat --method score-cam",
        ),
    )
    naming_a_model(each)
    each.add_argument("images", metavar="IMAGE_OR_FOLDER", type=Path, nargs="+", help="files, or folders of images")
    each.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of overlays and numbers")
    each.add_argument("--method", choices=NAMES, default=NAMES[0], metavar="NAME", help=f"{', '.join(NAMES)}")
    each.add_argument("--layer", default="", metavar="NAME", help="whose maps are looked at (the last convolution's)")
    each.add_argument("--class", dest="label", metavar="NAME", help="the class to explain (the one that is predicted)")
    each.set_defaults(command=_explain)


def _explain(given: argparse.Namespace) -> None:
    from medcls.inference.explanations import NUMBERS, asked, explain
    from medcls.inference.predictor import images_among, opened

    if given.out.is_file():
        raise BadInputError(f"--out {given.out} is a file: give the name of a folder.")
    files = images_among(given.images)
    with opened(given.model, lambda: store(given), trust=given.trust) as model:
        what = asked(model, given.method, given.layer, given.label)
        with quiet():
            found = explain(model, files, what, given.out)
    for each in found:
        say(_line(each, model, what))
    say(f"{given.out} has {len(found)} overlays, by {what.method} at {what.layer}, and {NUMBERS}.")


def _line(each: dict[str, Any], model: "Predictor", what: "Asked") -> str:
    said = f"{each['file']}: {each['class']} {each['probability']:.3f}"
    if what.label is not None:
        said += f" ({model.classes[what.label]} {each['probability_explained']:.3f})"
    if each["warmest"] is None:
        return f"{said}, nothing speaks for {each['explained']}"
    across, down = each["warmest"]
    return (
        f"{said}, warmest {across:.0%} across and {down:.0%} down, half of the heat on "
        f"{each['half_of_the_heat']:.1%} of the area"
    )
