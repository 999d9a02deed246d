"""Images in a real store: under the same keys and steps in every run, each once, whatever was interrupted."""

from collections import Counter
from pathlib import Path
from typing import Any

import mlflow
import pytest
from PIL import Image
from tracking_stores import Command

from medcls.report.case_images import CASES
from medcls.tracking.entries import KeyedImage
from medcls.tracking.logged_images import LOGGED, log_images


@pytest.fixture
def client(tmp_path: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")


def images(folder: Path, count: int) -> list[KeyedImage]:
    keyed = []
    for step in range(count):
        path = folder / f"case_{step}.png"
        Image.new("RGB", (32, 32), (step, 0, 0)).save(path)
        keyed.append(KeyedImage("prediction fold 1", step, path, path.touch))
    return keyed


def files(client: mlflow.MlflowClient, run_id: str) -> Counter[tuple[str, int, bool]]:
    """Count the files of a run's logged images by key, step, and whether they are MLflow's small copies."""
    found: Counter[tuple[str, int, bool]] = Counter()
    for file in client.list_artifacts(run_id, "images"):
        small = LOGGED.fullmatch(file.path.removeprefix("images/"))
        name = file.path.removeprefix("images/").replace("%", "+").split("+")
        found[name[0], int(name[2]), small is not None] += 1
    return found


def test_an_image_is_logged_once_and_again_where_its_small_copy_is_missing(
    client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    experiment = client.create_experiment("e", (tmp_path / "files").as_uri())
    run_id, keyed = client.create_run(experiment).info.run_id, images(tmp_path, 3)
    missing = KeyedImage("prediction fold 1", 9, tmp_path / "never drawn.png", Path.touch)
    log_images(client, run_id, [*keyed[:2], missing], 1_700_000_000_000)
    assert set(files(client, run_id)) == {("prediction fold 1", step, small) for step in (0, 1) for small in (0, 1)}

    (small,) = (tmp_path / "files").glob("**/images/*step+1+*compressed.webp")
    small.unlink()  # a kill between the two files of an image
    for _ in range(2):
        log_images(client, run_id, keyed, 1_700_000_000_000)
    counts = files(client, run_id)
    assert {place: count for place, count in counts.items() if place[2]} == {
        ("prediction fold 1", step, True): 1 for step in (0, 1, 2)
    }
    assert client.get_run(run_id).data.tags["mlflow.loggedImages"] == "True"
    (large,) = (tmp_path / "files").glob("**/images/*step+2+*.png")
    with Image.open(large) as picture:
        assert picture.getpixel((0, 0)) == (2, 0, 0)


@pytest.mark.slow
def test_trials_show_the_same_cases_and_each_fold_its_share(search: Command) -> None:
    shown = by_level(search)
    cases = {("prediction", step) for step in range(CASES)}
    assert len(shown["trial"]) == 2
    for keys in shown["trial"]:
        assert keys == cases
    counts = []
    for keys in shown["run"]:
        predictions = sorted((key, step) for key, step in keys if key.startswith("prediction"))
        (key,) = {key for key, _ in predictions}
        assert predictions == [(key, step) for step in range(len(predictions))]
        assert (key.replace("prediction", "certain errors"), 0) in keys
        counts.append((key, len(predictions)))
    of_folds = Counter(dict(counts))
    assert of_folds["prediction fold 1"] + of_folds["prediction fold 2"] == CASES
    assert "prediction refit" in of_folds


@pytest.mark.slow
def test_what_was_trained_offline_is_shown_later(pictures: Path, search: Command, tmp_path: Path) -> None:
    offline = Command("tracked_search", pictures, tmp_path / "here", None, "--offline")
    assert offline.run()[0] == 0
    assert not list(offline.work.glob("*/case_*.png"))
    code, said = Command("tracked_search", pictures, tmp_path / "here").run()
    assert code == 0, said
    assert by_level(offline) == by_level(search)
    assert list(offline.work.glob("*/case_*.png"))  # drawn where the run is, and mirrored from there


def by_level(command: Command) -> dict[str, list[set[tuple[str, int]]]]:
    """Return keys and steps of the images of each entry, by the entries' level and in the order of their names."""
    client = mlflow.MlflowClient(command.store)
    levels: dict[str, list[Any]] = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            keys = {(key, step) for key, step, small in files(client, run.info.run_id) if small}
            levels.setdefault(run.data.tags["medcls.level"], []).append((run.info.run_name, keys))
    ordered = {}
    for level, entries in levels.items():
        ordered[level] = [keys for _, keys in sorted(entries, key=lambda entry: entry[0])]
    return ordered
