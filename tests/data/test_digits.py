"""MNIST is found and cut; where it is not to be had, scikit-learn's digits stand in and say what they are."""

import gzip
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec
from medcls.data.loading.decoded_cache import open_decoded, prepare

REAL = Path(os.environ.get("MEDCLS_TEST_DATA", "/nowhere")) / "mnist"


@pytest.fixture
def hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> data.Hashes:
    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return data.Hashes(tmp_path / "hashes")


def small(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images of 28x28 and labels of which every class has its share."""
    images = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_npz(folder: Path) -> Path:
    (x_train, y_train), (x_test, y_test) = small(600, 0), small(100, 1)
    folder.mkdir(parents=True)
    np.savez(folder / "mnist.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return folder


def write_idx(folder: Path, *, packed: bool) -> Path:
    folder.mkdir(parents=True)
    for name, seed, count in (("train", 0, 600), ("t10k", 1, 100)):
        images, labels = small(count, seed)
        for kind, array, number in (("images", images, 3), ("labels", labels, 1)):
            path = folder / f"{name}-{kind}-idx{number}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return folder


def parts(bundle: DatasetSpec) -> dict[str, int]:
    return dict(Counter(bundle.parts.tolist()))


def test_one_file_and_four_are_the_same_data_set(hashes: data.Hashes, tmp_path: Path) -> None:
    folders = [
        write_npz(tmp_path / "a"),
        write_idx(tmp_path / "b", packed=True),
        write_idx(tmp_path / "c", packed=False),
    ]
    one, *others = [data.mnist(hashes, source=str(folder)) for folder in folders]
    assert {other.fingerprint for other in others} == {one.fingerprint}
    assert (one.kind, one.name, parts(one)) == ("files", "mnist", {"train": 550, "validation": 50, "test": 100})
    assert one.decode(3).tolist() == others[0].decode(3).tolist()


def test_the_validation_set_is_stratified_and_makes_another_data_set(hashes: data.Hashes, tmp_path: Path) -> None:
    folder = str(write_npz(tmp_path / "mnist"))
    some, more = data.mnist(hashes, source=folder), data.mnist(hashes, source=folder, validation=12_000)
    assert parts(more) == {"train": 480, "validation": 120, "test": 100}
    assert set(Counter(more.labels[more.parts == "validation"].tolist()).values()) == {12}
    assert some.fingerprint != more.fingerprint
    assert some.fingerprint == data.mnist(hashes, source=folder).fingerprint
    test = data.folder(hashes, source=folder, size=28)
    assert {test.contents[row] for row in np.flatnonzero(test.parts == "test")} == {
        some.contents[row] for row in np.flatnonzero(some.parts == "test")
    }


def test_it_is_looked_for_by_name(hashes: data.Hashes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_npz(tmp_path / "own" / "mnist")
    monkeypatch.setenv("MEDCLS_DATA", str(folder.parent))
    found = data.mnist(hashes)
    assert (found.kind, found.source) == ("files", str(folder / "mnist.npz"))


def test_without_it_there_are_real_digits_that_say_what_they_are(hashes: data.Hashes, tmp_path: Path) -> None:
    digits, published = data.mnist(hashes), load_digits()
    assert (digits.kind, digits.name) == ("toolkit", "mnist")
    assert "1,797 real digits of 8x8 pixels" in digits.source
    assert digits.labels.tolist() == published.target.tolist()
    assert parts(digits) == {"train": 1412, "validation": 128, "test": 257}
    assert digits.decode(0).shape == (28, 28, 1)
    eight = data.mnist(hashes, size=8)
    assert np.array_equal(eight.decode(5)[:, :, 0], np.rint(published.images[5] * 255 / 16))
    decoded = open_decoded(prepare(digits, tmp_path / "decoded"))
    assert decoded.holds_images
    assert np.array_equal(decoded.images[7], digits.decode(7))


@pytest.mark.parametrize("validation", [0, -5, 60_000])
def test_holding_none_or_all_is_refused(hashes: data.Hashes, validation: int) -> None:
    with pytest.raises(BadInputError, match=rf"data\.validation={validation}"):
        data.mnist(hashes, validation=validation)


def test_a_cut_off_idx_file_is_named(hashes: data.Hashes, tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "mnist", packed=False)
    labels = folder / "train-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-5])
    with pytest.raises(BadInputError, match=r"train-labels-idx1-ubyte cannot be read .*600"):
        data.mnist(hashes, source=str(folder))


def test_a_missing_idx_file_is_named(hashes: data.Hashes, tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "mnist", packed=True)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BadInputError, match="lacks t10k-labels of MNIST's four idx files"):
        data.mnist(hashes, source=str(folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_train": np.zeros((600, 784), np.uint8)}, r"x_train of shape \(600, 784\)"),
        ({"y_train": np.zeros(599, np.uint8)}, r"600 images in x_train and y_train of shape \(599,\)"),
        ({"x_test": np.zeros((100, 28, 28), np.float32)}, "x_test of type float32"),
    ],
)
def test_arrays_of_wrong_shapes_are_named(
    hashes: data.Hashes, tmp_path: Path, change: dict[str, np.ndarray], words: str
) -> None:
    folder = write_npz(tmp_path / "mnist")
    with np.load(folder / "mnist.npz") as arrays:
        found = dict(arrays)
    np.savez(folder / "mnist.npz", **{**found, **change})
    with pytest.raises(BadInputError, match=words):
        data.mnist(hashes, source=str(folder))


@pytest.mark.skipif(not REAL.exists(), reason="no real MNIST here")
def test_of_the_real_one_5000_are_held(hashes: data.Hashes) -> None:
    assert parts(data.mnist(hashes, source=str(REAL))) == {"train": 55_000, "validation": 5_000, "test": 10_000}
