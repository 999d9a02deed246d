"""What a study asks of a run's network: written once, whatever was killed or is run again; and drawn."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import sem

from medcls import Variant, data, explain, models, training
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.execution.job import Explanation, Job, is_done, is_explained, is_over
from medcls.execution.worker import execute_job
from medcls.explain import overlays as pixels
from medcls.explain import saliency_scores
from medcls.report.saliency_report import drawings, figures
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import RunStatus

NETWORK = partial(models.alexnet, base=2, dense=(4,))
VARIANT = Variant(
    data=partial(data.folder, source=".", size=16),
    learner=partial(training.gradient, model=NETWORK, batch_size=8, epochs=1),
    task=MULTICLASS,
)
RUN = Run(VARIANT, "sha256:0", variant_name="tiny")
ASK = partial(explain.heat_maps, shown=3, checked=2, steps=3, stages=2)


def left_half(row: int) -> Any:
    """Return a mask; of one image none is known."""
    mask = np.zeros((16, 16), bool)
    mask[:, :8] = True
    return None if row == 0 else mask


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory, draw: Callable[..., Path]) -> Path:
    """Return where the decoded images of two classes lie."""
    home = tmp_path_factory.mktemp("data")
    source = draw(home / "images", *(f"{label}/{number}.png" for label in ("a b", "c") for number in range(15)))
    bundle = data.folder(data.Hashes(home / "hashes.sqlite"), source=str(source), size=16, channels=1)
    return prepare(bundle, home / "cache")


@pytest.fixture(scope="module")
def plain(decoded: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Return a job that is done, whose network was asked nothing."""
    job = Job(RUN, decoded, tmp_path_factory.mktemp("work") / "run", 1)
    execute_job(job)
    assert is_done(job)
    return job


@pytest.fixture(scope="module")
def asked(plain: Job) -> Job:
    """Return the same job with a question, answered."""
    job = replace(plain, explain=Explanation(ASK, {"left": left_half}, "first"))
    before = (plain.folder / "result.json").read_bytes()
    assert not is_done(job)
    assert not is_over(job)  # a worker that was killed before it answered is started again
    execute_job(job)
    assert is_done(job)
    assert (plain.folder / "result.json").read_bytes() == before
    return job


def arrays(job: Job) -> Any:
    found = RunDir(job.folder).read_arrays(HEAT)
    assert found is not None
    return found


def test_maps_of_all_images_and_of_some_by_every_method(asked: Job, decoded: Path) -> None:
    found, predicted = arrays(asked), RunDir(asked.folder).read_arrays("predictions")
    assert np.array_equal(found["rows"], predicted["rows"])
    assert found["maps"].shape == (len(found["rows"]), 16, 16)
    assert found["beside"].shape == (6, len(found["places"]), 16, 16)
    network = training.network.keras.saving.load_model(RunDir(asked.folder).model)
    classes = predicted["predictions"].argmax(axis=1)
    again = explain.grad_cam(network, np.asarray(open_decoded(decoded).images[found["rows"]]), classes)
    assert np.allclose(found["maps"], again, atol=2e-3)
    assert np.array_equal(found["beside"][0], found["maps"][found["places"]])


def test_a_lost_answer_is_given_again_and_is_the_same(asked: Job) -> None:
    before = arrays(asked)
    (asked.folder / f"{HEAT}.npz").write_bytes(b"PK torn")
    assert not is_done(asked)
    execute_job(asked)
    after = arrays(asked)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name], equal_nan=before[name].dtype.kind == "f") for name in before)


def test_another_question_is_asked_of_the_same_network(asked: Job, decoded: Path) -> None:
    other = replace(asked, explain=Explanation(partial(ASK, method=explain.hires_cam), {}, "second"))
    (asked.folder / f"{HEAT}_maps.png").touch()
    weights = (asked.folder / "checkpoint.npz").read_bytes()
    assert not is_done(other)
    execute_job(other)
    assert is_done(other)
    assert not is_done(asked)
    assert str(arrays(other)["method"]) == "HiResCAM"
    assert not (asked.folder / f"{HEAT}_maps.png").exists()  # of the question before
    assert (asked.folder / "checkpoint.npz").read_bytes() == weights
    assert saliency_scores.read(RunDir(asked.folder)).regions == {}
    execute_job(asked)


def test_a_layer_that_is_not_there_fails_the_run_in_a_sentence_and_costs_no_epoch(asked: Job) -> None:
    wrong = replace(asked, explain=Explanation(partial(ASK, layer="conv9"), {}, "wrong"))
    execute_job(wrong)
    result = RunDir(asked.folder).result()
    assert result is not None
    assert result.status == RunStatus.FAILED
    assert "no layer conv9" in str(result.error)
    RunDir(asked.folder).drop_result()  # as the driver does when the command is run again
    execute_job(asked)
    assert is_done(asked)
    assert len(RunDir(asked.folder).rows()) == 1


