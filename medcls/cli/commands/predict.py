"""`medcls predict`: what a model says of image files."""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from medcls.cli.commands.common import examples, naming_a_model, store
from medcls.cli.options import Parser
from medcls.utils.console import moves
from medcls.utils.errors import BadInputError
from medcls.utils.files import check_empty
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.texts import cell, say

if TYPE_CHECKING:
    from medcls.inference.predictor import Prediction, Predictor

SHOWN = 40  # images in a table on the screen


@dataclass(frozen=True)
class Told:
    """What there is to tell of the images.

    Attributes:
        described: of each image, as JSON has it.
        noun: what a table holds.
        columns: of the table; the first three are shown.
        row: what is described of an image -> its row.
        shown: the same -> its first three columns as they are shown.
        in_all: columns and rows that are shown of many images.
    """

    described: Sequence[dict[str, Any]]
    noun: str
    columns: Sequence[str]
    row: Callable[[dict[str, Any]], list[Any]]
    shown: Callable[[dict[str, Any]], list[str]]
    in_all: tuple[list[str], list[list[str]]]


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "predict",
        parents=[places],
        help="say what a model sees in image files",
        **examples(
            "medcls predict best image.png ~/my_images",
            "medcls predict best ~/my_images --out predictions.csv",
            "medcls predict lungs.onnx ~/films --mask masks",
        ),
    )
    naming_a_model(each)
    each.add_argument("images", metavar="IMAGE_OR_FOLDER", type=Path, nargs="+", help="files, or folders of images")
    each.add_argument("--mask", type=Path, metavar="DIR", help="a new folder for the masks, of a model of masks")
    each.add_argument("--json", action="store_true", help="write a JSON list to standard output")
    each.add_argument("--out", type=Path, metavar="FILE.csv", help="write a table with a line for each image")
    each.add_argument("--skip-bad-files", action="store_true", help="go on without files that cannot be read")
    each.set_defaults(command=_predict)


def _predict(given: argparse.Namespace) -> None:
    from medcls.inference.predictor import images_among, opened

    if given.out is not None:
        check_writable("--out", given.out)
    if given.mask is not None:
        check_empty("--mask", given.mask)
    files = images_among(given.images)
    with opened(given.model, lambda: store(given), trust=given.trust) as model:
        _check_kind(given, model)
        told = _marked(given, model, files) if model.pixels else _classified(given, model, files)
    if given.out is not None:
        write_output(given.out, lambda file: _write_table(file, told))
    if given.json:
        print(json.dumps(told.described, indent=1))
    elif given.out is not None:
        say(f"{given.out} has {told.noun} of {len(told.described)} images.")
    else:
        _show(told)


def _check_kind(given: argparse.Namespace, model: "Predictor") -> None:
    if model.pixels and given.mask is None:
        raise BadInputError(f"{given.model} answers with masks: say with --mask which new folder to write them into.")
    if not model.pixels and given.mask is not None:
        raise BadInputError(f"--mask {given.mask}: {given.model} tells classes apart and makes no masks; leave it out.")


def _classified(given: argparse.Namespace, model: "Predictor", files: Sequence[Path]) -> Told:
    from medcls.inference.predictor import predictions

    with _progress(len(files)) as progress:
        found, bad = predictions(
            model, files, partial(_described, model), skip_bad=given.skip_bad_files, progress=progress
        )
    if model.numbered:
        _note(f"{given.model} does not name its classes: they are numbered.")
    _note_bad(bad, files)
    counts = Counter(each["class"] for each in found)
    return Told(
        found,
        "the probabilities",
        ["file", "class", "probability", *model.classes],
        lambda each: [each["file"], each["class"], each["probability"], *each["probabilities"].values()],
        lambda each: [each["file"], each["class"], f"{each['probability']:.3f}"],
        (["class", "images"], [[name, str(counts[name])] for name in model.classes]),
    )


def _described(model: "Predictor", answer: "Prediction") -> dict[str, Any]:
    values = dict(zip(model.classes, map(_number, answer.probabilities), strict=True))
    name = model.classes[answer.probabilities.argmax()]
    return {"file": str(answer.file), "class": name, "probability": values[name], "probabilities": values}


def _number(probability: Any) -> float:
    """Return a number of 32 bits with the digits that it has, not those of its double."""
    return float(f"{probability:.9g}")


def _marked(given: argparse.Namespace, model: "Predictor", files: Sequence[Path]) -> Told:
    from medcls.inference.masks import mark, mask_files

    masks = mask_files(files, given.images)
    with _progress(len(files)) as progress:
        found, bad = mark(model, masks, given.mask, skip_bad=given.skip_bad_files, progress=progress)
    _note_bad(bad, files)
    described = [{"file": str(each.file), "mask": str(each.mask), "share": each.share} for each in found]
    shares = [each.share for each in found] or [0.0]
    if not given.json:
        say(f"{given.mask} has the masks of {len(found)} images.")
    return Told(
        described,
        "the shares of the area",
        ["file", "mask", "share"],
        lambda each: list(each.values()),
        lambda each: [each["file"], each["mask"], _percent(each["share"])],
        (["images", "least share", "largest share"], [[str(len(found)), *map(_percent, (min(shares), max(shares)))]]),
    )


def _percent(share: float) -> str:
    return f"{share:.2%}"


def _write_table(file: IO[bytes], told: Told) -> None:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(map(cell, told.columns))
    table.writerows(map(cell, told.row(described)) for described in told.described)
    text.flush()
    text.detach()


def _show(told: Told) -> None:
    from medcls.utils.console import Screen

    screen = Screen()
    if len(told.described) <= SHOWN:
        screen.table("", told.columns[:3], [told.shown(each) for each in told.described])
        return
    columns, rows = told.in_all
    screen.table("", columns, rows)
    screen.say("--out FILE.csv writes, and --json prints, what is said of each image.")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many of the images are done, if that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    output = Console(stderr=True)
    if not moves(output):
        yield lambda done: None  # noqa: ARG005
        return
    with Progress(console=output, transient=True) as shown:
        task = shown.add_task("images", total=total)
        yield lambda done: shown.update(task, completed=done)


def _note_bad(bad: Sequence[str], files: Sequence[Path]) -> None:
    if bad:
        _note(f"{len(bad)} of {len(files)} images cannot be read and were left out: {', '.join(bad)}.")


def _note(sentence: str) -> None:
    say(f"medcls: {sentence}", sys.stderr)
