"""Heads on borrowed features: computed once, the same bits after any cut, one flat network at the end."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from medcls import BadInputError, augmentation, models, training
from medcls.data.dataset import Dataset, Split
from medcls.tasks import BINARY
from medcls.tracking.run_dir import RunDir
from medcls.training import backbone, programs
from medcls.training.feature_cache import features
from medcls.training.model_files import keep, put_together
from medcls.training.network import network
from medcls.training.result import Fitted, weights_sha256
from medcls.training.saved_weights import digest_of

SMALL = partial(models.pretrained, backbone="vgg16", dense=(4,))
SHAPE = (32, 32, 3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of a VGG16's weights, random ones, as keras.applications saves them."""
    path = tmp_path_factory.mktemp("weights") / "vgg16.weights.h5"
    keras.utils.set_random_seed(7)
    keras.applications.VGG16(False, None, input_shape=SHAPE).save_weights(path)
    return path


@pytest.fixture
def data() -> Dataset:
    """Return 20 images of two classes, the second brighter."""
    labels = np.arange(20) % 2
    noise = np.random.default_rng(0).integers(0, 120, (20, *SHAPE))
    images = (noise + 80 * labels[:, None, None, None]).astype(np.uint8)
    return Dataset(images, labels, np.full(20, ""), None, tuple(map(str, range(20))), ("a", "b"), "sha256:test")


ROWS = Split(np.arange(12), np.arange(12, 20), np.arange(0))


class Work:
    """A work folder with borrowed weights, in which runs are trained."""

    def __init__(self, path: Path, data: Dataset, file: Path) -> None:
        self.path, self.data, self.file = path, data, file

    def fit(self, name: str, seed: int = 0, learner: Any = training.transfer, **given: Any) -> Fitted:
        """Train a run in a folder of this name."""
        folder = RunDir(self.path / name)
        folder.path.mkdir(exist_ok=True)
        model = given.setdefault("model", SMALL)
        path = folder.saved_weights(backbone.origin(model, "digest").file(self.data.images.shape[1:]))
        if not path.exists():
            backbone.write_backbone(model, BINARY, "digest", self.data.images.shape[1:], 2, path, self.file)
        if learner is training.transfer:
            given = {"batch_size": 4, "epochs": 3, **given}
        return learner(self.data, ROWS, BINARY, folder, seed, pretrained="digest", **given)

    def cached(self) -> list[Path]:
        """Return the files of features."""
        return sorted((self.path / "cache" / "features").glob("*.npy"))


@pytest.fixture
def work(tmp_path: Path, data: Dataset, weights: Path) -> Work:
    return Work(tmp_path, data, weights)


def test_seeds_and_heads_share_features_and_the_whole_network_agrees(work: Work, data: Dataset):
    first = work.fit("a")
    made = [(path, path.stat().st_mtime_ns) for path in work.cached()]
    assert len(made) == 1
    assert work.fit("b", seed=1).weights_sha256 != first.weights_sha256
    work.fit("c", model=partial(SMALL, dense=(3, 2), dropout=0.0))
    assert [(path, path.stat().st_mtime_ns) for path in work.cached()] == made
    work.fit("d", model=partial(SMALL, preprocessing="own"))
    assert len(work.cached()) == 2
    assert not [each for each in first.model.layers if isinstance(each, keras.Model)]
    whole = first.model.predict(data.images.astype(np.float32), verbose=0)
    np.testing.assert_allclose(first.predict(np.arange(20))[:, 1:], whole, atol=1e-5)
    head = 512 * 4 + 4 + 4 + 1
    assert first.parameters == {"total": 14_714_688 + head, "trainable": head}


@pytest.mark.slow
@pytest.mark.parametrize("tuned", [{}, {"tuned_blocks": 1, "tuned_after": 1, "epochs": 2}], ids=["head", "blocks too"])
def test_next_run_of_a_program_has_the_bits_of_a_fresh_process(work: Work, tuned: dict[str, int]):
    def weights(program: str, seed: int) -> str:
        with programs.of_program(program):
            return work.fit(f"{program} {seed}", seed=seed, **tuned).weights_sha256

    fresh = [weights("", seed) for seed in range(3)]
    kept = [weights("one", seed) for seed in range(3)]
    assert programs.is_kept()
    programs.forget()
    assert kept == fresh


def test_of_a_borrowed_and_unchanged_body_the_head_alone_is_kept(work: Work):
    fitted, folder = work.fit("a", epochs=1), RunDir(work.path / "a")
    keep(fitted.model, fitted.body, folder)
    assert not folder.model.exists()
    assert sum(path.stat().st_size for path in folder.path.iterdir()) < 500_000
    again = put_together(folder)
    assert weights_sha256(again.get_weights()) == fitted.weights_sha256
    assert digest_of(again) == digest_of(fitted.model)
    (folder.path / "head.weights.h5").write_bytes(b"damaged")
    with pytest.raises(BadInputError, match=r"is damaged: remove borrowed\.json and run the study again"):
        put_together(folder)
    (path,) = (work.path / "weights").iterdir()
    path.unlink()
    with pytest.raises(BadInputError, match=r"are not there: run the study's command"):
        put_together(folder)


