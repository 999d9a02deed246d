"""MedMNIST's .npz, Keras's mnist.npz and MNIST's idx files: the same data set whichever it comes from."""

import gzip
import os
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcls import BadInputError, data
from medcls.data.checks import examine
from medcls.data.dataset import TEST, TRAIN, VALIDATION, DatasetSpec
from medcls.data.loading import decoded_cache
from medcls.data.readers.stacks import Stack

SIDE = 9
Arrays = dict[str, np.ndarray]


def pixels(count: int, *more: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, count]).integers(0, 256, (count, SIDE, SIDE, *more), np.uint8)


def medmnist(*more: int, classes: int = 3) -> Arrays:
    """Return arrays as MedMNIST names them, with labels of shape (n, 1)."""
    counts = {"train": 4 * classes, "val": 2 * classes + 1, "test": 3 * classes + 2}
    images = {f"{part}_images": pixels(count, *more) for part, count in counts.items()}
    labels = {f"{part}_labels": (np.arange(count) % classes)[:, None] for part, count in counts.items()}
    return images | labels


def mnist() -> Arrays:
    return {
        "x_train": pixels(30),
        "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": pixels(20),
        "y_test": np.arange(20, dtype=np.uint8) % 10,
    }


def save_idx(folder: Path, arrays: Arrays, *, packed: bool, dot: bool = False) -> Path:
    """Write MNIST's four files: a big-endian header, then the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, key in {
        "train-images": "x_train",
        "train-labels": "y_train",
        "t10k-images": "x_test",
        "t10k-labels": "y_test",
    }.items():
        array = arrays[key].astype(np.uint8)
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        file = f"{name}{'.' if dot else '-'}idx{array.ndim}-ubyte"
        content = header + array.tobytes()
        (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.fixture
def describe(tmp_path: Path) -> Callable[..., DatasetSpec]:
    """Return a function from a source to its Bundle, with one store of hashes."""
    hashes = data.Hashes(tmp_path / "work" / "hashes")
    return lambda source, **keywords: data.folder(hashes, source=str(source), **{"size": SIDE, **keywords})


def holds(bundle: DatasetSpec, images: np.ndarray, labels: np.ndarray, part: str) -> bool:
    """Tell whether a bundle holds exactly these images in a part, each with its label."""
    rows = np.flatnonzero(bundle.parts == part)
    found = sorted((bundle.decode(row).tobytes(), int(bundle.classes[bundle.labels[row]])) for row in rows)
    return found == sorted((image.tobytes(), int(label)) for image, label in zip(images, labels.ravel(), strict=True))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("more", [(), (3,)], ids=["grey", "RGB"])
def test_medmnist(tmp_path: Path, describe: Callable, save: Callable, more: tuple[int, ...]) -> None:
    arrays = medmnist(*more)
    save(tmp_path / "breastmnist.npz", **arrays)
    bundle = describe(tmp_path / "breastmnist.npz", channels=3 if more else 1)
    assert bundle.classes == ("0", "1", "2")
    assert (bundle.kind, bundle.patients) == ("files", None)
    for word, part in {"train": TRAIN, "val": VALIDATION, "test": TEST}.items():
        assert holds(bundle, arrays[f"{word}_images"], arrays[f"{word}_labels"], part)
    assert len(set(bundle.names)) == len(bundle.names) == len(bundle.contents) == len(set(bundle.contents))
    row = bundle.names.index("val_images[4]")
    np.testing.assert_array_equal(bundle.decode(row).squeeze(), arrays["val_images"][4])
    assert bundle.stored(row) == ("RGB" if more else "grey", (SIDE, SIDE))


def test_mnist_is_one_data_set_in_whatever_files(tmp_path: Path, describe: Callable) -> None:
    arrays = mnist()
    np.savez_compressed(tmp_path / "mnist.npz", **arrays)
    bundle = describe(tmp_path / "mnist.npz")
    assert bundle.classes == tuple("0123456789")
    assert holds(bundle, arrays["x_train"], arrays["y_train"], TRAIN)
    assert holds(bundle, arrays["x_test"], arrays["y_test"], TEST)
    (tmp_path / "folder").mkdir()
    shutil.copy(tmp_path / "mnist.npz", tmp_path / "folder" / "any name.NPZ")
    (tmp_path / "folder" / "README.md").write_text("what this is")
    np.savez(tmp_path / "axis.npz", **arrays | {"x_test": arrays["x_test"][..., None]})
    both = save_idx(tmp_path / "both", arrays, packed=True)  # as torchvision leaves them
    others = [
        tmp_path / "folder",
        tmp_path / "axis.npz",
        save_idx(tmp_path / "packed", arrays, packed=True),
        save_idx(tmp_path / "unpacked", arrays, packed=False, dot=True),
        save_idx(both, arrays, packed=False),
    ]
    for other in map(describe, others):
        assert (other.fingerprint, other.contents) == (bundle.fingerprint, bundle.contents)
        for row in range(len(bundle.labels)):
            np.testing.assert_array_equal(other.decode(row), bundle.decode(row))


def test_eleven_classes_are_in_the_order_of_their_numbers(tmp_path: Path, describe: Callable) -> None:
    np.savez(tmp_path / "organ.npz", **medmnist(classes=11))
    assert describe(tmp_path / "organ.npz").classes == tuple(f"{number:02}" for number in range(11))


def test_the_fingerprint_is_over_every_pixel_label_and_part_and_not_the_order(
    tmp_path: Path, describe: Callable
) -> None:
    arrays = medmnist()

    def fingerprint_of(**changed: np.ndarray) -> str:
        np.savez(tmp_path / "a.npz", **arrays | changed)
        return describe(tmp_path / "a.npz").fingerprint

    before = fingerprint_of()
    order = np.random.default_rng(0).permutation(len(arrays["train_images"]))
    shuffled = {name: arrays[name][order] for name in ("train_images", "train_labels")}
    assert fingerprint_of(**shuffled) == before
    images, labels = arrays["train_images"].copy(), arrays["train_labels"].copy()
    images[7, 3, 3] ^= 1
    labels[0] = 2
    exchanged = {"val_images": arrays["test_images"], "val_labels": arrays["test_labels"]}
    exchanged |= {"test_images": arrays["val_images"], "test_labels": arrays["val_labels"]}
    changes = [{"train_images": images}, {"train_labels": labels}, {"train_labels": arrays["train_labels"][order]}]
    prints = {fingerprint_of(**changed) for changed in [{}, *changes, exchanged]}
    assert len(prints) == 5


def test_images_are_hashed_once_and_again_only_when_the_file_changes(
    tmp_path: Path, describe: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.npz"
    np.savez_compressed(source, **medmnist())
    hashed: list[str] = []
    whole = Stack.sha256_of_rows
    monkeypatch.setattr(Stack, "sha256_of_rows", lambda stack: hashed.append(stack.name) or whole(stack))
    before = describe(source)
    assert sorted(hashed) == ["test_images", "train_images", "val_images"]
    assert describe(source).contents == before.contents
    assert len(hashed) == 3
    np.savez_compressed(source, **medmnist() | {"val_images": pixels(7, seed=1)})
    assert describe(source).fingerprint != before.fingerprint
    assert len(hashed) == 6
    later = time.time_ns() + 10**9
    os.utime(source, ns=(later, later))
    describe(source)
    assert len(hashed) == 9


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_cache_takes_them_and_nothing_is_left_beside_it(tmp_path: Path, describe: Callable, save: Callable) -> None:
    save(tmp_path / "a.npz", **medmnist(3))
    bundle = describe(tmp_path / "a.npz", channels=3)
    decoded = decoded_cache.open_decoded(decoded_cache.prepare(bundle, tmp_path / "work"))
    np.testing.assert_array_equal(decoded.images, [bundle.decode(row) for row in range(len(bundle.labels))])
    np.testing.assert_array_equal(decoded.labels, bundle.labels)
    left = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert left == sorted(["hashes", "lock", f"{bundle.fingerprint[7:23]}-{SIDE}x{SIDE}x3"])


def test_what_is_said_of_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **medmnist())
    described = examine(str(tmp_path / "a.npz"), data.Hashes(tmp_path / "h"))
    assert described.bundle.layout == "arrays in a.npz"
    assert described.channels == {"grey": 12 + 7 + 11}
    assert described.counts()["train"] == {"0": 4, "1": 4, "2": 4}
    save_idx(tmp_path / "idx", mnist(), packed=True)
    assert examine(str(tmp_path / "idx"), data.Hashes(tmp_path / "h")).bundle.layout == "MNIST's idx files"


def without(*names: str) -> Arrays:
    return {name: array for name, array in medmnist().items() if name not in names}


REFUSED: dict[str, tuple[Arrays, str]] = {
    "many labels": (medmnist() | {"train_labels": np.zeros((12, 14), int)}, "14 labels for each image .* one label"),
    "too few labels": (medmnist() | {"val_labels": np.zeros((6, 1), int)}, r"7 images in val_images and val_labels of"),
    "labels as words": (medmnist() | {"train_labels": np.array(["a"] * 12)}, "train_labels of type <U1"),
    "fractions": (medmnist() | {"train_labels": np.linspace(0, 1, 12)}, "train_labels of type float64"),
    "below zero": (medmnist() | {"train_labels": np.full(12, -1)}, "a whole number from 0"),
    "pickles": (medmnist() | {"train_labels": np.array([{}] * 12, object)}, "cannot be read .*allow_pickle"),
    "pickled images": (medmnist() | {"train_images": np.array([{}] * 12, object)}, "train_images of type object"),
    "floating point": (medmnist() | {"train_images": pixels(12) / 255}, "train_images of type float64: .* uint8"),
    "volumes": (medmnist() | {"train_images": pixels(12, SIDE)}, r"shape \(12, 9, 9, 9\): give \(images, height"),
    "flat": (medmnist() | {"train_images": pixels(12).reshape(12, -1)}, r"shape \(12, 81\)"),
    "no images": (medmnist() | {"train_images": pixels(0), "train_labels": np.zeros(0, int)}, r"shape \(0, 9, 9\)"),
    "Fortran": (medmnist() | {"val_images": np.asfortranarray(pixels(7))}, "val_images in Fortran's order"),
    "no labels": (without("test_labels"), "test_images and no test_labels"),
    "no train": (without("train_images", "train_labels"), "no image of 0 to train on"),
    "twice": (medmnist() | {"x_train": pixels(3), "y_train": np.zeros(3)}, "other images for train"),
    "other names": ({"features": np.zeros(3), "target": np.zeros(3)}, "holds features, target: give train_images"),
    "nothing": ({}, "holds no arrays: give"),
    "one class": (medmnist(classes=1), "one class only"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_arrays_of_which_no_study_can_be_made_are_refused(fault: str, tmp_path: Path, describe: Callable) -> None:
    arrays, message = REFUSED[fault]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInputError, match=message) as refusal:
        describe(tmp_path / "a.npz")
    assert str(tmp_path / "a.npz") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_no_pickle_is_ever_loaded(tmp_path: Path, describe: Callable) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "sprung",))

    for name in ("train_images", "train_labels"):
        np.savez(tmp_path / "a.npz", **medmnist() | {name: np.array([Trap()] * 12, object)})
        with pytest.raises(BadInputError):
            describe(tmp_path / "a.npz")
    assert not (tmp_path / "sprung").exists()


def longer(content: bytes) -> bytes:
    """Return a .npy file whose header says a hundred times as many images as it holds."""
    return content.replace(b"(12, 9, 9)", b"(1200,9,9)", 1)


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, change(content) if name == "train_images.npy" else content)


def flipped(path: Path, change: bytes = b"\x55") -> None:
    """Change one byte among the pixels, which only the checksum can tell."""
    content = bytearray(path.read_bytes())
    place = content.index(pixels(12)[5].tobytes()) + 40
    content[place] ^= change[0]
    path.write_bytes(content)


def single() -> bytes:
    """Return what `np.save` writes."""
    file = BytesIO()
    np.save(file, pixels(3))
    return file.getvalue()


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no arrays"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a byte changed": flipped,
    "a header that says more": lambda path: rewritten(path, longer),
    "pixels that end early": lambda path: rewritten(path, lambda content: content[:-10]),
    "pixels too many": lambda path: rewritten(path, lambda content: content + b"more"),
    "no header": lambda path: rewritten(path, lambda content: content[128:]),
    "an empty array": lambda path: rewritten(path, lambda content: b""),
    "a single array": lambda path: path.write_bytes(single()),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_npz_is_refused_in_one_sentence_that_names_it(fault: str, tmp_path: Path, describe: Callable) -> None:
    np.savez(tmp_path / "a.npz", **medmnist())
    BROKEN[fault](tmp_path / "a.npz")
    with pytest.raises(BadInputError) as refusal:
        describe(tmp_path / "a.npz")
    assert str(refusal.value).startswith(str(tmp_path / "a.npz"))
    assert "\n" not in str(refusal.value)


@given(st.booleans(), st.data())
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, packed: bool, choose: st.DataObject
) -> None:
    file = BytesIO()
    (np.savez_compressed if packed else np.savez)(file, **medmnist())
    content = bytearray(file.getvalue())
    for _ in range(choose.draw(st.integers(1, 4))):
        content[choose.draw(st.integers(0, len(content) - 1))] = choose.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "a.npz").write_bytes(content[: choose.draw(st.integers(len(content) // 2, len(content)))])
    try:
        bundle = data.folder(data.Hashes(folder / "h"), source=str(folder / "a.npz"), size=SIDE)
        assert bundle.decode(0).shape == (SIDE, SIDE, 1)
    except BadInputError as error:
        assert "a.npz" in str(error)  # noqa: PT017 - either is right


IDX_BROKEN: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("train-images-idx3-ubyte", lambda content: b"", "does not begin as an idx file"),
    "text": ("t10k-labels-idx1-ubyte", lambda content: b"no labels", "does not begin as an idx file"),
    "header cut off": ("train-images-idx3-ubyte", lambda content: content[:10], "ends within its header"),
    "cut off": ("train-images-idx3-ubyte", lambda content: content[:-5], "ends after 29 of 30 images"),
    "too long": ("t10k-images-idx3-ubyte", lambda content: content + b"1", "more than its header"),
    "other numbers": ("train-images-idx3-ubyte", lambda content: b"\0\0\x0d\3" + content[4:], "does not begin"),
    "labels that lack": ("train-labels-idx1-ubyte", lambda content: content[:-2], r"30.* labels and it holds .*28"),
    "other labels": ("t10k-labels-idx1-ubyte", lambda content: content[:7] + b"\x13" + content[8:-1], "20 images in"),
}


@pytest.mark.parametrize("fault", IDX_BROKEN)
@pytest.mark.parametrize("packed", [False, True])
def test_broken_idx_files_are_refused(fault: str, packed: bool, tmp_path: Path, describe: Callable) -> None:
    name, change, message = IDX_BROKEN[fault]
    path = save_idx(tmp_path / "idx", mnist(), packed=packed) / (f"{name}.gz" if packed else name)
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    path.write_bytes(gzip.compress(change(content)) if packed else change(content))
    with pytest.raises(BadInputError, match=message) as refusal:
        describe(tmp_path / "idx")
    assert name[:5] in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_packed_files_that_are_cut_off_or_not_packed_are_refused(tmp_path: Path, describe: Callable) -> None:
    path = save_idx(tmp_path / "idx", mnist(), packed=True) / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for content in (whole[:-20], gzip.decompress(whole), b""):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match=f"{path} cannot be read"):
            describe(tmp_path / "idx")


def test_a_folder_holds_one_data_set(tmp_path: Path, describe: Callable, draw: Callable) -> None:
    folder = save_idx(tmp_path / "idx", mnist(), packed=True)
    np.savez(folder / "a.npz", **medmnist())
    with pytest.raises(BadInputError, match=r"several files of arrays \(a.npz, .*: give one of the .npz"):
        describe(folder)
    np.savez(tmp_path / "two.npz", **medmnist())
    shutil.copy(tmp_path / "two.npz", tmp_path / "one.npz")
    with pytest.raises(BadInputError, match=r"several files of arrays \(one.npz, two.npz\)"):
        describe(tmp_path)
    (folder / "a.npz").unlink()
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BadInputError, match="lacks t10k-labels of MNIST's four idx files"):
        describe(folder)
    images = draw(tmp_path / "images", "A/a.png", "B/b.png")
    np.savez(images / "features.npz", **medmnist())
    assert describe(images).classes == ("A", "B")  # where there are images, they are the data set


def test_room_that_is_lacking_to_unpack_is_one_sentence(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", **medmnist() | {"train_images": np.zeros((12, 300, 300), np.uint8)})
    code = """
