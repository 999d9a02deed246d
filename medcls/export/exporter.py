"""Export of a run's model: choosing the run, collecting facts about it, and writing the directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.data.finding import LEAKS
from medcls.data.loading import decoded_cache
from medcls.data.split import split
from medcls.evaluation import classification, segmentation
from medcls.evaluation.run_record import DataSetRecord, RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.export.formats import FORMATS
from medcls.export.formats.keras import load, of_all_classes
from medcls.export.metadata import CARD, FILES, PREPROCESSING, Facts, preprocessing
from medcls.export.model_card import card
from medcls.export.parity import TOLERANCE, Answers, agrees, answers_to, parity
from medcls.tracking.outcomes import Outcome, matching
from medcls.tracking.run_dir import RunDir
from medcls.training import model_files, saved_weights
from medcls.training.result import weights_sha256
from medcls.utils.errors import BadInputError, first_line
from medcls.utils.files import write_atomically, write_json, written_whole
from medcls.utils.tensors import KerasModel
from medcls.utils.version import __version__

PACKAGES = ("keras", "tensorflow", "numpy", "pillow")
EXAMPLES = 200  # training images that determine the scale of 8-bit integers


@dataclass(frozen=True)
class Chosen:
    """The run to export: the outcome of its study on its data set, and its record there."""

    outcome: Outcome
    run: RunRecord

    @property
    def summary(self) -> StudySummary:
        """What the study found."""
        return self.outcome.summary

    @property
    def data(self) -> DataSetRecord:
        """The record of the run's data set."""
        return self.outcome.data

    @property
    def best(self) -> BestRecord | None:
        """The record of the best variant, if the run is its model."""
        best = self.outcome.best
        return best if best is not None and best.key == self.run.key else None


def choose(name: str, work: Path, key: str | None = None) -> Chosen:
    """Return the run to export: the best one of the outcome that a name means, or the run with the key.

    Args:
        name: STUDY, STUDY@DATA or STUDY@DATA#KEY, see `medcls.tracking.outcomes.matching`.
        work: the work directory.
        key: of the run, None for the best.

    Raises:
        BadInputError: there is no such outcome or run, several outcomes are meant, or the run did not finish.
    """
    candidates = matching(name, work)
    if key is None:
        return best_run(_one_with_best(name, candidates))
    for outcome in candidates:
        for run in outcome.summary.runs:
            if (run.key, run.data) == (key, outcome.data.name):
                if not run.is_finished:
                    raise BadInputError(f"Run {key} of {name} has {run.status}: there is no model to export.")
                return Chosen(outcome, run)
    raise BadInputError(f"--key {key}: {name} has no such run; summary.json and the MLflow tag medcls.key have them.")


def best_run(outcome: Outcome) -> Chosen:
    """Return the best run of an outcome that has one."""
    assert outcome.best is not None
    return Chosen(outcome, outcome.summary.run(outcome.best.key))


def _one_with_best(name: str, candidates: Sequence[Outcome]) -> Outcome:
    """Return the first outcome that has a best run.

    Raises:
        BadInputError: none has one, or the study ended on several data sets of the same kind at once.
    """
    with_best = [outcome for outcome in candidates if outcome.best is not None]
    if not with_best:
        raise BadInputError(f"No variant of {name} has finished: run the study again, or name a run with --key.")
    first = with_best[0]
    alike = [outcome for outcome in with_best if (outcome.folder, outcome.rank) == (first.folder, first.rank)]
    if len(alike) > 1:
        names = " or ".join(outcome.name for outcome in alike)
        raise BadInputError(f"{name} has a best model for each of its data sets: write {names}.")
    return first


def gathered(chosen: Chosen, work: Path, network: KerasModel, formats: tuple[str, ...] = ("keras",)) -> Facts:
    """Return the facts about a run.

    Args:
        chosen: the run.
        work: the work directory.
        network: the run's network.
        formats: the export formats of the network.

    Raises:
        BadInputError: the decoded images are missing.
    """
    data, folder = _decoded(chosen, work, network), RunDir(work / chosen.run.key)
    rows = _rows(chosen, data)
    counts = {}
    for name, of_set in (("train", rows.train), ("validation", rows.validation), ("test", rows.test)):
        by_label = np.bincount(data.labels[of_set], minlength=len(data.classes))
        counts[name] = dict(zip(data.classes, by_label.tolist(), strict=True))
    return Facts(
        summary=chosen.summary,
        run=chosen.run,
        data=chosen.data,
        best=chosen.best,
        described=folder.description(),
        counts=counts,
        shape=network.input_shape[1:],
        weights=saved_weights.digest_of(network),
        leaks=frozenset(LEAKS) & {finding.kind for finding in chosen.data.findings or ()},
        versions={"medcls": __version__, **{package: version(package) for package in PACKAGES}},
        formats=formats,
        pixels=len(network.output_shape) == 4,
        levels=None if data.levels.as_stored else data.levels.plain(),
    )


def _rows(chosen: Chosen, data: Dataset) -> Split:
    """Return the rows of the run's training, validation and test set."""
    run = chosen.run
    return split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)


def papers(facts: Facts, folder: Path) -> None:
    """Write preprocessing.json and MODEL_CARD.md into a directory."""
    write_json(folder / PREPROCESSING, preprocessing(facts))
    write_atomically(folder / CARD, lambda file: file.write(card(facts).encode()))