def test_features_are_those_of_the_network_in_the_file(work: Work, data: Dataset, weights: Path):
    work.fit("a", model=partial(SMALL, preprocessing="own"), epochs=1)
    net = keras.applications.VGG16(False, None, input_shape=SHAPE)
    net.load_weights(weights)
    fed = keras.applications.vgg16.preprocess_input(data.images.astype(np.float32))
    np.testing.assert_allclose(np.load(work.cached()[0]), net.predict(fed, verbose=0), rtol=1e-4, atol=1e-4)


STAGES = {
    "head": {"optimizer": partial(training.adam, learning_rate=0.01), "stop": partial(training.early, patience=2)},
    "tuned": {
        "tuned_blocks": 1,
        "tuned_after": 2,
        "tuned_rate": 1e-3,
        "epochs": 4,
        "augment": partial(augmentation.standard, horizontal_flip=True),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_training_cut_off_anywhere_ends_with_the_same_bits(work: Work, name: str):
    given = {"epochs": 3, **STAGES[name]}
    whole = work.fit("whole", **given)
    for epochs in (given["epochs"] - 2, given["epochs"] - 1):  # where the stages meet, and after
        work.fit("cut", **{**given, "epochs": epochs})
    again = work.fit("cut", **given)
    assert again.weights_sha256 == whole.weights_sha256
    history = [RunDir(work.path / run).history() for run in ("whole", "cut")]
    assert history[0] == history[1]
    assert work.fit("cut", **given).weights_sha256 == whole.weights_sha256


@pytest.mark.slow
def test_tuning_changes_the_last_blocks_alone_at_the_lower_rate(work: Work):
    head = work.fit("head", epochs=2).model
    fitted = work.fit("tuned", **STAGES["tuned"])
    assert fitted.body == ""  # it is no longer the one that was borrowed
    tuned = fitted.model
    body = backbone.halves(tuned).body
    last = set(backbone.blocks_of(body)[-1])
    assert last == {"block5_conv1", "block5_conv2", "block5_conv3"}
    for layer in body.layers:
        moved = any(
            not np.array_equal(a, b)
            for a, b in zip(layer.get_weights(), head.get_layer(layer.name).get_weights(), strict=True)
        )
        assert moved == (layer.name in last), layer.name
    rates = RunDir(work.path / "tuned").history()["learning_rate"]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 1e-3], rtol=1e-6)


class Counted:
    """A body that counts the batches that it sees."""

    output_shape = (None, 5)

    def __init__(self) -> None:
        self.batches = 0

    def predict_on_batch(self, images: Any) -> Any:
        """Return some of the pixels as features."""
        self.batches += 1
        return images.reshape(len(images), -1)[:, :5] + 0.5


@pytest.mark.parametrize("kept", [0, 3, 130, 130 + 8 * 20 + 7, 130 + 16 * 20])
@pytest.mark.parametrize("suffix", [".npy", ".unfinished"])
def test_features_cut_off_anywhere_go_on(tmp_path: Path, data: Dataset, kept: int, suffix: str):
    path, said = tmp_path / "features" / "f.npy", []
    whole = np.array(features(Counted, data, path, lambda *each: said.append(each)))
    assert said == [(0, 20), (8, 20), (16, 20), (20, 20)]
    content = path.read_bytes()
    path.unlink()
    path.with_suffix(suffix).write_bytes(content[:kept])
    body = Counted()
    assert np.array_equal(features(lambda: body, data, path, lambda *_: None), whole)
    assert path.read_bytes() == content
    held = max(0, kept - 128) // 20 // 8
    assert body.batches == 3 - held
    assert not path.with_suffix(".unfinished").exists()


