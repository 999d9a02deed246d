"""A demonstration carried out: one image, its transforms measured and drawn, shown in the store, told in a summary."""

import hashlib
import inspect
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medcls.data import transforms
from medcls.data.content_hashes import Hashes
from medcls.data.dataset import DatasetSpec, Images
from medcls.data.readers import images
from medcls.data.transforms import Changed
from medcls.evaluation.run_record import DataKind, DataSetRecord
from medcls.evaluation.summary import AnswerRecord, StudySummary
from medcls.report.figures.image_rows import Picture, strips
from medcls.spec.demonstration import Demonstration, Options
from medcls.spec.parameters import arguments_of, name_of
from medcls.tracking.entries import DataRecord, Ending, Entry, EntryStatus
from medcls.tracking.mlflow_client import Store
from medcls.utils import provenance
from medcls.utils.errors import BadInputError
from medcls.utils.files import as_json, write_json
from medcls.utils.hashing import digest
from medcls.utils.outputs import check_writable, write_output
from medcls.utils.paths import root
from medcls.utils.quiet import quiet
from medcls.utils.records import is_count, read_record
from medcls.utils.texts import say


@dataclass(frozen=True)
class Subject:
    """The image that is shown: its name, where it is from, its data set, and what its fingerprint is."""

    name: str
    source: str
    kind: DataKind
    fingerprint: str
    pixels: Images
    bundle: DatasetSpec | None = None


def demonstrate(demonstration: Demonstration, options: Options) -> None:
    """Draw everything and print one line a picture; under --plan say what would be drawn.

    Raises:
        BadInputError: an image, a data set, a folder or a store that cannot be used.
    """
    started = time.time()
    if options.json is not None:
        check_writable("--json", options.json)
    subject = _subject(demonstration, options)
    parameters = _parameters(demonstration, options, subject)
    key = digest(parameters)
    folder = (options.out or options.work_dir / "studies" / key).absolute()
    size = f"{subject.pixels.shape[1]}x{subject.pixels.shape[0]}"
    say(f"{demonstration.name}: {subject.name} of {subject.source} ({subject.kind}), {size} pixels")
    if options.plan:
        say(f"5 figures into {folder}: rescale, rotate, flip, intensity, augmentations. Nothing is trained.")
        return
    store = None
    if not options.offline:
        store = Store(options.tracking_uri, demonstration.name, demonstration.question, root() / "mlruns")
    _make(folder)
    rows = _changes(demonstration, options, subject.pixels)
    files = {folder / f"{name}.png": "" for name in rows}
    for path, changes in zip(files, rows.values(), strict=True):
        pictures = [Picture(change.image, change.name, change.sentence) for change in changes]
        strips([pictures], path, f"{subject.name}: {path.stem}", ruler=path.stem != "augmentations")
    summary = _summary(demonstration, options, subject, rows, started)
    _print(rows, folder)
    if store is not None:
        times = _times(options.work_dir / "studies" / key, started)
        entry = Entry(key, demonstration.name, None, times[0], parameters, _tags(summary), _data(summary))
        _show(store, entry, summary, files, times)
    write_json(folder / "summary.json", summary.as_plain())
    if options.json is not None:
        content = as_json(summary.as_plain())
        write_output(options.json, lambda file: file.write(content))


def _subject(demonstration: Demonstration, options: Options) -> Subject:
    if options.image is not None:
        pixels = _decoded(options.image)
        print_of = "sha256:" + hashlib.sha256(options.image.read_bytes()).hexdigest()
        return Subject(options.image.name, str(options.image.absolute().parent), "files", print_of, pixels)
    hashes = Hashes(options.work_dir / "cache" / "hashes.sqlite")
    chosen = demonstration.data
    bundle: DatasetSpec = chosen(hashes, source=options.source) if options.source else chosen(hashes)
    place = Path(bundle.source)
    file = (place if place.is_dir() else place.parent) / bundle.names[0]
    if bundle.kind == "files" and file.is_file():
        pixels = _decoded(file)
    else:  # a phantom, or an array
        stored, (width, height) = bundle.stored(0)
        pixels = _plain(bundle.render(0, max(width, height), 1 if stored.startswith("grey") else 3))
    name = bundle.names[0] if bundle.kind == "files" else f"{bundle.name} image {bundle.names[0]}"
    return Subject(name, bundle.source, bundle.kind, bundle.fingerprint, pixels, bundle)


def _decoded(file: Path) -> Images:
    try:
        return _plain(images.whole(file))
    except images.UnreadableImageError as error:
        raise BadInputError(f"{file} cannot be read ({error}): give a {images.READABLE} image.") from error


def _plain(pixels: Images) -> Images:
    """Return an image as the transforms take it: grey without an axis for its only channel."""
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _parameters(demonstration: Demonstration, options: Options, subject: Subject) -> dict[str, Any]:
    ranges = arguments_of(demonstration.augment)
    return {
        "image": subject.name,
        "data.fingerprint": subject.fingerprint,
        "scale": list(demonstration.scales),
        "angle": list(demonstration.angles),
        "percentiles": list(demonstration.percentiles),
        "augment": name_of(demonstration.augment),
        **{f"augment.{name}": value for name, value in ranges.items()},
        "count": demonstration.count,
        "seed": options.seed,
    }


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"{folder} cannot be created ({error.strerror}): give another folder with --out."
        ) from error


