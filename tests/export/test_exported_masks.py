"""From a study of masks to mask files: export, predict, and the same Dice as the run's."""

import json
from pathlib import Path

import numpy as np
import pytest
from export_commands import Trained, medcls
from PIL import Image

from medcls.evaluation import segmentation

pytestmark = pytest.mark.slow  # the study that they share is trained first

STUDY = Path(__file__).parent / "small_masks.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return a place where the study was run and its best model exported."""
    trained = Trained(tmp_path_factory.mktemp("masks"), STUDY)
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    for part, count in (("train", 24), ("validation", 8)):
        for number in range(count):
            row, column, radius = *generator.uniform(8, 24, 2), generator.uniform(3, 8)
            mask = np.hypot(rows - row, columns - column) < radius
            film = generator.normal(80, 30, (32, 32)) + 90 * mask
            for name, pixels in (("images", film.clip(0, 255)), ("masks", 255 * mask)):
                (trained.images / part / name).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(trained.images / part / name / f"{number}.png")
    ended = trained.run()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert medcls("export", "small_masks", "--out", trained.exported, "--work-dir", trained.work) == 0
    return trained


def read(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) > 127 for path in sorted(folder.iterdir())])


def test_written_masks_have_the_dice_that_the_run_had(trained: Trained, tmp_path: Path):
    (run,) = trained.summary()["runs"]
    part = trained.images / "validation"
    for model in (trained.exported, "models:/medcls-small_masks@champion"):
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        store = ["--tracking-uri", trained.store]
        assert medcls("predict", model, part / "images", "--mask", out, "--json", *store) == 0
        found = segmentation.scores(read(part / "masks"), read(out)[..., None].astype(np.float32), ("foreground",))
        for name, value in found.items():
            assert value == pytest.approx(run["metrics"][name], abs=1e-6)
    assert found["dice"] > 0.7  # it has learnt something


def test_papers_and_parity_are_those_of_masks(trained: Trained):
    papers, parity = (
        json.loads((trained.exported / name).read_text()) for name in ("preprocessing.json", "parity.json")
    )
    assert (papers["size"], papers["channels"]) == ([32, 32], 1)
    assert "above 0.5" in papers["mask"]
    for found in parity["formats"].values():
        assert found["largest_difference"] <= 1e-6
        assert found["classes_changed"] == 0
    card, (run,) = (trained.exported / "MODEL_CARD.md").read_text(), trained.summary()["runs"]
    assert f"| Dice | {run['metrics']['dice']:.3f} |" in card
    assert "| all | 24 | 8 |" in card
    assert "learner.loss" in card


def test_a_model_of_masks_is_not_asked_for_classes(trained: Trained, capsys: pytest.CaptureFixture[str]):
    assert medcls("predict", trained.exported, trained.images / "validation" / "images") == 2
    assert "--mask" in capsys.readouterr().err