def test_a_file_of_the_old_kind_is_taken_too(tmp_path: Path, weights: Path):
    net = keras.applications.VGG16(False, None, input_shape=SHAPE)
    net.load_weights(weights)
    with h5py.File(tmp_path / "old.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, net)
    body = backbone.halves(network(SMALL, BINARY, SHAPE, 2)).body
    backbone.take(body, tmp_path / "old.h5")
    for mine, theirs in zip(body.weights, net.weights, strict=True):
        assert np.array_equal(mine, theirs)
    other = backbone.halves(network(partial(SMALL, backbone="vgg19"), BINARY, SHAPE, 2)).body
    with pytest.raises(BadInputError, match=r"old\.h5 has the weights of another network"):
        backbone.take(other, tmp_path / "old.h5")


def test_weights_of_another_network_are_refused_and_the_layer_named(work: Work):
    with pytest.raises(BadInputError, match=r"another network: layer \w+ is [\dx +]+ there and [\dx +]+ here"):
        work.fit("a", model=partial(SMALL, backbone="vgg19"))


def test_grey_images_are_seen_as_three_equal_channels(tmp_path: Path, data: Dataset, weights: Path):
    grey = data.images[..., :1]
    found = []
    for images in (grey, np.repeat(grey, 3, axis=-1)):
        seen = Dataset(images, data.labels, data.parts, None, data.names, data.classes, "sha256:test")
        work = Work(tmp_path / str(images.shape[-1]), seen, weights)
        work.path.mkdir()
        found.append(work.fit("a", epochs=1).predict(np.arange(20)))
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_neighbours_vote_as_scikit_learn_says_and_learnt_images_find_themselves(work: Work, data: Dataset):
    mended = work.fit("a", learner=training.neighbours, count=3)
    features = normalize(np.load(work.cached()[0]).reshape(20, -1))
    known = KNeighborsClassifier(3).fit(features[:12], data.labels[:12])
    np.testing.assert_allclose(mended.predict(ROWS.validation), known.predict_proba(features[12:]), atol=1e-6)
    history = RunDir(work.path / "a").history()
    assert history["val_accuracy"] == [float(np.mean(known.predict(features[12:]) == data.labels[12:]))]
    assert history["neighbours"] == [3.0]
    assert mended.parameters == {"total": 14_714_688, "trainable": 0}
    voted = mended.model.predict_on_batch(np.asarray(data.images[12:], np.float32))
    np.testing.assert_allclose(voted, known.predict_proba(features[12:]), atol=1e-6)
    keep(mended.model, mended.body, RunDir(work.path / "a"))
    again = put_together(RunDir(work.path / "a"))
    assert weights_sha256(again.get_weights()) == mended.weights_sha256
    np.testing.assert_array_equal(again.predict_on_batch(np.asarray(data.images[12:], np.float32)), voted)
    alone = work.fit("b", learner=training.neighbours, count=1)
    assert RunDir(work.path / "b").history()["accuracy"] == [1.0]  # each is its own nearest
    course = work.fit("c", learner=training.neighbours, count=3, normalise_queries=False)
    asked = known.predict_proba(np.load(work.cached()[0]).reshape(20, -1)[12:])
    np.testing.assert_allclose(course.predict(ROWS.validation), asked, atol=1e-6)
    np.testing.assert_allclose(asked, known.predict_proba(features[12:]), atol=1e-6)  # the order of x.k, whatever |x|
    np.testing.assert_allclose(
        course.model.predict_on_batch(np.asarray(data.images[12:], np.float32)), asked, atol=1e-6
    )
    assert len({each.weights_sha256 for each in (mended, alone, course)}) == 1  # they have learnt the same images


def test_equally_near_neighbours_vote_alike_in_the_run_and_in_its_network(work: Work, data: Dataset):
    images, labels = np.array(data.images), np.array(data.labels)
    images[6:12], labels[6:12] = images[:6], 1 - labels[:6]  # all that is learnt from has both classes
    images[12:16] = images[:4]
    work.data = replace(data, images=images, labels=labels)
    asked = np.asarray(images[12:], np.float32)
    for count in (1, 3, 12):
        fitted = work.fit(f"run{count}", learner=training.neighbours, count=count)
        votes = fitted.predict(ROWS.validation)
        if count in (1, 12):
            np.testing.assert_allclose(votes, 0.5, atol=1e-6)
        np.testing.assert_allclose(fitted.model.predict_on_batch(asked), votes, atol=1e-6)
        for row, image in enumerate(asked):
            np.testing.assert_allclose(fitted.model.predict_on_batch(image[None])[0], votes[row], atol=1e-6)


def test_neighbours_by_averages_of_maps(tmp_path: Path, data: Dataset, weights: Path):
    work = Work(tmp_path, replace(data, images=data.images.repeat(2, 1).repeat(2, 2)), weights)
    ended = work.fit("a", learner=training.neighbours, model=partial(SMALL, pooling="average"), count=3)
    maps = np.load(work.cached()[0])
    assert maps.shape == (20, 2, 2, 512)
    features = normalize(maps.mean(axis=(1, 2)))
    known = KNeighborsClassifier(3).fit(features[:12], data.labels[:12])
    np.testing.assert_allclose(ended.predict(ROWS.validation), known.predict_proba(features[12:]), atol=1e-6)
    voted = ended.model.predict_on_batch(np.asarray(work.data.images[12:], np.float32))
    np.testing.assert_allclose(voted, known.predict_proba(features[12:]), atol=1e-6)


def test_the_number_of_neighbours_is_chosen_within_the_training_images(work: Work, data: Dataset):
    swapped = replace(data, labels=np.where(np.arange(20) < 12, data.labels, 1 - data.labels))
    found = []
    for each in (data, swapped):
        work.data = each
        name = f"run{len(found)}"
        work.fit(name, learner=training.neighbours, candidates=(1, 2, 5, 100))
        found.append(RunDir(work.path / name).history()["neighbours"])
    assert found[0] == found[1]  # whatever the others' labels are
    assert found[0][0] in (1.0, 2.0, 5.0)
    with pytest.raises(BadInputError, match=r"13 neighbours cannot be found among 12 training images"):
        work.fit("many", learner=training.neighbours, count=13)


def test_a_model_that_borrows_nothing_is_refused(work: Work):
    with pytest.raises(BadInputError, match=r"learner\.model must be pretrained"):
        work.fit("a", model=models.alexnet)
