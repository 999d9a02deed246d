"""Models opened for inference: from a folder, a file, the registry, or by the name of a study's outcome."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.data.levels import AS_STORED, from_plain
from medcls.export import registry
from medcls.export.exporter import choose, gathered, loaded
from medcls.export.format_names import FILES
from medcls.export.formats import FORMATS
from medcls.export.formats.base import Loaded
from medcls.export.formats.keras import answering
from medcls.export.formats.savedmodel import check_trusted
from medcls.export.metadata import PREPROCESSING
from medcls.export.registered import registered
from medcls.inference.predictor import Predictor
from medcls.tracking.outcomes import called
from medcls.tracking.store_errors import sentence
from medcls.utils import store_uris
from medcls.utils.errors import BadInputError
from medcls.utils.paths import default_work_dir
from medcls.utils.quiet import quiet
from medcls.utils.records import Shape, is_count, read_record
from medcls.utils.redaction import without_secrets

FORMATS_BY_SUFFIX = MappingProxyType({".onnx": "onnx", ".tflite": "litert", ".h5": "weights", ".keras": "keras"})


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


PREPROCESSING_FIELDS: Shape = MappingProxyType({"classes": _are_names, "size": list, "channels": is_count})


@contextmanager
def opened(
    name: str, store: Callable[[], str], *, work: Path | None = None, trust: bool = False
) -> Iterator[Predictor]:
    """Open a model for inference.

    Args:
        name: an exported folder, a model's file, a models:/ URI, or the name of an outcome: STUDY or STUDY@DATA.
        store: returns the tracking URI; called only for a models:/ URI or the name of an outcome.
        work: the work directory in which an outcome is looked up before the store; with None it is looked up in the
            store, then in the default work directory.
        trust: open a SavedModel too: it is a program, which may read and write files.

    Raises:
        BadInputError: there is no such model, it does not predict classes or masks of square images, or it is a
            SavedModel without `trust`.
    """
    with tempfile.TemporaryDirectory() as download:
        path = Path(name).expanduser()
        if name.startswith("models:"):
            yield _of_registry(name, store(), Path(download), trust=trust)
        elif path.exists() or "/" in name or path.suffix in FORMATS_BY_SUFFIX:
            file = _file(path)
            yield _model(name, file, file.parent, trust=trust)
        else:
            yield _of_outcome(name, store, work, Path(download))


def _of_outcome(name: str, store: Callable[[], str], work: Path | None, folder: Path) -> Predictor:
    """Return the best model of an outcome.

    Args:
        name: of the outcome.
        store: returns the tracking URI.
        work: the work directory that is asked before the store; None asks the store first, then the default one.
        folder: the directory to download to.

    Raises:
        BadInputError: neither place has such an outcome.
    """
    if work is not None:
        model = _of_work_dir(name, work) or _of_store(name, store, folder)
    else:
        model = _of_store(name, store, folder) or _of_work_dir(name, default_work_dir())
    if model is None:
        raise BadInputError(
            f"There is no model {name}: give an exported folder, a model's file, a models:/ URI, or a study that has "
            "finished, as STUDY or STUDY@DATA (`medcls studies` lists them)."
        )
    return model


def _of_work_dir(name: str, work: Path) -> Predictor | None:
    """Return the best model of an outcome from its run directory, None if the work directory has no such outcome."""
    if not called(name, work):
        return None
    chosen = choose(name, work)
    with quiet():
        network = loaded(chosen, work)
    facts, ready = gathered(chosen, work, network), answering(network)
    size, channels = _shape(name, ready)
    return Predictor(
        name,
        ready.predict,
        size,
        channels,
        classes=facts.data.classes,
        numbered=False,
        network=network,
        pixels=facts.pixels,
        levels=facts.levels,
        origin=chosen.outcome.sentence,
    )


def _of_store(name: str, store: Callable[[], str], folder: Path) -> Predictor | None:
    """Return the registered model of an outcome, None if there is no store or it has no such model."""
    try:
        uri = store()
    except BadInputError:  # it was not made yet
        return None
    file = store_uris.file(uri)
    if file is not None and not file.exists():
        return None
    try:
        with quiet():
            model = registered(uri, name)
    except BadInputError:
        raise
    except Exception as error:
        raise BadInputError(
            f"{name} cannot be looked up in {without_secrets(uri)} ({sentence(error, uri).rstrip('.')}): use "
            "--tracking-uri to name another store, or --work-dir."
        ) from error
    return None if model is None else _of_registry(model.uri, uri, folder, trust=False, origin=model.sentence)


def _of_registry(model: str, uri: str, folder: Path, *, trust: bool, origin: str = "") -> Predictor:
    """Return a registered model.

    Args:
        model: its models:/ URI.
        uri: of the MLflow store.
        folder: the directory to download to.
        trust: open a SavedModel, too.
        origin: which outcome it is from, in a sentence; "" to take that from its preprocessing file.
    """
    files = _fetched(model, uri, folder)
    return _model(model, files / "data" / "model.keras", files, trust=trust, origin=origin)


def _file(path: Path) -> Path:
    """Return the file to load from a folder: Keras's own format first, a SavedModel, which is a program, last."""
    if not path.is_dir():
        return path
    for kind, name in FILES.items():
        if kind not in ("weights", "savedmodel") and (path / name).exists():
            return path / name
    if (path / FILES["savedmodel"]).exists():
        return path / FILES["savedmodel"]
    return path if (path / "saved_model.pb").exists() else path / FILES["keras"]