def _changes(demonstration: Demonstration, options: Options, image: Images) -> dict[str, list[Changed]]:
    """Return the pictures of every figure by the name of its file: the original, then its changes."""
    first = transforms.original(image)
    return {
        "rescale": [first, *(transforms.rescaled(image, scale) for scale in demonstration.scales)],
        "rotate": [first, *(transforms.rotated(image, angle) for angle in demonstration.angles)],
        "flip": [first, transforms.flipped(image, 1), transforms.flipped(image, 0)],
        "intensity": [first, transforms.intensified(image, *demonstration.percentiles)],
        "augmentations": [first, *_random(demonstration, options.seed, image)],
    }


def _random(demonstration: Demonstration, seed: int, image: Images) -> list[Changed]:
    shaped = image[..., None] if image.ndim == 2 else image
    batch = np.repeat(shaped[None].astype(np.float32), demonstration.count, axis=0)
    with quiet():  # TensorFlow greets on standard error
        drawn = np.asarray(demonstration.augment()(batch, np.array([seed, 0], np.int64)))
    pixels = np.rint(np.clip(drawn, 0, 255)).astype(np.uint8)
    changes = []
    for number, augmented in enumerate(pixels, start=1):
        changes.append(transforms.augmented(_plain(augmented), image, number))
    return changes


def _summary(
    demonstration: Demonstration,
    options: Options,
    subject: Subject,
    rows: Mapping[str, Sequence[Changed]],
    started: float,
) -> StudySummary:
    """Return what a demonstration has shown: one answer a picture, no runs.

    Args:
        demonstration: that was carried out.
        options: of its command line.
        subject: the image.
        rows: figure -> its pictures.
        started: when the command began, in seconds since 1970.
    """
    bundle = subject.bundle
    counts = {"all": 1}
    if bundle is not None:
        counts = {part or "all": int((bundle.parts == part).sum()) for part in set(bundle.parts)}
    data = DataSetRecord(
        name="image" if bundle is None else bundle.name,
        source=subject.source,
        kind=subject.kind,
        fingerprint=subject.fingerprint,
        n=counts,
        classes=() if bundle is None else tuple(bundle.classes),
        findings=(),
    )
    answers = {}
    for changes in rows.values():
        for change in changes:
            answers[change.name] = AnswerRecord(f"What is {change.name}?", change.sentence, change.values)
    code = provenance.user_code(None, keep=False)
    return StudySummary(
        study=demonstration.name,
        question=demonstration.question,
        smoke=options.smoke,
        command=provenance.command(),
        directory=provenance.directory(),
        document=inspect.cleandoc(sys.modules["__main__"].__doc__ or ""),
        wall_seconds=round(time.time() - started, 3),
        git_commit=code.commit,
        git_dirty=code.is_dirty,
        data_sets=(data,),
        runs=(),
        answers=tuple(answers.values()),
        best={},
    )


def _times(home: Path, started: float) -> tuple[int, int]:
    """Return when this demonstration was first begun and ended in this work directory, in milliseconds since 1970."""
    times = read_record(home / "study.json", {"created": is_count, "ended": is_count})
    if times is None:
        _make(home)
        times = {"created": int(started * 1000), "ended": int(time.time() * 1000)}
        write_json(home / "study.json", times)
    return times["created"], times["ended"]


def _show(store: Store, entry: Entry, summary: StudySummary, files: Mapping[Path, str], times: tuple[int, int]) -> None:
    """Show the figures in the store; the same demonstration is one entry, however often it is asked for."""
    begun, ended = times
    with store.explained():
        store.find(entry.id, begun)
        store.create(entry, begun)
        store.end(entry.id, Ending(EntryStatus.FINISHED, ended, _metrics(summary), files=files))
        store.check_there()


def _data(summary: StudySummary) -> tuple[DataRecord, ...]:
    return tuple(DataRecord(data.name, data.source, data.kind, data.fingerprint) for data in summary.data_sets)


def _tags(summary: StudySummary) -> dict[str, Any]:
    return {
        "medcls.level": "study",
        "medcls.study": summary.study,
        "medcls.smoke": summary.smoke,
        "data.kind": summary.data_sets[0].kind,
        "mlflow.source.name": provenance.script(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": summary.git_commit,
        "mlflow.note.content": _note(summary),
    }


def _note(summary: StudySummary) -> str:
    lines = [f"**{summary.question}**", ""]
    lines += [f"- {answer.question} {answer.answer}" for answer in summary.answers]
    return "\n".join([*lines, "", "The command:", "", f"    {summary.command}", ""])


def _metrics(summary: StudySummary) -> dict[str, float]:
    """Return what was measured of each picture as single values: shares of pixels."""
    metrics = {}
    for answer in summary.answers:
        picture = answer.question.removeprefix("What is ").removesuffix("?")
        for name, value in answer.values.items():
            if name.startswith("pixels_"):
                metrics[f"{picture}/{name}"] = value
    return metrics


def _print(rows: Mapping[str, Sequence[Changed]], folder: Path) -> None:
    for _, *changes in rows.values():
        for change in changes:
            say(f"  {change.name}: {change.sentence}")
    say(f"Figures: {folder}")
