"""`medcls explain`: where in image files a model looks, drawn as saliency maps."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, add_images, add_model, examples, note, opened_model
from medcls.cli.options import Parser
from medcls.utils.errors import BadInputError
from medcls.utils.quiet import quiet
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.inference.explanations import Asked, Explanation
    from medcls.inference.predictor import Predictor

NAMES = ("grad-cam", "grad-cam++", "hirescam", "score-cam", "guided-backpropagation", "guided-grad-cam")


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls explain` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "explain",
        parents=[shared],
        help="draw saliency maps: where in image files a model looks",
        **examples(
            "medcls explain best image.png --out maps",
            "medcls explain task8_grad_cam ~/films --out maps --method score-cam",
        ),
    )
    add_model(parser)
    add_images(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the overlays and their numbers"
    )
    parser.add_argument(
        "--method",
        choices=NAMES,
        default=NAMES[0],
        metavar="NAME",
        help=f"the saliency method: {', '.join(NAMES)} (default: {NAMES[0]})",
    )
    parser.add_argument(
        "--layer", default="", metavar="NAME", help="the layer whose maps are used (default: the last convolution)"
    )
    parser.add_argument(
        "--class", dest="label", metavar="NAME", help="the class to explain (default: the predicted class)"
    )
    parser.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> None:
    from medcls.inference.explanations import NUMBERS, asked, explain
    from medcls.inference.predictor import images_among

    if arguments.out.is_file():
        raise BadInputError(f"--out {arguments.out} is a file: give the name of a folder.")
    files = images_among(arguments.images)
    with opened_model(arguments) as model:
        question = asked(model, arguments.method, arguments.layer, arguments.label)
        with quiet():
            explanations = explain(model, files, question, arguments.out)
        if model.origin:
            note(model.origin)
    for explanation in explanations:
        say(_sentence(explanation, model, question))
    say(
        f"{arguments.out} contains {len(explanations)} overlays, made by {question.method} at {question.layer}, "
        f"and {NUMBERS}."
    )


def _sentence(explanation: "Explanation", model: "Predictor", question: "Asked") -> str:
    """Return the line that is printed of one image: the predicted class, and where its saliency map is warmest."""
    line = f"{explanation['file']}: {explanation['class']} {explanation['probability']:.3f}"
    if question.label is not None:
        line += f" ({model.classes[question.label]} {explanation['probability_explained']:.3f})"
    if explanation["warmest"] is None:
        return f"{line}, nothing speaks for {explanation['explained']}"
    across, down = explanation["warmest"]
    return (
        f"{line}, warmest {across:.0%} across and {down:.0%} down, half of the heat on "
        f"{explanation['half_of_the_heat']:.1%} of the area"
    )
