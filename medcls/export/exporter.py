"""A run's model out of its folder: which run, what is known of it, and the folder that is taken away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
from medcls.tracking.run_dir import RunDir
from medcls.tracking.study_results import outcomes, state
from medcls.training import model_files, saved_weights
from medcls.training.result import weights_sha256
from medcls.utils.errors import BadInputError, first_line
from medcls.utils.files import write_atomically, write_json, written_whole
from medcls.utils.version import __version__

PACKAGES = ("keras", "tensorflow", "numpy", "pillow")
EXAMPLES = 200  # training images by which the steps of 8-bit integers are chosen


@dataclass(frozen=True)
class Chosen:
    """A run of a study that is to be exported: the study's summary, and what this says of the run."""

    summary: StudySummary
    run: RunRecord

    @property
    def data(self) -> DataSetRecord:
        """The record of the run's data set."""
        return self.summary.data_set(self.run.data)

    @property
    def best(self) -> BestRecord | None:
        """The record of the best variant, if the run is its model."""
        best = self.summary.best.get(self.run.data)
        return best if best is not None and best.key == self.run.key else None


def choose(study: str, work: Path, key: str | None, data_name: str | None, say: Callable[[str], None]) -> Chosen:
    """Return the run to export: the best of the latest outcome that is no smoke run, or the one with the key.

    Args:
        study: its name.
        work: the work directory.
        key: of the run, None for the best.
        data_name: the name of a data set, None where the study has one only.
        say: prints a line.

    Raises:
        BadInputError: no such study, data set or run, or one that did not finish.
    """
    ended = outcomes(work)
    if study not in ended:
        others = f"those that have are {', '.join(sorted(ended))}" if ended else "run its file first"
        raise BadInputError(f"No study {study!r} has come to its end in {work}: {others}.")
    ranked = sorted(ended[study], key=lambda outcome: (outcome.summary.smoke, not outcome.summary.best))  # latest first
    for outcome in ranked:
        summary = outcome.summary
        wanted = key or _best_key(summary, data_name)
        run = next((run for run in summary.runs if run.key == wanted), None)
        if run is not None:
            if not run.is_finished:
                raise BadInputError(f"Run {wanted} of {study} has {run.status}: there is no model to export.")
            say(f"{study} of {state(outcome)}.")
            return Chosen(summary, run)
        if key is None:
            break
    raise BadInputError(f"--key {key}: {study} has no such run; summary.json and the MLflow tag medcls.key have them.")


def _best_key(summary: StudySummary, data_name: str | None) -> str:
    """Return the key of the best run on a data set.

    Raises:
        BadInputError: there is none, or several and no name.
    """
    best, study, names = summary.best, summary.study, ", ".join(summary.best)
    if not best:
        raise BadInputError(f"No variant of {study} was finished: run the study again, or name a run with --key.")
    if data_name is None and len(best) > 1:
        raise BadInputError(f"{study} has a best model for each of its data sets: name one with --data ({names}).")
    if data_name is not None and data_name not in best:
        raise BadInputError(f"--data {data_name}: {study} has a best model on {names}.")
    return best[data_name or names].key


def gathered(chosen: Chosen, work: Path, network: Any, formats: tuple[str, ...] = ("keras",)) -> Facts:
    """Return what is known of a chosen run, whose network is given and is written in some formats.

    Raises:
        BadInputError: the decoded images are gone.
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
    """Return the rows of the data as the run had them."""
    run = chosen.run
    return split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)


def papers(facts: Facts, folder: Path) -> None:
    """Write preprocessing.json and MODEL_CARD.md into a folder."""
    write_json(folder / PREPROCESSING, preprocessing(facts))
    write_atomically(folder / CARD, lambda file: file.write(card(facts).encode()))


def export(chosen: Chosen, work: Path, out: Path, names: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Write a run's model and its papers into a new folder; return each format's parity.

    It is written beside and renamed when whole.

    Args:
        chosen: the run.
        work: the work folder.
        out: the folder, which must not be there or be empty.
        names: of the formats.

    Raises:
        BadInputError: the model is damaged or gone, what a format needs is not installed, or what was written answers
            otherwise than the run did.
        OSError: it cannot be written.
    """
    for name in names:
        FORMATS[name].check()
    network = loaded(chosen, work)
    with written_whole(out) as folder:
        return _write(chosen, work, network, folder, names)