def test_the_numbers_are_those_of_the_maps(asked: Job) -> None:
    found, told = arrays(asked), saliency_scores.read(RunDir(asked.folder))
    maps = found["maps"].astype(np.float32)
    known = found["rows"] != 0
    warm = known & maps.any(axis=(1, 2))
    shares = maps[warm][:, :, :8].sum(axis=(1, 2)) / maps[warm].sum(axis=(1, 2))
    assert told.regions["left"].share == pytest.approx(shares.mean(), abs=2e-3)
    assert told.regions["left"].area == 0.5
    assert told.regions["left"].times == pytest.approx(2 * shares.mean(), abs=5e-3)
    assert told.images == len(found["rows"])
    assert told.accuracy == pytest.approx((found["predictions"].argmax(axis=1) == found["labels"]).mean(), abs=1e-4)
    filled_in = found["filled_in"][0].argmax(axis=1) == found["labels"]
    changes = (found["predictions"].argmax(axis=1) == found["labels"]).astype(float) - filled_in
    assert told.regions["left"].lost == pytest.approx([changes.mean(), sem(changes)], abs=1e-4)
    assert told.regions["left"].accuracy_filled_in == pytest.approx(filled_in.mean(), abs=1e-4)
    assert len(told.sanity.ranks) == 2
    assert told.deletion.heat == pytest.approx(np.trapezoid(found["deletion"], dx=1 / 3).mean(), abs=1e-4)
    scores = saliency_scores.scores(told)
    assert scores["heat/left_share"] == told.regions["left"].share
    assert saliency_scores.scores(None) == {}


def test_sheets_and_overlays_are_drawn_of_the_images_themselves(asked: Job, decoded: Path, tmp_path: Path) -> None:
    drawn = drawings(RUN, RunDir(asked.folder), decoded)
    overlays = [name for name in drawn if "overlay" in name]
    assert set(drawn) - set(overlays) == {"heat_maps.png", "heat_methods.png", "heat_trust.png"}
    assert len(overlays) == len(arrays(asked)["places"])
    for name, draw_into in drawn.items():
        draw_into(tmp_path / name)
    found, place = arrays(asked), arrays(asked)["places"][0]
    first = np.asarray(Image.open(tmp_path / overlays[0]))
    image = np.asarray(open_decoded(decoded).images[found["rows"][place]])
    assert first.shape == (512, 512, 3)
    assert np.array_equal(first, pixels.overlay(image, found["maps"][place]))
    home = tmp_path / "study"
    home.mkdir()
    told = figures({"tiny": (RUN, RunDir(asked.folder), decoded)}, home)
    assert [figure.file for figure in told] == ["heat_maps_1.png", "heat_trust_1.png"]
    assert (home / "heat_maps_1.png").read_bytes() == (tmp_path / "heat_maps.png").read_bytes()


def test_a_run_without_maps_has_no_figures_of_them(decoded: Path, tmp_path: Path) -> None:
    assert drawings(RUN, RunDir(tmp_path), decoded) == {}
    assert saliency_scores.read(RunDir(tmp_path)) is None


def test_an_overlay_is_six_tenths_image_and_four_tenths_jet() -> None:
    image, heat = np.full((4, 4, 1), 100, np.uint8), np.zeros((4, 4), np.float32)
    cold = pixels.overlay(image, heat, side=8)
    assert cold.shape == (8, 8, 3)
    assert cold[0, 0].tolist() == [60, 60, 60 + round(0.4 * 128)]  # jet begins in a dark blue
    hot = pixels.overlay(image, heat + 1, side=8)
    assert hot[0, 0].tolist() == [60 + round(0.4 * 128), 60, 60]  # and ends in a dark red
    even = pixels.overlay(image, heat + 1, "viridis", side=8)
    assert even[0, 0].tolist() == [60 + round(0.4 * 253), 60 + round(0.4 * 231), 60 + round(0.4 * 37)]


def test_what_learnt_nothing_by_gradients_is_asked_nothing(plain: Job, tmp_path: Path):
    job = replace(plain, folder=tmp_path, explain=Explanation(ASK, {}, "digest"))
    for trainable, asked_nothing in ((0, True), (10, False)):
        parameters = {"total": 10, "trainable": trainable}
        RunDir(tmp_path).finish(RunResult(RunStatus.FINISHED, parameters=parameters), {})
        assert is_explained(job) == asked_nothing
