"""From image files to a model's answers: decoded as for training, batch by batch, in flat memory."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.data.levels import AS_STORED, Levels, from_plain
from medcls.data.readers.images import UnreadableImageError, decode_sized
from medcls.data.readers.listing import images_below
from medcls.data.readers.records import listed
from medcls.evaluation.classification import with_both_classes
from medcls.export import registry
from medcls.export.formats import FORMATS
from medcls.export.formats.base import Loaded
from medcls.export.formats.savedmodel import check_trusted
from medcls.export.metadata import FILES, PREPROCESSING
from medcls.export.parity import Predict, at_once
from medcls.tracking.mlflow_client import sentence
from medcls.utils.errors import BadInputError
from medcls.utils.quiet import quiet
from medcls.utils.records import Shape, is_count, read_record
from medcls.utils.redaction import without_secrets
from medcls.utils.tensors import KerasModel

NAMED = 100  # bad files in one message


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


PAPERS: Shape = MappingProxyType({"classes": _are_names, "size": list, "channels": is_count})

Kept = TypeVar("Kept")
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Predictor:
    """A model at hand: what it is called, its answers to a batch, the images that it takes, its classes.

    `network` is the Keras network itself, None in a format that holds none; `numbered` if the names of the classes are
    not known; `pixels` if it answers for every pixel: then there are none. `levels` are black and white of deep images.
    """

    name: str
    predict: Predict
    size: int
    channels: int
    classes: tuple[str, ...]
    numbered: bool
    network: KerasModel
    pixels: bool = False
    levels: Levels = AS_STORED

    def answers(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return its answers to images of the size that it takes, batch by batch: probabilities, one a class or pixel.

        Raises:
            BadInputError: they are no probabilities.
        """
        count = at_once((self.size, self.size, self.channels))
        batches = (images[start : start + count] for start in range(0, len(images), count))
        return np.concatenate([_probabilities(self, batch) for batch in batches])


@dataclass(frozen=True)
class Prediction:
    """What a model answers for one image: its probabilities as they come, and the image's own (height, width)."""

    file: Path
    probabilities: NDArray[np.float32]
    own_size: tuple[int, int]


def images_among(places: Sequence[Path]) -> list[Path]:
    """Return the files among the places, and all image files in and below the folders.

    Raises:
        BadInputError: a place that is not there, or a folder without images.
    """
    found = []
    for place in places:
        if place.is_dir():
            below = images_below(place)
            if not below:
                raise BadInputError(f"{place} holds no image that can be read: give files or folders of images.")
            found += below
        elif place.exists():
            found.append(place)
        else:
            raise BadInputError(f"There is no file or folder {place}: give images, or folders of images.")
    return found


@contextmanager
def opened(name: str, store: Callable[[], str], *, trust: bool = False) -> Iterator[Predictor]:
    """Open the model that a folder, a file or a models:/ URI is.

    Args:
        name: the folder, file or URI.
        store: is asked for the tracking URI.
        trust: open a SavedModel too, which may do anything with files.

    Raises:
        BadInputError: there is none, none that tells classes of square images apart, or none to be trusted.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        if name.startswith("models:"):
            folder = _fetched(name, store(), Path(elsewhere))
            yield _model(name, folder / "data" / "model.keras", folder, trust=trust)
        else:
            file = _file(Path(name).expanduser())
            yield _model(name, file, file.parent, trust=trust)


def _file(path: Path) -> Path:
    """Return what to load of a folder: Keras's own file first, a SavedModel, which may do anything, last."""
    if not path.is_dir():
        return path
    files = [path / name for kind, name in FILES.items() if kind not in ("weights", "savedmodel")]
    for model in (*files, path / FILES["savedmodel"]):
        if model.exists():
            return model
    return path if (path / "saved_model.pb").exists() else path / FILES["keras"]


def _loaded(file: Path, *, trust: bool) -> Loaded:
    """Load a model by its file's ending; without one known it is taken for a Keras file."""
    endings = {".onnx": "onnx", ".tflite": "litert", ".h5": "weights"}
    kind = endings.get(file.suffix.lower(), "keras")
    if file.is_dir():
        check_trusted(file, trust=trust)
        kind = "savedmodel"
    return FORMATS[kind].read(file, None)


def _fetched(name: str, uri: str, folder: Path) -> Path:
    try:
        with quiet():
            return registry.fetched(name, uri, folder)
    except Exception as error:
        raise BadInputError(
            f"{name} cannot be fetched from {without_secrets(uri)} ({sentence(error, uri).rstrip('.')}): "
            "--tracking-uri names another store."
        ) from error


