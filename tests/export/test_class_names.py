"""A study whose two classes get other names: registered, served and exported, its model answers by the new ones."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from export_commands import STUDY, Trained, medcls
from PIL import Image

pytestmark = pytest.mark.slow


@pytest.fixture
def binary(tmp_path: Path) -> Trained:
    """Return a study of two classes with one sigmoid, not run yet."""
    study = tmp_path / STUDY.name
    study.write_text(STUDY.read_text().replace("MULTICLASS", "BINARY").replace("folds=2", "seeds=(0,)"))
    trained, generator = Trained(tmp_path, study), np.random.default_rng(0)
    for name, level in (("<5mm", 190), (">5mm", 60)):
        (trained.images / name).mkdir(parents=True)
        for number in range(12):
            pixels = generator.normal(level, 70, (16, 14)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(trained.images / name / f"{number}.png")
    return trained


def said(capsys: pytest.CaptureFixture[str], model: object, *flags: object) -> list[dict]:
    capsys.readouterr()
    assert medcls("predict", model, *flags, "--json") == 0
    return [each["probabilities"] for each in json.loads(capsys.readouterr().out)]


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself
def test_every_answer_has_the_names_that_the_classes_have_now(binary: Trained, capsys: pytest.CaptureFixture[str]):
    numbers = []
    for names in (("<5mm", ">5mm"), ("HER2+", "HER2?")):  # MLflow takes neither sign in a metric
        for folder, name in zip(sorted(binary.images.iterdir()), names, strict=True):
            folder.rename(binary.images / name)
        ended = binary.run()
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "The best model is registered as medcls-small_study@champion and as medcls-small_study-" in ended.stdout
        out, image = binary.folder / names[0], binary.images / names[1] / "3.png"
        assert medcls("export", "small_study", "--out", out, "--work-dir", binary.work) == 0
        exported = said(capsys, out, image)
        champion = "models:/medcls-small_study@champion"
        registered = said(capsys, champion, image, "--tracking-uri", binary.store)
        assert list(exported[0]) == list(registered[0]) == list(names)
        assert registered == exported
        mlflow.set_tracking_uri(binary.store)
        pixels = np.asarray(Image.open(image).resize((12, 12), Image.Resampling.BILINEAR), np.float32)
        served = mlflow.pyfunc.load_model(champion).predict(pixels.reshape(1, 12, 12, 1))
        np.testing.assert_allclose(served, [list(exported[0].values())], atol=1e-6)
        numbers.append(list(exported[0].values()))
        (run,) = binary.summary()["runs"]
        metrics = mlflow.MlflowClient(binary.store).get_run(run["mlflow_run_id"]).data.metrics
        recalls = [value for name, value in metrics.items() if name.startswith("recall/")]
        assert sorted(recalls) == sorted(run["metrics"][f"recall/{name}"] for name in names)
    assert numbers[0] == numbers[1]  # only the names have changed
    assert len(mlflow.MlflowClient(binary.store).search_model_versions("name = 'medcls-small_study'")) == 2
