"""`medcls export`: a folder that answers as the run did, with or without medcls, or nothing at all."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from export_commands import Trained, medcls

from medcls.data.loading.decoded_cache import open_decoded
from medcls.export.formats import onnx
from medcls.tracking.run_dir import RunDir

pytestmark = pytest.mark.slow  # the study that they share is trained first

FILES = {"model.keras", "model.weights.h5", "preprocessing.json", "parity.json", "MODEL_CARD.md"}
WITHOUT_MEDCLS = "import sys; sys.modules['medcls'] = None\n"


def best(trained: Trained) -> dict:
    return trained.summary()["best"]["images"]


def told(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def exported(trained: Trained, out: Path, *flags: object) -> int:
    return medcls("export", "small_study", "--work-dir", trained.work, "--out", out, *flags)


def refused(capsys: pytest.CaptureFixture[str], trained: Trained, out: Path, *flags: object) -> str:
    """Return the one sentence with which an export was refused, having left nothing."""
    before = sorted(out.parent.iterdir())
    assert exported(trained, out, *flags) == 2
    assert sorted(out.parent.iterdir()) == before
    sentence = capsys.readouterr().err
    assert sentence.count("\n") == 1
    return sentence


def test_what_is_in_it(trained: Trained):
    assert {path.name for path in trained.exported.iterdir()} == FILES
    papers = told(trained.exported, "preprocessing.json")
    assert (papers["size"], papers["channels"], papers["value_range"]) == ([12, 12], 1, [0, 255])
    assert papers["classes"] == ["bright", "dark", "grey"]
    assert papers["run"] == best(trained)["key"]
    assert papers["data"]["fingerprint"] == trained.summary()["data_sets"][0]["fingerprint"]
    parity = told(trained.exported, "parity.json")
    assert set(parity["formats"]) == {"keras", "weights"}
    for found in parity["formats"].values():
        assert found["largest_difference"] <= 1e-6
        assert found["classes_changed"] == 0


def test_prediction_of_files_equals_what_the_run_has_stored(trained: Trained, capsys: pytest.CaptureFixture[str]):
    stored = np.load(trained.work / best(trained)["key"] / "predictions.npz")
    (cache,) = (trained.work / "cache").glob("*-12x12x1")
    names = [open_decoded(cache).names[row] for row in stored["rows"]]
    capsys.readouterr()
    assert medcls("predict", trained.exported, *(trained.images / name for name in names), "--json") == 0
    found = [list(each["probabilities"].values()) for each in json.loads(capsys.readouterr().out)]
    assert np.abs(np.array(found) - stored["predictions"]).max() <= 1e-6
    assert np.std(found) > 0.05  # not all alike


def test_the_code_in_the_card_predicts_the_same_where_medcls_is_not(trained: Trained, tmp_path: Path):
    card = (trained.exported / "MODEL_CARD.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", card, re.S)
    shutil.copy(trained.images / "dark" / "3.png", trained.exported / "image.png")
    command = [sys.executable, "-c", WITHOUT_MEDCLS + code]
    try:
        ended = subprocess.run(command, cwd=trained.exported, capture_output=True, text=True, check=True)
    finally:
        (trained.exported / "image.png").unlink()
    printed = [float(number) for number in re.findall(r"\d+\.?\d*(?:e-\d+)?", ended.stdout.rpartition("[[")[2])]
    table = tmp_path / "table.csv"
    assert medcls("predict", trained.exported, trained.images / "dark" / "3.png", "--out", table) == 0
    row = table.read_text().splitlines()[1].split(",")
    assert printed == pytest.approx([float(number) for number in row[3:]], abs=1e-6)


def test_the_card_says_what_the_study_found(trained: Trained):
    card, found = (trained.exported / "MODEL_CARD.md").read_text(), best(trained)
    assert card.lower().count("not for clinical use") == 2
    assert trained.summary()["data_sets"][0]["fingerprint"] in card
    mean, sd = found["mean_sd"]["balanced_accuracy"]
    test = found["test"]["balanced_accuracy"]
    row = next(line for line in card.splitlines() if line.startswith("| balanced accuracy"))
    assert f"{mean:.3f} ± {sd:.3f}" in row
    assert f"{test['value']:.3f} [{test['ci95'][0]:.3f}, {test['ci95'][1]:.3f}]" in row
    recall = found["test"]["recall/dark"]["value"]
    assert re.search(rf"\| dark \| {recall:.3f} \[.*\] \| 4 \|", card)  # a fifth of twenty is the test set's
    counts = [int(number) for number in re.search(r"\| all \| (\d+) \| (\d+) \| (\d+) \|", card).groups()]
    assert (sum(counts), counts[2]) == (60, 12)


def test_another_run_by_its_key_and_one_format(trained: Trained, tmp_path: Path):
    key = next(run["key"] for run in trained.summary()["runs"] if run["fold"] == 1)
    assert exported(trained, tmp_path / "fold", "--key", key, "--format", "weights") == 0
    assert {path.name for path in (tmp_path / "fold").iterdir()} == FILES - {"model.keras"}
    assert told(tmp_path / "fold", "preprocessing.json")["run"] == key
    assert "fold 2 of 2" in (tmp_path / "fold" / "MODEL_CARD.md").read_text()
    assert "test set [" not in (tmp_path / "fold" / "MODEL_CARD.md").read_text()


def test_an_empty_folder_is_taken(trained: Trained, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert exported(trained, tmp_path / "empty") == 0
    assert {path.name for path in (tmp_path / "empty").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ("--format pickle", "keras, weights"),
        ("--key 0123", "0123"),
        ("--data bone", "small_study@images"),
    ],
)
def test_what_is_not_there_is_refused(trained: Trained, tmp_path: Path, capsys, flags: str, word: str):
    assert word in refused(capsys, trained, tmp_path / "out", *flags.split())


def test_a_folder_with_something_in_it_is_refused(trained: Trained, tmp_path: Path, capsys):
    (tmp_path / "mine").write_text("dear to me")
    assert str(tmp_path) in refused(capsys, trained, tmp_path)
    assert "mine" in refused(capsys, trained, tmp_path / "mine")


def test_an_unknown_study_is_refused_and_the_known_ones_named(trained: Trained, tmp_path: Path, capsys):
    assert medcls("export", "large_study", "--work-dir", trained.work, "--out", tmp_path / "out") == 2
    assert "small_study" in capsys.readouterr().err
    assert medcls("export", "large_study", "--work-dir", tmp_path, "--out", tmp_path / "out") == 2
    assert "run its file first" in capsys.readouterr().err


def test_a_model_of_other_weights_is_refused_and_the_study_run_again_mends_it(copy: Trained, tmp_path: Path, capsys):
    runs = {run["fold"]: RunDir(copy.work / run["key"]) for run in copy.summary()["runs"]}
    shutil.copy(runs[0].model, runs[None].model)
    (out := tmp_path / "place").mkdir()
    assert str(runs[None].model) in refused(capsys, copy, out / "out")
    with zipfile.ZipFile(runs[None].model) as whole:
        runs[None].model.write_bytes(whole.read("model.weights.h5")[:999])
    assert "cannot be read" in refused(capsys, copy, out / "out")
    runs[None].model.unlink()
    assert "run the study again" in refused(capsys, copy, out / "out")
    journal = runs[None].rows()
    assert copy.run().returncode == 0
    assert runs[None].rows() == journal
    assert exported(copy, out / "out") == 0


def test_without_the_decoded_images_it_is_refused_and_the_study_run_again_mends_it(copy: Trained, tmp_path, capsys):
    shutil.rmtree(copy.work / "cache")
    (out := tmp_path / "place").mkdir()
    assert "run the study again" in refused(capsys, copy, out / "out")
    assert copy.run("--offline").returncode == 0
    assert exported(copy, out / "out") == 0


def test_predictions_that_the_model_does_not_make_are_refused(copy: Trained, tmp_path: Path, capsys):
    folder = RunDir(copy.work / best(copy)["key"])
    stored = folder.read_arrays("predictions")
    assert stored is not None
    folder.write_arrays("predictions", {**stored, "predictions": stored["predictions"][:, ::-1]})
    (out := tmp_path / "place").mkdir()
    assert "predicts differently" in refused(capsys, copy, out / "out")


def test_the_registered_model_knows_its_classes_too(trained: Trained, capsys):
    image = trained.images / "bright" / "1.png"
    answers = []
    for model in (trained.exported, "models:/medcls-small_study@champion"):
        capsys.readouterr()
        assert medcls("predict", model, image, "--json", "--tracking-uri", trained.store) == 0
        captured = capsys.readouterr()
        assert "small_study@" in captured.err
        assert captured.err.count("\n") == 1
        answers.append(json.loads(captured.out))
    assert answers[0] == answers[1]
    assert set(answers[0][0]["probabilities"]) == {"bright", "dark", "grey"}


@pytest.mark.parametrize("store", ["store", "mlflow.db"])
def test_a_registered_model_that_is_not_there_is_refused(trained: Trained, capsys, store: str):
    uri = f"sqlite:///{trained.folder / store}"
    assert medcls("predict", "models:/medcls-none@champion", trained.images, "--tracking-uri", uri) == 2
    assert "--tracking-uri" in capsys.readouterr().err
    assert not (trained.folder / "store").exists()


def test_every_format_of_a_trained_model_and_what_eight_bits_cost(trained: Trained, tmp_path: Path, capsys):
    assert exported(trained, tmp_path / "every", "--format", "all") == 0
    said = capsys.readouterr().out
    found = told(tmp_path / "every", "parity.json")["formats"]
    assert list(found) == ["keras", "weights", "savedmodel", "onnx", "litert", "litert_int8"]
    for name, each in found.items():
        if name != "litert_int8":
            assert each["largest_difference"] <= 1e-5
            assert each["classes_changed"] == 0
    cost = found["litert_int8"]
    run = next(run for run in trained.summary()["runs"] if run["key"] == best(trained)["key"])
    assert cost["score_before"] == pytest.approx(run["metrics"]["accuracy"])
    assert 0 <= cost["score_after"] <= 1
    assert f"it scores {cost['score_after']:.3f}, the run {cost['score_before']:.3f}" in said
    image, answers = trained.images / "dark" / "3.png", {}
    for file in ("model.keras", "savedmodel", "model.onnx", "model.tflite"):
        trust = ["--trust"] * (file == "savedmodel")
        assert medcls("predict", tmp_path / "every" / file, image, "--json", *trust) == 0
        answers[file] = json.loads(capsys.readouterr().out)[0]
        assert list(answers[file]["probabilities"]) == ["bright", "dark", "grey"], file
        assert answers[file]["probabilities"] == pytest.approx(answers["model.keras"]["probabilities"], abs=1e-5), file


def test_of_all_formats_those_that_cannot_be_written_are_named(
    trained: Trained, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(onnx, "NEEDED", ("tf2onnx", "nothing_of_the_kind"))
    assert exported(trained, tmp_path / "some", "--format", "all") == 0
    said = capsys.readouterr().out
    assert re.search(
        r"onnx +not exported: For ONNX, nothing_of_the_kind must be installed: python -m pip install", said
    )
    assert "onnx" not in told(tmp_path / "some", "parity.json")["formats"]
    assert not (tmp_path / "some" / "model.onnx").exists()
    assert (tmp_path / "some" / "model.tflite").exists()
    assert "onnxruntime" not in (tmp_path / "some" / "MODEL_CARD.md").read_text()
    (place := tmp_path / "place").mkdir()
    assert "nothing_of_the_kind" in refused(capsys, trained, place / "out", "--format", "keras,onnx")
