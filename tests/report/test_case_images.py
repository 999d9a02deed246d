"""The cases of a study: the same for all its runs, predicted by those alone that have not trained on them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from figure_parts import check_texts, predicted

from medcls import Variant, data, training
from medcls.data import Hashes
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.data.split import split
from medcls.report import case_images
from medcls.report.figures import case_tiles
from medcls.report.figures.case_tiles import Case
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import HEAT, RunDir

VARIANT = Variant(data=partial(data.folder, source="."), learner=training.gradient, task=MULTICLASS)
RUN = Run(VARIANT, "sha256:0", fold=None, folds=None, variant_name="tiny")


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory, draw) -> Path:
    """Return where the decoded images of three classes lie."""
    home = tmp_path_factory.mktemp("data")
    source = draw(home / "images", *(f"{label}/{number}.png" for label in "abc" for number in range(40)))
    bundle = data.folder(Hashes(home / "hashes.sqlite"), source=str(source), size=12, channels=1)
    return prepare(bundle, home / "cache")


def run_dir(path: Path, run: Run, decoded: Path) -> RunDir:
    """Return the directory of a run that has predicted its validation set."""
    images, folder = open_decoded(decoded), RunDir(path)
    rows = split(images.labels, images.parts, None, fold=run.fold, folds=run.folds, seed=0).validation
    _, probabilities = predicted(len(rows), 3, seed=len(str(path)))
    path.mkdir(exist_ok=True)
    folder.write_arrays("predictions", {"rows": rows, "predictions": probabilities})
    return folder


def test_the_folds_share_twenty_cases_and_a_group_shows_all_of_them(tmp_path: Path, decoded: Path) -> None:
    images, numbers = [], []
    for fold in range(3):
        run = replace(RUN, fold=fold, folds=3)
        folder = run_dir(tmp_path / f"fold{fold}", run, decoded)
        of_fold = case_images.case_images(run, folder, decoded)
        keyed = case_images.of_run(run, folder, decoded, {})
        assert {image.key for image in keyed} == {f"prediction fold {fold + 1}"}
        assert [image.step for image in keyed] == list(range(len(keyed)))  # the grid begins with step 0
        assert [image.path for image in keyed] == [image.path for image in of_fold]
        images += of_fold
        numbers += [image.number for image in of_fold]
    assert sorted(numbers) == list(range(case_images.CASES))
    assert [(image.key, image.step) for image in case_images.of_group(images)] == [
        ("prediction", step) for step in range(case_images.CASES)
    ]


def test_runs_of_other_seeds_and_variants_show_the_same_images(tmp_path: Path, decoded: Path) -> None:
    pixels = []
    for number, run in enumerate((RUN, replace(RUN, seed=7), replace(RUN, variant_name="other"))):
        folder = run_dir(tmp_path / f"run{number}", run, decoded)
        shown = {}
        for image in case_images.of_run(run, folder, decoded, {}):
            image.draw(image.path)
            shown[image.key, image.step] = image.path.name
        pixels.append(shown)
    assert pixels[0] == pixels[1] == pixels[2]
    assert len(pixels[0]) == case_images.CASES  # the validation set has 24 images
    rows = open_decoded(decoded)
    chosen = case_images.chosen(np.arange(len(rows.labels)), len(rows.labels))
    assert len(set(chosen.tolist())) == case_images.CASES
    assert sorted(chosen.tolist()) != chosen.tolist()  # by chance, not the first ones


def test_the_figure_of_errors_and_maps_that_there_are_are_shown_too(tmp_path: Path, decoded: Path) -> None:
    folder = run_dir(tmp_path / "run", RUN, decoded)
    predicted_rows = folder.read_arrays("predictions", "rows")
    assert predicted_rows is not None
    first = case_images.chosen(predicted_rows["rows"], 120)[:2]
    folder.write_arrays(HEAT, {"rows": first, "maps": np.ones((2, 12, 12), np.float16)})
    sheet = folder.path / "certain_errors.png"
    keyed = case_images.of_run(RUN, folder, decoded, {sheet: sheet.touch, folder.path / "roc.png": sheet.touch})
    assert [(image.key, image.step) for image in keyed if image.key != "prediction"] == [
        ("saliency", 0),
        ("saliency", 1),
        ("certain errors", 0),
    ]
    for image in keyed[-3:-1]:
        image.draw(image.path)
        assert image.path.read_bytes().startswith(b"\x89PNG")


def test_without_images_at_hand_or_predictions_nothing_is_shown(tmp_path: Path, decoded: Path) -> None:
    assert case_images.of_run(RUN, run_dir(tmp_path / "run", RUN, decoded), None, {}) == ()
    assert case_images.of_run(RUN, RunDir(tmp_path / "nothing"), decoded, {}) == ()


@pytest.mark.parametrize(("label", "colour"), [(0, case_tiles.RIGHT), (1, case_tiles.WRONG)])
def test_a_tile_says_class_prediction_and_file(label: int, colour: str) -> None:
    case = Case(np.zeros((16, 16, 1), np.uint8), label, np.array([0.75, 0.25]), "where/a.png")
    figure = case_tiles.with_prediction(case, ("Mel", "Nev"))
    assert [text.get_text() for text in figure.texts] == [
        f"true: {('Mel', 'Nev')[label]}",
        "predicted: Mel  0.75",
        "a.png",
    ]
    assert figure.texts[1].get_color() == colour
    check_texts(figure)


def test_a_tile_of_masks_has_both_outlines_and_the_score() -> None:
    mask = np.zeros((16, 16), bool)
    mask[2:10, 2:10] = True
    probabilities = np.zeros((16, 16, 1))
    probabilities[2:10, 2:6] = 0.9
    figure = case_tiles.with_outlines(Case(np.zeros((16, 16, 1), np.uint8), 0, probabilities, "a.png"), mask)
    assert figure.texts[0].get_text() == f"Dice {2 * 32 / (32 + 64):.3f}"
    (axes,) = figure.axes
    true, marked = axes.lines
    assert (true.get_xdata().min(), true.get_xdata().max()) == (1.5, 9.5)
    assert (marked.get_xdata().min(), marked.get_xdata().max()) == (1.5, 5.5)
    check_texts(figure)
