"""Images and masks in training: moved together, mirrored together, learnt from, cut off and continued."""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from medcls import BadInputError, Variant, augmentation, losses, models, training
from medcls.data.dataset import Dataset, Picked, Split
from medcls.data.loading import batches as stream
from medcls.tasks import MULTICLASS, SEGMENTATION
from medcls.tracking.run_dir import RunDir
from medcls.training.network import network
from medcls.training.result import Fitted

MOVED = partial(
    augmentation.standard,
    rotation=20.0,
    width_shift=0.1,
    zoom=0.2,
    horizontal_flip=True,
    elastic=0.02,
    fill_mode="constant",
    fill_value=40.0,
)
SMALL = partial(models.unet, base=4, depth=2, dropout=0.2)


@pytest.fixture
def discs() -> Dataset:
    """Return 20 images of 32 by 32 with a bright disc each, and the discs as masks."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    places = generator.integers(8, 24, (20, 2))
    inside = np.stack([(y - down) ** 2 + (x - right) ** 2 < 30 for down, right in places])
    noise = generator.integers(0, 80, (20, 32, 32))
    images = np.where(inside, 200, noise).astype(np.uint8)[..., None]
    names = tuple(map(str, range(20)))
    labels, parts, classes = np.zeros(20, np.int64), np.full(20, ""), ("foreground",)
    return Dataset(images, labels, parts, None, names, classes, masks=inside[..., None].astype(np.uint8))


def fit(discs: Dataset, folder: Path, epochs: int, **learner: Any) -> tuple[Fitted, RunDir]:
    run = RunDir(folder)
    run.path.mkdir(exist_ok=True)
    rows = Split(np.arange(14), np.arange(14, 20), np.arange(0))
    adam = partial(training.adam, learning_rate=1e-2)
    learner = {"model": SMALL, "augment": MOVED, "optimizer": adam, "batch_size": 4, **learner}
    return training.gradient(discs, rows, SEGMENTATION, run, 0, epochs=epochs, **learner), run


@pytest.mark.parametrize("way", [MOVED, partial(augmentation.randaugment, fill_mode="constant", fill_value=40.0)])
def test_masks_move_as_their_images_do(discs: Dataset, way: Any):
    targets = SEGMENTATION.target(discs, np.arange(20))[np.arange(20)]
    pure = targets * 255  # images that are their own masks
    vary = SEGMENTATION.vary(way())
    for seed in range(5):
        images, moved, _ = vary(pure, targets, np.ones(20, np.float32), np.array([0, seed], np.int64))
        moved = np.asarray(moved)
        assert set(np.unique(moved)) == {0.0, 1.0}  # by nearest neighbour, and nothing of the target comes in
        if way is MOVED:  # which recolours nothing
            alike = (np.asarray(images) > 127) == (moved > 0.5)
            assert alike.mean() > 0.97
            assert alike[:, 8:-8, 8:-8].mean() > 0.97
    assert not np.array_equal(moved, targets)


def test_what_mixes_labels_is_refused_for_masks():
    with pytest.raises(BadInputError, match="mixup mixes labels"):
        _variant(augment=augmentation.mixup).check()
    with pytest.raises(BadInputError, match="balanced is for tasks with classes"):
        _variant(imbalance=training.balanced).check()
    with pytest.raises(BadInputError, match="focal is for tasks with classes"):
        _variant(loss=losses.focal).check()
    with pytest.raises(BadInputError, match=r"models\.resnet does not suit the task 'segmentation'.*models\.unet"):
        network(models.resnet, SEGMENTATION, (32, 32, 1), 1)
    with pytest.raises(BadInputError, match="unet is for tasks with masks"):
        Variant(_variant().data, partial(training.gradient, model=models.unet), MULTICLASS).check()


def _variant(**learner: Any) -> Variant:
    from medcls import data

    return Variant(data.lungs, partial(training.gradient, **{"model": models.unet, **learner}), SEGMENTATION)


def test_mirrored_copies_come_beside_their_originals(discs: Dataset):
    rows = np.array([3, 5, 7])
    assert discs.masks is not None
    examples = stream.Examples(discs.images, rows, Picked(discs.masks, rows), np.ones(3, np.float32), mirrored=True)
    order = stream.shuffled(np.zeros(6, np.int64), 0)
    batches = list(stream.training(examples, order, augmentation.none().batch, 0, 4, range(1)))
    images, targets = (np.concatenate([np.asarray(batch[part]) for batch in batches]) for part in (0, 1))
    expected = {discs.images[row].astype(np.float32).tobytes() for row in rows}
    expected |= {np.ascontiguousarray(discs.images[row, :, ::-1]).astype(np.float32).tobytes() for row in rows}
    assert {image.tobytes() for image in images} == expected
    assert np.array_equal(images > 150, targets > 0)


@pytest.mark.slow
def test_a_network_learns_the_discs_and_goes_on_to_the_same_bits(discs: Dataset, tmp_path: Path):
    learner = {"loss": losses.cross_entropy_dice, "mirrored": True}
    whole, one = fit(discs, tmp_path / "whole", 20, **learner)
    fit(discs, tmp_path / "parts", 3, **learner)
    parts, other = fit(discs, tmp_path / "parts", 20, **learner)
    assert parts.weights_sha256 == whole.weights_sha256
    assert one.history() == other.history()
    rows = np.arange(14, 20)
    scores = SEGMENTATION.scores(SEGMENTATION.truth(discs, rows), whole.predict(rows), discs.classes)
    assert scores["dice"] > 0.8
    assert scores["dice"] == pytest.approx(one.history()["val_dice"][-1], abs=1e-5)
    assert set(one.history()) >= {"loss", "dice", "iou", "soft_dice", "val_loss", "val_dice", "learning_rate"}


@pytest.mark.slow
def test_each_loss_can_be_named_and_the_task_has_its_own(discs: Dataset, tmp_path: Path):
    histories = {
        each.__name__: fit(discs, tmp_path / each.__name__, 1, loss=each)[1].history()["val_loss"][0]
        for each in (losses.of_the_task, losses.pixel_cross_entropy, losses.dice, losses.tversky)
    }
    assert histories["of_the_task"] == histories["pixel_cross_entropy"]
    assert len(set(histories.values())) == 3


@pytest.mark.parametrize(
    ("base", "batch_norm", "total", "trainable"),
    [(8, False, 540_073, 540_073), (32, False, 8_629_921, 8_629_921), (16, True, 2_164_305, 2_161_361)],
)
def test_the_lungs_study_has_the_networks_of_the_laboratory(base: int, batch_norm: bool, total: int, trainable: int):
    net = network(partial(models.unet, base=base, batch_norm=batch_norm), SEGMENTATION, (256, 256, 1), 1)
    assert net.count_params() == total
    assert sum(int(np.prod(weight.shape)) for weight in net.trainable_weights) == trainable
    assert isinstance(net.layers[-1], keras.layers.Conv2D)