def _model(name: str, file: Path, beside: Path, *, trust: bool) -> Predictor:
    if not file.exists():
        raise BadInputError(f"There is no model {file}: give an exported folder, a model's file or a models:/ URI.")
    papers = read_record(beside / PREPROCESSING, PAPERS, remedy="export the model again")
    with quiet():
        loaded = _loaded(file, trust=trust)
    size, channels = _shape(name, loaded)
    pixels = len(loaded.gives) == 4
    count = 1 if pixels else max(2, loaded.gives[1] or 0)
    classes = tuple(map(str, range(count))) if papers is None else tuple(papers["classes"])
    if papers is not None and (papers["size"], papers["channels"], len(classes)) != ([size, size], channels, count):
        raise BadInputError(f"{beside / PREPROCESSING} is of another model than {file.name}: export the model again.")
    numbered = papers is None and not pixels
    levels = from_plain((papers or {}).get("levels"))
    return Predictor(name, loaded.predict, size, channels, classes, numbered, loaded.network, pixels, levels)


def _shape(name: str, loaded: Loaded) -> tuple[int, int]:
    """Return size and channels of the images that a network takes, having looked at what it makes of them."""
    takes, gives = loaded.takes, loaded.gives
    size, channels = (takes[1], takes[3]) if isinstance(takes, tuple) and len(takes) == 4 else (None, None)
    answers = len(gives) == 2 or gives[1:] == (size, size, 1)
    if size is None or size != takes[2] or channels not in (1, 3) or not answers:
        raise BadInputError(
            f"{name} makes {gives} of {takes}: medcls predict is for models that make probabilities, one a class or "
            "one a pixel, of square images, grey or RGB."
        )
    return size, channels


def predictions(
    model: Predictor,
    files: Sequence[Path],
    keep: Callable[[Prediction], Kept],
    *,
    skip_bad: bool,
    progress: Progress,
    remedy: str = "repair or remove them, or leave them out with --skip-bad-files",
) -> tuple[list[Kept], list[str]]:
    """Return what is kept of a model's answers to image files, and the names of the bad files with what is wrong.

    Args:
        model: the model.
        files: the images.
        keep: called with each answer in turn, returns what to keep of it.
        skip_bad: go on without files that cannot be read.
        progress: told how many files are done.
        remedy: what whoever asks can do about bad files.

    Raises:
        BadInputError: files that cannot be read, all named, unless they are skipped; or answers that are no
            probabilities.
    """
    found: list[Kept] = []
    bad: list[str] = []
    count = at_once((model.size, model.size, model.channels))
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), count):
            some = files[start : start + count]
            decoded = list(pool.map(lambda file: _decoded(file, model), some))
            bad += [f"{file} ({fault})" for file, fault in zip(some, decoded, strict=True) if isinstance(fault, str)]
            good = [(file, image) for file, image in zip(some, decoded, strict=True) if not isinstance(image, str)]
            if good and (skip_bad or not bad):
                answers = _probabilities(model, np.stack([image for _, (image, _) in good]))
                kept = zip(good, answers, strict=True)
                found += [keep(Prediction(file, answer, own_size)) for (file, (_, own_size)), answer in kept]
            progress(start + len(some))
    if bad and not skip_bad:
        raise BadInputError(f"{len(bad)} of {len(files)} images cannot be read: {listed(bad, NAMED)}; {remedy}.")
    return found, bad


def _decoded(file: Path, model: Predictor) -> tuple[Images, tuple[int, int]] | str:
    try:
        return decode_sized(file, model.size, model.channels, model.levels)
    except UnreadableImageError as error:
        return str(error)


def _probabilities(model: Predictor, images: Images) -> NDArray[np.float32]:
    answers = model.predict(images)
    if model.pixels:
        fine = bool(np.all((answers >= 0) & (answers <= 1)))
    else:
        answers = with_both_classes(answers)
        rounded = min(max(answers.shape[1] / 512, 1e-3), 0.02)  # what 8 bits make of the sum of probabilities
        fine = bool(np.all(answers >= 0) and np.allclose(answers.sum(axis=1), 1, atol=rounded))
    if not fine:
        raise BadInputError(f"{model.name} does not answer with probabilities: end it with a softmax or a sigmoid.")
    return answers