def export(chosen: Chosen, work: Path, out: Path, names: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Write a run's model, preprocessing.json and MODEL_CARD.md into a new directory; return each format's parity.

    The directory is renamed into place when it is complete.

    Args:
        chosen: the run.
        work: the work directory.
        out: the new directory, which must be missing or empty.
        names: of the export formats.

    Raises:
        BadInputError: the model is damaged or missing, a package is not installed, or the exported model predicts
            differently from the run.
        OSError: the directory cannot be written.
    """
    for name in names:
        FORMATS[name].check()
    network = loaded(chosen, work)
    with written_whole(out) as folder:
        return _write(chosen, work, network, folder, names)


def loaded(chosen: Chosen, work: Path) -> KerasModel:
    """Return the network in a run directory, with one probability per class or pixel as output.

    Raises:
        BadInputError: the network is missing or damaged, or could not be saved.
    """
    folder = RunDir(work / chosen.run.key)
    again = "run the study again, which does not retrain finished runs"
    result = folder.result()
    if result is not None and result.unsaved:
        raise BadInputError(f"The network of run {chosen.run.key} could not be saved as a file ({result.unsaved}).")
    file = model_files.file(folder)
    if file is None:
        raise BadInputError(f"There is no {folder.model}: {again}.")
    network = load(file) if file == folder.model else model_files.put_together(folder)
    if len(network.input_shape) != 4:
        raise BadInputError(f"Run {chosen.run.key} was trained on points: only models of images can be exported.")
    if weights_sha256(network.get_weights()) != chosen.run.weights_sha256:
        raise BadInputError(f"{file} does not have the weights that the run ended with: remove it and {again}.")
    return of_all_classes(network)


def _write(
    chosen: Chosen, work: Path, network: KerasModel, folder: Path, names: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    predicted = RunDir(work / chosen.run.key).read_arrays("predictions")
    if predicted is None:
        raise BadInputError(f"The predictions of run {chosen.run.key} are missing: run the study with --force.")
    data, rows, answers = _decoded(chosen, work, network), predicted["rows"], predicted["predictions"]
    training_images = data.images[_rows(chosen, data).train[:EXAMPLES]]
    comparisons = {}
    for name in names:
        export_format, path = FORMATS[name], folder / FILES[name]
        _put(name, partial(export_format.write, network, path, training_images))
        predict = export_format.read(path, network).predict
        comparisons[name] = parity(predict, data.images, rows, answers)
        if not export_format.exact:
            comparisons[name] |= cost(data, rows, answers, answers_to(predict, data.images, rows))
        elif not agrees(comparisons[name]):
            _refuse(FILES[name], comparisons[name], answers)
    papers(gathered(chosen, work, network, tuple(names)), folder)
    compared = {"images": len(rows), "compared_with": "the run's own predictions on its validation set"}
    write_json(folder / "parity.json", {**compared, "tolerance": TOLERANCE, "formats": comparisons})
    return comparisons


def cost(data: Dataset, rows: NDArray[np.int64], before: Answers, after: Answers) -> dict[str, float | int]:
    """Return the accuracy, or the mean Dice, of the stored predictions and of a less exact model's.

    Args:
        data: the data set.
        rows: the rows of the predicted images.
        before: the stored predictions.
        after: the predictions of the exported model.

    Returns:
        "score_before" and "score_after".
    """

    def score(answers: Answers) -> float:
        if data.masks is None:
            probabilities = classification.with_both_classes(answers)
            return classification.scores(data.labels[rows], probabilities, data.classes)["accuracy"]
        return segmentation.scores(data.masks[rows][..., 0] > 0, answers, data.classes)["dice"]

    return {"score_before": score(before), "score_after": score(after)}


def _put(name: str, write: Callable[[], None]) -> None:
    """Write a network in an export format.

    Raises:
        BadInputError: the format does not support the network.
    """
    try:
        write()
    except (BadInputError, OSError):
        raise
    except Exception as error:  # each converter has errors of its own
        raise BadInputError(
            f"The model cannot be written as {name} ({first_line(error)}). Nothing was exported."
        ) from error


def _refuse(file: str, found: Mapping[str, float | int], answers: Answers) -> None:
    """Refuse an exported model whose parity is not within the tolerance."""
    raise BadInputError(
        f"Loaded from {file}, the model predicts differently from the run: by up to "
        f"{found['largest_difference']:.1g} (allowed: {TOLERANCE:g}), and with another class for "
        f"{found['classes_changed']} of {answers[..., 0].size} {'pixels' if answers.ndim == 4 else 'images'}. "
        "Nothing was exported."
    )


def _decoded(chosen: Chosen, work: Path, network: KerasModel) -> Dataset:
    """Return the decoded data set of a run, with images of the size that its network takes."""
    height, _, channels = network.input_shape[1:]
    home = decoded_cache.place(work / "cache", chosen.data.fingerprint, height, channels)
    try:
        return decoded_cache.open_decoded(home)
    except (OSError, ValueError, KeyError) as error:
        raise BadInputError(
            f"The decoded images in {home} are missing or damaged: run the study again, which decodes them again but "
            "does not retrain finished runs."
        ) from error
