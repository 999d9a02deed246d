"""`medcls predict`: the classes or masks that a model predicts for image files."""

import argparse
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from medcls.cli.commands.common import Commands, add_images, add_model, examples, note, opened_model
from medcls.cli.options import Parser
from medcls.utils.console import moves
from medcls.utils.errors import BadInputError
from medcls.utils.files import check_empty
from medcls.utils.lazy import numpy as np
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.texts import cell, say

if TYPE_CHECKING:
    from medcls.inference.predictor import Prediction, Predictor

SHOWN = 40  # images in a table on the screen


@dataclass(frozen=True)
class Results:
    """The predictions for all images, ready to be printed or written.

    Attributes:
        records: one JSON object per image.
        noun: what a CSV file of the predictions contains, in words.
        columns: the columns of the CSV file; the first three are also shown on the screen.
        rows: one row of the CSV file per image.
        shown: the first three columns of each row as they are shown on the screen.
        totals: columns and rows of the table that is shown instead if there are many images.
    """

    records: Sequence[dict[str, Any]]
    noun: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    shown: Sequence[Sequence[str]]
    totals: tuple[list[str], list[list[str]]]


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls predict` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "predict",
        parents=[shared],
        help="predict the classes or masks of image files",
        **examples(
            "medcls predict best image.png ~/my_images",
            "medcls predict bonus_resnet@my_images image.png",
            "medcls predict best ~/my_images --out predictions.csv",
            "medcls predict lungs.onnx ~/films --mask masks",
        ),
    )
    add_model(parser)
    add_images(parser)
    parser.add_argument(
        "--mask", type=Path, metavar="DIR", help="a new folder for the masks, if the model predicts masks"
    )
    parser.add_argument("--json", action="store_true", help="print the predictions as a JSON list")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write a table with one row per image")
    parser.add_argument("--skip-bad-files", action="store_true", help="leave out files that cannot be read")
    parser.set_defaults(command=_predict)


def _predict(arguments: argparse.Namespace) -> None:
    from medcls.inference.predictor import images_among

    if arguments.out is not None:
        check_writable("--out", arguments.out)
    if arguments.mask is not None:
        check_empty("--mask", arguments.mask)
    files = images_among(arguments.images)
    with opened_model(arguments) as model:
        _check_kind(arguments, model)
        predict = _predict_masks if model.pixels else _predict_classes
        results = predict(arguments, model, files)
        if model.origin:
            note(model.origin)
    if arguments.out is not None:
        write_output(arguments.out, lambda file: _write_table(file, results))
    if arguments.json:
        print(json.dumps(results.records, indent=1))
    elif arguments.out is not None:
        say(f"{arguments.out} contains {results.noun} of {len(results.records)} images.")
    else:
        _show(results)


def _check_kind(arguments: argparse.Namespace, model: "Predictor") -> None:
    if model.pixels and arguments.mask is None:
        raise BadInputError(f"{arguments.model} predicts masks: name a new folder for them with --mask.")
    if not model.pixels and arguments.mask is not None:
        raise BadInputError(
            f"--mask {arguments.mask}: {arguments.model} predicts classes, not masks; leave out --mask."
        )


def _predict_classes(arguments: argparse.Namespace, model: "Predictor", files: Sequence[Path]) -> Results:
    from medcls.inference.predictor import predictions

    with _progress(len(files)) as progress:
        records, bad = predictions(
            model, files, partial(_record, model), skip_bad=arguments.skip_bad_files, progress=progress
        )
    if model.numbered:
        note(f"{arguments.model} does not name its classes: they are numbered.")
    _note_bad(bad, files)
    counts = Counter(record["class"] for record in records)
    rows, shown = [], []
    for record in records:
        rows.append([record["file"], record["class"], record["probability"], *record["probabilities"].values()])
        shown.append([record["file"], record["class"], f"{record['probability']:.3f}"])
    return Results(
        records,
        noun="the probabilities",
        columns=["file", "class", "probability", *model.classes],
        rows=rows,
        shown=shown,
        totals=(["class", "images"], [[name, str(counts[name])] for name in model.classes]),
    )


def _record(model: "Predictor", prediction: "Prediction") -> dict[str, Any]:
    probabilities = {}
    for name, probability in zip(model.classes, prediction.probabilities, strict=True):
        probabilities[name] = _number(probability)
    predicted = model.classes[int(np.argmax(prediction.probabilities))]
    return {
        "file": str(prediction.file),
        "class": predicted,
        "probability": probabilities[predicted],
        "probabilities": probabilities,
    }


def _number(probability: "np.float32") -> float:
    """Return a 32-bit number as a double with the digits that the 32-bit number has."""
    return float(f"{probability:.9g}")


def _predict_masks(arguments: argparse.Namespace, model: "Predictor", files: Sequence[Path]) -> Results:
    from medcls.inference.masks import mark, mask_files

    masks = mask_files(files, arguments.images)
    with _progress(len(files)) as progress:
        marked, bad = mark(model, masks, arguments.mask, skip_bad=arguments.skip_bad_files, progress=progress)
    _note_bad(bad, files)
    if not arguments.json:
        say(f"{arguments.mask} contains the masks of {len(marked)} images.")
    records, rows, shown = [], [], []
    for image in marked:
        file, mask = str(image.file), str(image.mask)
        records.append({"file": file, "mask": mask, "share": image.share})
        rows.append([file, mask, image.share])
        shown.append([file, mask, f"{image.share:.2%}"])
    shares = [image.share for image in marked] or [0.0]
    totals = [str(len(marked)), f"{min(shares):.2%}", f"{max(shares):.2%}"]
    return Results(
        records,
        noun="the shares of the area",
        columns=["file", "mask", "share"],
        rows=rows,
        shown=shown,
        totals=(["images", "smallest share", "largest share"], [totals]),
    )


def _write_table(file: IO[bytes], results: Results) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(map(cell, results.columns))
    for row in results.rows:
        table.writerow(map(cell, row))
    text.flush()
    text.detach()


def _show(results: Results) -> None:
    from medcls.utils.console import Screen

    screen = Screen()
    if len(results.records) <= SHOWN:
        screen.table("", results.columns[:3], results.shown)
        return
    columns, rows = results.totals
    screen.table("", columns, rows)
    screen.say("Use --out FILE.csv to write, or --json to print, the prediction for each image.")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while images are predicted, if standard error is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    output = Console(stderr=True)
    if not moves(output):
        yield lambda done: None  # noqa: ARG005
        return
    with Progress(console=output, transient=True) as bar:
        task = bar.add_task("images", total=total)
        yield lambda done: bar.update(task, completed=done)


def _note_bad(bad: Sequence[str], files: Sequence[Path]) -> None:
    if bad:
        note(f"{len(bad)} of {len(files)} images cannot be read and were left out: {', '.join(bad)}.")
