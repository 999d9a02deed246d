"""medcls in Python: a study run in a real notebook's kernel, its tables and figure, its champion asked."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel
from PIL import Image
from typed_summaries import typed

import medcls
from medcls import BadInputError
from medcls.execution.api import StudyResult, run
from medcls.spec.study import Study

CELLS = (
    """
from functools import partial
import keras
from medcls import Study, Variant, data, models, run, training
from medcls.tasks import MULTICLASS

def tiny(images, *, filters: int = 4):
    "A network that this cell alone knows."
    return keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(filters, 3, activation="relu")(images))

learner = partial(training.gradient, model=partial(tiny, filters=4), epochs=3, batch_size=4)
base = Variant(data=partial(data.xray, size=12, channels=1), learner=learner, task=MULTICLASS)
study = Study("in_a_notebook", "Does it run?", {"four": base, "six": base.with_("learner.model.filters", 6)})
ended = run(study, data=IMAGES, seeds=(0, 1), work_dir=WORK, tracking_uri=STORE)
""",
    """
import json
print(json.dumps({
    "runs": [list(ended.runs.columns), ended.runs.to_dict("records")],
    "epochs": ended.epochs.to_dict("records"),
    "lines": [len(ended.plot("val_accuracy").axes[0].lines), len(ended.plot().axes[0].get_legend().get_texts())],
    "report": str(ended.report),
}))
""",
    """
import signal
ended = run(study, data=IMAGES, seeds=(0, 1), work_dir=WORK, tracking_uri=STORE, json=WORK + ".json")
print(json.dumps([len(ended.runs), signal.getsignal(signal.SIGINT) is signal.default_int_handler]))
""",
    """
champion = __import__("medcls").load("in_a_notebook", tracking_uri=STORE)
import numpy as np
image = np.full((12, 12), 200, np.uint8)
print(json.dumps([champion.predict(image).tolist(), champion.predict(IMAGES).shape, champion.classes]))
""",
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for level, name in ((190, "bright"), (60, "dark")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(20):
            pixels = generator.normal(level, 40, (12, 12)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def executed(client: Any, code: str) -> str:
    """Return what a cell prints; what it raises fails the test."""
    said: list[str] = []

    def heard(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            said.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=300, output_hook=heard)["content"]
    assert reply["status"] == "ok", "\n".join(reply.get("traceback", []))
    return "".join(said)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_a_study_of_a_cell_is_run_tabled_drawn_and_asked(images: Path, tmp_path: Path):
    places = {"IMAGES": images, "WORK": tmp_path / "work", "STORE": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        executed(client, "".join(f"{name} = {str(value)!r}\n" for name, value in places.items()))
        trained = executed(client, CELLS[0])
        tables = json.loads(executed(client, CELLS[1]))
        again = executed(client, CELLS[2])
        answers, shape, classes = json.loads(executed(client, CELLS[3]).splitlines()[-1])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "four seed 0: balanced accuracy" in trained
    assert not re.search(r"\x1b\[\d*[A-HJK]", trained)  # no live view: ipykernel itself forces colours
    columns, runs = tables["runs"]
    assert {"variant", "seed", "status", "accuracy", "balanced_accuracy"} <= set(columns)
    assert [(run["variant"], run["seed"], run["status"]) for run in runs] == [
        (variant, seed, "finished") for variant in ("four", "six") for seed in (0, 1)
    ]
    assert [each["epoch"] for each in tables["epochs"]] == [1, 2, 3] * 4
    assert all(0 <= each["val_accuracy"] <= 1 for each in tables["epochs"])
    assert tables["lines"] == [4, 2]
    assert Path(tables["report"]).read_text().startswith("<!")
    assert "seed 0: balanced accuracy" not in again  # nothing was trained again
    assert json.loads(again.splitlines()[-1]) == [4, True]
    assert len(json.loads((tmp_path / "work.json").read_text())["runs"]) == 4
    assert (shape, classes) == ([40, 2], ["bright", "dark"])
    assert np.sum(answers) == pytest.approx(1, abs=1e-6)


def test_what_cannot_be_run_is_raised_in_one_sentence(tmp_path: Path):
    study = Study("mine", "?", {})
    with pytest.raises(BadInputError, match="speed"):
        run(study, speed=9)
    with pytest.raises(BadInputError, match=r"--workers"):
        run(study, workers="many")
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match=r"--work-dir .*/file"):
        run(study, work_dir=tmp_path / "file")


def test_a_metric_that_was_not_measured_is_refused_by_those_that_were():
    one = {"variant": "a", "data": "xray", "seed": 0, "fold": None, "history": {"loss": [2.0, 1.0], "val_loss": [3.0]}}
    ended = StudyResult(typed({"data_sets": [{"name": "xray"}], "runs": [one]}))
    assert ended.epochs["loss"].tolist() == [2.0, 1.0]
    assert ended.epochs["val_loss"].isna().tolist() == [False, True]
    with pytest.raises(BadInputError, match=r"no 'dice': loss, val_loss were measured"):
        ended.plot("dice")


def test_what_medcls_does_not_have_is_said_as_ever():
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = medcls.walk
    assert {medcls.Study, medcls.run} == {Study, run}
