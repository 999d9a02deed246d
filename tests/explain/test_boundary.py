"""The maps that a run of points writes down are what its network says, however it was cut off; and they are drawn."""

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcls import Variant, data, explain, models
from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.data.split import split
from medcls.explain import decision_map
from medcls.explain.decision_map import Plane
from medcls.report.figures import decision_boundary
from medcls.report.figures.montage import scatter
from medcls.report.run_figures import pictures
from medcls.spec.run import Run
from medcls.tasks import BINARY, MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.training import gradient
from medcls.utils.statuses import RunStatus

NETWORK = partial(models.mlp, hidden=(3,), activation="relu")
HISTORY = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.8, 0.6, 0.5], "accuracy": [0.4, 0.7, 0.9]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the points of a toy lie."""
    folder = tmp_path_factory.mktemp("toy")
    return prepare(data.toy2d(data.Hashes(folder), name="2blob", points=100), folder)


def fit(home: Path, folder: Path, *lengths: int, task: Any = MULTICLASS, **learner: Any) -> tuple[Any, RunDir]:
    """Train in a folder, in several turns, and return the network."""
    decoded, run = open_decoded(home), RunDir(folder)
    folder.mkdir()
    rows = split(decoded.labels, decoded.parts, None, fold=None, folds=None, seed=0)
    given = {"model": NETWORK, "watch": partial(explain.frames, every=2, resolution=9), "batch_size": 32, **learner}
    for epochs in lengths:
        fitted = gradient(decoded, rows, task, run, 0, epochs=epochs, **given)
    return fitted, run


@pytest.mark.parametrize("task", [MULTICLASS, BINARY])
def test_the_last_map_is_what_the_network_says_of_the_second_class(home: Path, tmp_path: Path, task: Any) -> None:
    fitted, folder = fit(home, tmp_path / "run", 4, task=task)
    first, last = decision_map.written(folder)
    assert (first.epochs, last.epochs) == (2, 4)
    said = task.read(fitted.model.predict(decision_map.grid(last.extent, 9), verbose=0))[:, 1]
    assert np.allclose(last.probabilities.ravel(), said, atol=1e-6)
    points = open_decoded(home).images
    assert last.extent[0] < points[:, 0].min() < points[:, 0].max() < last.extent[1]
    assert last.extent[2] < points[:, 1].min() < points[:, 1].max() < last.extent[3]


def test_boundary_maps_of_a_resumed_run_are_those_of_an_uninterrupted_one(home: Path, tmp_path: Path) -> None:
    whole, one = fit(home, tmp_path / "whole", 4)
    parts, other = fit(home, tmp_path / "parts", 1, 3, 4)
    unseen, _ = fit(home, tmp_path / "unseen", 4, watch=partial(explain.frames, every=100))
    assert whole.weights_sha256 == parts.weights_sha256 == unseen.weights_sha256
    for a, b in zip(decision_map.written(one), decision_map.written(other), strict=True):
        assert np.array_equal(a.probabilities, b.probabilities)


def test_of_images_there_is_no_map(tmp_path: Path) -> None:
    images = np.zeros((4, 8, 8, 1), np.uint8)
    decoded = Dataset(images, np.array([0, 1, 0, 1]), np.full(4, ""), None, tuple("abcd"), ("a", "b"))
    assert explain.frames(decoded, None, MULTICLASS, RunDir(tmp_path)) == []


def ramp(epochs: int, at: float) -> Plane:
    """Return a map whose boundary is the vertical line x = at."""
    x = np.linspace(-2, 2, 41)
    rows = 1 / (1 + np.exp(-4 * (x - at)))
    return Plane(epochs, (-2.0, 2.0, -1.0, 1.0), np.tile(rows, (41, 1)).astype(np.float32))


POINTS = decision_boundary.Points(np.array([[-1.5, 0], [1.5, 0.5]], np.float32), np.array([0, 1]), ("no", "yes"))


def test_the_boundary_is_drawn_where_both_classes_are_as_likely() -> None:
    figure = decision_boundary.boundary(ramp(2, 0.5), POINTS, HISTORY, "toy")
    map_axes, loss, accuracy = figure.axes
    line = np.concatenate([path.vertices for each in map_axes.collections[2:] for path in each.get_paths()])
    assert np.allclose(line[:, 0], 0.5, atol=0.01)
    assert (line[:, 1].min(), line[:, 1].max()) == (-1, 1)
    assert [list(line.get_ydata()) for line in loss.get_lines()] == [[0.7, 0.5], [0.8, 0.6]]
    assert [list(line.get_ydata()) for line in accuracy.get_lines()] == [[0.4, 0.7]]
    assert [text.get_text() for text in map_axes.texts] == ["after epoch 2"]


def test_a_network_that_is_sure_of_one_class_everywhere_has_no_boundary() -> None:
    figure = decision_boundary.boundary(ramp(1, 100.0), POINTS, HISTORY, "toy")
    assert len(figure.axes[0].collections) == 2  # the points of both classes


def test_the_film_has_a_frame_a_map_and_rests_on_the_last() -> None:
    maps = [ramp(epochs, at) for epochs, at in ((1, -1.0), (2, 0.0), (3, 1.0))]
    film = Image.open(io.BytesIO(decision_boundary.film(maps, POINTS, HISTORY, "toy")))
    frames, pauses = [], []
    for number in range(film.n_frames):
        film.seek(number)
        frames.append(np.asarray(film.convert("RGB"), int))
        pauses.append(film.info["duration"])
    assert film.n_frames == 3
    assert pauses[2] > 10 * pauses[0]
    still = decision_boundary.boundary(maps[2], POINTS, HISTORY, "toy")
    still.canvas.draw()
    expected = np.asarray(still.canvas.buffer_rgba())[:, :, :3].astype(int)
    assert np.abs(frames[2] - expected).mean() < 4  # but for the palette
    assert np.abs(frames[0] - expected).mean() > 4


def test_a_run_of_points_has_boundary_and_film_and_no_images_among_its_figures(home: Path, tmp_path: Path) -> None:
    fitted, folder = fit(home, tmp_path / "run", 2)
    rows = np.arange(0, 100, 5)  # of both classes
    folder.write_arrays("predictions", {"rows": rows, "predictions": fitted.predict(rows)})
    run = Run(Variant(data=partial(data.toy2d), learner=gradient, task=MULTICLASS), "sha256:0", variant_name="toy")
    drawings = {path.name: path for path in pictures(run, folder, RunResult(RunStatus.FINISHED, best_epoch=1), home)}
    assert {"boundary.png", "boundary.gif", "confusion_matrix.png"} <= set(drawings)
    assert "certain_errors.png" not in drawings
    for path, draw in pictures(run, folder, RunResult(RunStatus.FINISHED, best_epoch=1), home).items():
        draw(path)
    for name in ("boundary.gif", "boundary.png"):
        with Image.open(drawings[name]) as drawn:
            assert drawn.format == name[-3:].upper()


def test_the_points_of_a_data_set_are_drawn_in_the_place_of_example_images(home: Path) -> None:
    decoded = open_decoded(home)
    picture = Image.open(io.BytesIO(scatter(decoded.images, decoded.labels, decoded.classes)))
    assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 2
