"""One meaning of "best model": a study run on a phantom and on real images, in either order, and then asked by name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from export_commands import STUDY, TAKEN, Trained, medcls
from PIL import Image

from medcls import load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),  # as MLflow imports itself
]
REAL = ["bright", "dark"]


def ran(place: Trained, *flags: object) -> tuple[str, str]:
    """Run the small study, on its phantom unless a flag names other data; return the data set's name and the output."""
    places = ["--work-dir", place.work, "--tracking-uri", place.store, "--json", place.folder / "summary.json"]
    command = [sys.executable, *map(str, [STUDY, *places, "--set", "learner.epochs=2", *flags])]
    environment = {name: value for name, value in os.environ.items() if name not in TAKEN}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, cwd=place.folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    return place.summary()["data_sets"][0]["name"], ended.stdout


def champion(place: Trained, name: str) -> Any:
    """Return the version of a registered model that is its champion."""
    return mlflow.MlflowClient(place.store).get_model_version_by_alias(name, "champion")


@pytest.fixture(scope="module", params=["phantom first", "real first"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return where the study was run on both."""
    place = Trained(tmp_path_factory.mktemp("both"))
    generator = np.random.default_rng(0)
    for level, name in ((190, "bright"), (60, "dark")):
        (place.images / name).mkdir(parents=True)
        for number in range(12):
            pixels = generator.normal(level, 70, (16, 14)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place.images / name / f"{number}.png")
    if request.param == "phantom first":
        ran(place)
        _, said = ran(place, "--data", place.images)
        assert "registered as medcls-small_study@champion and as medcls-small_study-" in said
    else:
        ran(place, "--data", place.images)
        _, said = ran(place)
        assert "this one on a phantom)" in said
    return place


def test_every_way_to_the_best_model_leads_to_that_of_the_real_images(place: Trained, tmp_path: Path, capsys):
    image, places = place.images / "bright" / "3.png", ["--work-dir", place.work, "--tracking-uri", place.store]
    assert medcls("export", "small_study", "--out", tmp_path / "best", "--work-dir", place.work) == 0
    assert " (files), best balanced accuracy " in capsys.readouterr().out
    described = json.loads((tmp_path / "best" / "preprocessing.json").read_text())
    assert (described["classes"], described["data"]["kind"]) == (REAL, "files")
    (exported,) = load(tmp_path / "best").predict(image)
    for name in ("small_study", "models:/medcls-small_study@champion"):
        model = load(name, tracking_uri=place.store)
        assert list(model.classes) == REAL
        np.testing.assert_allclose(model.predict(image), [exported], atol=1e-6)
        capsys.readouterr()
        assert medcls("predict", name, image, "--json", *places) == 0
        said = capsys.readouterr()
        assert list(json.loads(said.out)[0]["probabilities"]) == REAL
        assert "small_study@" in said.err
        assert " (files)" in said.err
        assert said.err.count("\n") == 1
    assert medcls("explain", "small_study", image, "--out", tmp_path / "maps", *places) == 0
    assert " (files)" in capsys.readouterr().err
    assert medcls("report", "small_study", "--work-dir", place.work) == 0
    said = capsys.readouterr()
    assert "bright" in Path(said.out.strip()).read_text()
    assert " (files)" in said.err


def test_the_phantom_has_an_outcome_of_its_own(place: Trained, tmp_path: Path, capsys):
    assert medcls("studies", STUDY.parent, "--work-dir", place.work) == 0
    lines = [
        line.split(" of ")[0].strip() for line in capsys.readouterr().out.splitlines() if " runs finished " in line
    ]
    real, drawn = lines
    assert drawn.startswith("small_study@xray")
    assert medcls("export", drawn, "--out", tmp_path / "drawn", "--work-dir", place.work) == 0
    described = json.loads((tmp_path / "drawn" / "preprocessing.json").read_text())
    assert described["data"]["kind"] == "phantom"
    assert len(described["classes"]) == 9
    assert medcls("export", real, "--out", tmp_path / "real", "--work-dir", place.work) == 0
    assert json.loads((tmp_path / "real" / "preprocessing.json").read_text())["classes"] == REAL


def test_the_registered_models_say_what_they_are(place: Trained):
    client = mlflow.MlflowClient(place.store)
    version = champion(place, "medcls-small_study")
    assert version.tags["medcls.kind"] == "files"
    assert version.tags["medcls.smoke"] == "False"
    assert version.tags["medcls.fingerprint"].startswith("sha256:")
    own = f"medcls-small_study-{version.tags['medcls.data']}"
    assert champion(place, own).tags == version.tags
    kinds = {version.tags["medcls.kind"] for version in client.search_model_versions(f"name = '{own}'")}
    assert "files" in kinds
    described = client.get_registered_model(own).description
    run = client.get_run(version.run_id)
    for word in ("bright, dark", "24 images", "(files)", f"/runs/{run.info.run_id}", "MODEL_CARD.md", "clinical"):
        assert word in described
    (score,) = [line for line in described.splitlines() if line.startswith("| balanced accuracy |")]
    assert score.startswith(f"| balanced accuracy | {float(version.tags['medcls.value']):.3f} ")
    assert f"{run.data.metrics['test/balanced_accuracy']:.3f} [" in score


def test_a_store_that_an_older_medcls_wrote_is_read(place: Trained, tmp_path: Path):
    old = place.copied(tmp_path)
    client = mlflow.MlflowClient(old.store)
    for model in client.search_registered_models():
        if model.name != "medcls-small_study":
            client.delete_registered_model(model.name)
    for version in client.search_model_versions("name = 'medcls-small_study'"):
        for tag in ("study", "data", "kind", "written"):
            client.delete_model_version_tag(version.name, str(version.version), f"medcls.{tag}")
    assert list(load("small_study", tracking_uri=old.store).classes) == REAL
    drawn, _ = ran(old)  # the phantom again, by this medcls
    assert champion(old, f"medcls-small_study-{drawn}").tags["medcls.kind"] == "phantom"
    assert list(load("models:/medcls-small_study@champion", tracking_uri=old.store).classes) == REAL
    assert list(load("small_study", tracking_uri=old.store).classes) == REAL