import resource, sys
from medcls import data
from medcls import data
bundle = data.folder(data.Hashes(sys.argv[1] + "/h"), source=sys.argv[1] + "/a.npz")
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    print(bundle.decode(bundle.names.index("train_images[0]")))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"BadInputError {tmp_path}/a.npz cannot be unpacked into {tmp_path} (File too large)")
    assert done.stderr == ""


REAL = {"mnist": ({TRAIN: 60000, TEST: 10000}, 10), "medmnist": ({TRAIN: 3882, TEST: 624, VALIDATION: 524}, 2)}


@pytest.mark.skipif("MEDCLS_TEST_DATA" not in os.environ, reason="needs real images in MEDCLS_TEST_DATA")
@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_completely(name: str, describe: Callable) -> None:
    counts, classes = REAL[name]
    bundle = describe(Path(os.environ["MEDCLS_TEST_DATA"]) / name, size=28)
    assert Counter(bundle.parts.tolist()) == counts
    assert len(bundle.classes) == classes
    file = next((Path(os.environ["MEDCLS_TEST_DATA"]) / name).glob("*.npz"))
    with np.load(file) as loaded:
        arrays = dict(loaded)
    for row in range(0, len(bundle.names), 97):
        array, number = bundle.names[row].removesuffix("]").split("[")
        np.testing.assert_array_equal(bundle.decode(row)[:, :, 0], arrays[array][int(number)])
        labels = arrays[array.replace("images", "labels").replace("x_", "y_")]
        assert int(bundle.classes[bundle.labels[row]]) == labels[int(number)]