def _read(file: Path, *, trust: bool) -> Loaded:
    """Load a model in the format of its file's suffix; a file of another suffix is taken for a Keras file."""
    kind = FORMATS_BY_SUFFIX.get(file.suffix.lower(), "keras")
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
            "use --tracking-uri to name another store."
        ) from error


def _model(name: str, file: Path, folder: Path, *, trust: bool, origin: str = "") -> Predictor:
    """Return the model in a file, with the classes and levels that the preprocessing file in a folder gives.

    Args:
        name: the folder, file or URI that was asked for.
        file: the model.
        folder: with the preprocessing file.
        trust: open a SavedModel, too.
        origin: which outcome it is from, in a sentence; "" to take that from the preprocessing file.
    """
    if not file.exists():
        raise BadInputError(f"There is no model {file}: give an exported folder, a model's file or a models:/ URI.")
    metadata = read_record(folder / PREPROCESSING, PREPROCESSING_FIELDS, remedy="export the model again")
    with quiet():
        ready = _read(file, trust=trust)
    size, channels = _shape(name, ready)
    pixels = len(ready.gives) == 4
    class_count = 1 if pixels else max(2, ready.gives[1] or 0)
    if metadata is None:
        classes, levels = tuple(map(str, range(class_count))), AS_STORED
    else:
        classes, levels = tuple(metadata["classes"]), from_plain(metadata.get("levels"))
        if (metadata["size"], metadata["channels"], len(classes)) != ([size, size], channels, class_count):
            raise BadInputError(
                f"{folder / PREPROCESSING} is of another model than {file.name}: export the model again."
            )
    return Predictor(
        name,
        ready.predict,
        size,
        channels,
        classes,
        numbered=metadata is None and not pixels,
        network=ready.network,
        pixels=pixels,
        levels=levels,
        origin=origin or _origin(name, metadata or {}),
    )


def _origin(name: str, metadata: Mapping[str, Any]) -> str:
    """Return which outcome a model is from, as its preprocessing file says; "" where it does not."""
    study, data = metadata.get("study"), metadata.get("data")
    if not isinstance(study, str) or not isinstance(data, dict):
        return ""
    return f"{name} is a model of {study}@{data.get('name')}, trained on {data.get('name')} ({data.get('kind')})."


def _shape(name: str, model: Loaded) -> tuple[int, int]:
    """Return size and channels of the images that a model takes, after a check of what it returns for them."""
    takes, gives = model.takes, model.gives
    size, channels = None, None
    if isinstance(takes, tuple) and len(takes) == 4:
        size, channels = takes[1], takes[3]
    gives_probabilities = len(gives) == 2 or gives[1:] == (size, size, 1)
    if size is None or size != takes[2] or channels not in (1, 3) or not gives_probabilities:
        raise BadInputError(
            f"{name} turns {takes} into {gives}: medcls predict needs a model that turns square images, grey or RGB, "
            "into probabilities, one per class or per pixel."
        )
    return size, channels
