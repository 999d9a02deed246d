"""Export of a run's model: choosing the run, collecting facts about it, and writing the directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from medcls.data.dataset import Dataset, Split
from medcls.data.finding import LEAKS
from medcls.data.loading import decoded_cache
from medcls.data.split import split
from medcls.evaluation.run_record import DataSetRecord, RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.export.formats import FORMATS
from medcls.export.formats.keras import load, of_all_classes
from medcls.export.metadata import CARD, PREPROCESSING, Facts, preprocessing
from medcls.export.model_card import card
from medcls.export.parity import TOLERANCE
from medcls.export.written_formats import Evidence, Exported, write_formats
from medcls.tracking.outcomes import Outcome, matching
from medcls.tracking.run_dir import RunDir
from medcls.training import model_files, saved_weights
from medcls.training.result import weights_sha256
from medcls.utils.errors import BadInputError
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
        levels=data.levels,
    )


def _rows(chosen: Chosen, data: Dataset) -> Split:
    """Return the rows of the run's training, validation and test set."""
    run = chosen.run
    return split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)


def papers(facts: Facts, folder: Path) -> None:
    """Write preprocessing.json and MODEL_CARD.md into a directory."""
    write_json(folder / PREPROCESSING, preprocessing(facts))
    write_atomically(folder / CARD, lambda file: file.write(card(facts).encode()))


def export(chosen: Chosen, work: Path, out: Path, names: Sequence[str], *, partly: bool = False) -> Exported:
    """Write a run's model, preprocessing.json and MODEL_CARD.md into a new directory.

    The directory is renamed into place when it is complete.

    Args:
        chosen: the run.
        work: the work directory.
        out: the new directory, which must be missing or empty.
        names: of the export formats.
        partly: whether to write what can be written if some of the formats cannot.

    Raises:
        BadInputError: the model is damaged or missing, a package is not installed, or the exported model predicts
            differently from the run; with `partly` only if no format at all can be written.
        OSError: the directory cannot be written.
    """
    for name in names:
        if not partly:
            FORMATS[name].check()
    network = loaded(chosen, work)
    evidence = _evidence(chosen, work, network)
    with written_whole(out) as folder:
        exported = write_formats(network, folder, names, evidence, partly=partly)
        papers(gathered(chosen, work, network, tuple(exported.parities)), folder)
        compared = {"images": len(evidence.rows), "compared_with": "the run's own predictions on its validation set"}
        formats = dict(exported.parities)
        write_json(folder / "parity.json", {**compared, "tolerance": TOLERANCE, "formats": formats})
    return exported


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


def _evidence(chosen: Chosen, work: Path, network: KerasModel) -> Evidence:
    """Return what the exported files are checked by.

    Raises:
        BadInputError: the run's predictions or its decoded images are missing.
    """
    predicted = RunDir(work / chosen.run.key).read_arrays("predictions")
    if predicted is None:
        raise BadInputError(f"The predictions of run {chosen.run.key} are missing: run the study with --force.")
    data = _decoded(chosen, work, network)
    examples = data.images[_rows(chosen, data).train[:EXAMPLES]]
    return Evidence(data, predicted["rows"], predicted["predictions"], examples)


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
