"""`medcls predict`: what a model says of image files."""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from medcls.commands.places import store
from medcls.files import check_writable, write_atomically
from medcls.options import Parser

if TYPE_CHECKING:
    from medcls.predicting import Model, Prediction

SHOWN = 40  # images in a table on the screen


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser("predict", parents=[places], help="say what a model sees in image files")
    each.add_argument("model", metavar="MODEL", help="an exported folder, a .keras file or a models:/ URI")
    each.add_argument("images", metavar="IMAGE_OR_FOLDER", type=Path, nargs="+", help="files, or folders of images")
    each.add_argument("--json", action="store_true", help="write a JSON list to standard output")
    each.add_argument("--out", type=Path, metavar="FILE.csv", help="write a table with a column for each class")
    each.add_argument("--skip-bad-files", action="store_true", help="go on without files that cannot be read")
    each.set_defaults(command=_predict)


def _predict(given: argparse.Namespace) -> None:
    from medcls.predicting import images_among, opened, predictions

    if given.out is not None:
        check_writable("--out", given.out)
    files = images_among(given.images)
    with opened(given.model, lambda: store(given)) as model, _progress(len(files)) as progress:
        found, bad = predictions(model, files, skip_bad=given.skip_bad_files, progress=progress)
    if model.numbered:
        _note(f"{given.model} does not name its classes: they are numbered.")
    if bad:
        _note(f"{len(bad)} of {len(files)} images cannot be read and were left out: {', '.join(bad)}.")
    if given.out is not None:
        write_atomically(given.out, lambda file: _write_table(file, model, found))
    if given.json:
        print(json.dumps([_described(model, each) for each in found], indent=1))
    elif given.out is not None:
        print(f"{given.out} has the probabilities of {len(found)} images.")
    else:
        _show(model, found)


def _described(model: "Model", prediction: "Prediction") -> dict[str, Any]:
    values = dict(zip(model.classes, map(_number, prediction.probabilities), strict=True))
    name = model.classes[prediction.probabilities.argmax()]
    return {"file": str(prediction.file), "class": name, "probability": values[name], "probabilities": values}


def _number(probability: Any) -> float:
    """Return a number of 32 bits with the digits that it has, not those of its double."""
    return float(f"{probability:.9g}")


def _write_table(file: IO[bytes], model: "Model", found: Sequence["Prediction"]) -> None:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(["file", "class", "probability", *model.classes])
    for each in found:
        told = _described(model, each)
        table.writerow([told["file"], told["class"], told["probability"], *told["probabilities"].values()])
    text.flush()
    text.detach()


def _show(model: "Model", found: Sequence["Prediction"]) -> None:
    from medcls.screen import Screen

    screen, told = Screen(), [_described(model, each) for each in found]
    if len(told) <= SHOWN:
        rows = [[each["file"], each["class"], f"{each['probability']:.3f}"] for each in told]
        screen.table("", ["file", "class", "probability"], rows)
        return
    counts = Counter(each["class"] for each in told)
    screen.table("", ["class", "images"], [[name, str(counts[name])] for name in model.classes])
    screen.say("--out FILE.csv writes, and --json prints, each image's probabilities.")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many of the images are done, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("images", total=total)
        yield lambda done: shown.update(task, completed=done)


def _note(sentence: str) -> None:
    print(f"medcls: {sentence}", file=sys.stderr)