def loaded(chosen: Chosen, work: Path) -> Any:
    """Return the network that a chosen run has left in its folder, with one probability a class or pixel for answer.

    Raises:
        BadInputError: it is gone or damaged, or could not be saved.
    """
    folder = RunDir(work / chosen.run.key)
    again = "run the study again, which trains nothing that is finished"
    result = folder.result()
    if result is not None and result.unsaved:
        raise BadInputError(f"The network of run {chosen.run.key} could not be saved as a file ({result.unsaved}).")
    file = model_files.file(folder)
    if file is None:
        raise BadInputError(f"There is no {folder.model}: {again}.")
    network = load(file) if file == folder.model else model_files.put_together(folder)
    if len(network.input_shape) != 4:
        raise BadInputError(f"Run {chosen.run.key} learnt from points: only models of images are exported.")
    if weights_sha256(network.get_weights()) != chosen.run.weights_sha256:
        raise BadInputError(f"{file} does not have the weights that the run ended with: remove it and {again}.")
    return of_all_classes(network)


def _write(
    chosen: Chosen, work: Path, network: Any, folder: Path, names: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    predicted = RunDir(work / chosen.run.key).read_arrays("predictions")
    if predicted is None:
        raise BadInputError(f"The predictions of run {chosen.run.key} are gone: run the study with --force.")
    data, rows, answers = _decoded(chosen, work, network), predicted["rows"], predicted["predictions"]
    learnt_from = data.images[_rows(chosen, data).train[:EXAMPLES]]
    found = {}
    for name in names:
        each, path = FORMATS[name], folder / FILES[name]
        _put(name, partial(each.write, network, path, learnt_from))
        predict = each.read(path, network).predict
        found[name] = parity(predict, data.images, rows, answers)
        if not each.exact:
            found[name] |= cost(data, rows, answers, answers_to(predict, data.images, rows))
        elif not agrees(found[name]):
            _refuse(FILES[name], found[name], answers)
    papers(gathered(chosen, work, network, tuple(names)), folder)
    compared = {"images": len(rows), "compared_with": "the run's own predictions on its validation set"}
    write_json(folder / "parity.json", {**compared, "tolerance": TOLERANCE, "formats": found})
    return found


def cost(data: Dataset, rows: NDArray[np.int64], before: Answers, after: Answers) -> dict[str, float | int]:
    """Return how a coarser model's answers score beside those that the run has stored: "score_before", "score_after".

    It is the accuracy, or of masks the mean Dice of the images.
    """

    def score(answers: Answers) -> float:
        if data.masks is None:
            return classification.scores(data.labels[rows], classification.with_both_classes(answers), data.classes)[
                "accuracy"
            ]
        return segmentation.scores(data.masks[rows][..., 0] > 0, answers, data.classes)["dice"]

    return {"score_before": score(before), "score_after": score(after)}


def _put(name: str, write: Callable[[], None]) -> None:
    """Write a network in a format, and say it clearly if the format has no word for something in it."""
    try:
        write()
    except (BadInputError, OSError):
        raise
    except Exception as error:  # each converter has errors of its own
        raise BadInputError(
            f"The model cannot be written as {name} ({first_line(error)}). Nothing was exported."
        ) from error


def _refuse(file: str, found: Mapping[str, float | int], answers: Any) -> None:
    raise BadInputError(
        f"Loaded again from {file}, the model answers otherwise than the run did: by up to "
        f"{found['largest_difference']:.1g} (allowed are {TOLERANCE:g}), and with another class for "
        f"{found['classes_changed']} of {answers[..., 0].size} {'pixels' if answers.ndim == 4 else 'images'}. "
        "Nothing was exported."
    )


def _decoded(chosen: Chosen, work: Path, network: Any) -> Dataset:
    height, _, channels = network.input_shape[1:]
    home = decoded_cache.place(work / "cache", chosen.data.fingerprint, height, channels)
    try:
        return decoded_cache.open_decoded(home)
    except (OSError, ValueError, KeyError) as error:
        raise BadInputError(
            f"The decoded images in {home} are gone or damaged: run the study again, which makes them anew and trains "
            "nothing that is finished."
        ) from error
