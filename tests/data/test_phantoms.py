"""The phantoms: the same pixels everywhere, no two alike, neither trivial nor noise."""

import hashlib
import math
import os
import pickle
import subprocess
import sys
from types import FrameType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION
from medcls.data.phantoms import PHANTOMS, xray
from medcls.data.phantoms.drawing import Body, Oval, Pose, Ring, Rod
from medcls.data.phantoms.types import SIZE, Phantom
from medcls.utils.code_digest import reached

PER_CLASS = 40


@pytest.fixture(scope="module")
def balanced() -> Phantom:
    return xray.phantom(train=(PER_CLASS,) * 9, test=(PER_CLASS // 2,) * 9)


@pytest.fixture(scope="module")
def images(balanced: Phantom) -> NDArray[np.uint8]:
    return np.stack([balanced.render(row) for row in range(len(balanced.labels))])


def digest(phantom: Phantom, rows: list[int]) -> str:
    pixels = {row: phantom.render(row).tobytes() for row in rows}
    return hashlib.sha256(b"".join(pixels[row] for row in sorted(rows))).hexdigest()


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_phantom_describes_every_row(name: str) -> None:
    phantom = PHANTOMS[name]()
    assert phantom.name == name
    assert phantom.labels.dtype == np.int64
    assert phantom.labels.shape == phantom.parts.shape
    assert set(phantom.parts.tolist()) <= {TRAIN, VALIDATION, TEST, UNSPLIT}
    assert list(phantom.classes) == sorted(phantom.classes)  # as a folder's classes are, so that labels agree
    for part in np.unique(phantom.parts):
        present = phantom.labels[phantom.parts == part]
        assert sorted(set(present.tolist())) == list(range(max(len(phantom.classes), 1)))
    assert phantom.classes or phantom.masks
    assert phantom.patients is None or phantom.patients.shape == phantom.labels.shape


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_phantom_renders_pictures_and_masks_of_its_shape(name: str) -> None:
    phantom = PHANTOMS[name]()
    pictures = []
    for row in np.linspace(0, len(phantom.labels) - 1, 8).astype(int).tolist():
        picture = phantom.render(row)
        assert picture.shape == phantom.shape
        assert picture.dtype == np.uint8
        pictures.append(picture)
        for mask in (render(row) for render in phantom.masks.values()):
            assert mask.shape == phantom.shape[:2]
            assert mask.dtype == np.uint8
            assert set(np.unique(mask).tolist()) <= {0, 255}
    assert np.median([picture.std() for picture in pictures]) > 8
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("name", PHANTOMS)
def test_another_seed_is_another_phantom(name: str) -> None:
    one, other = PHANTOMS[name](seed=0), PHANTOMS[name](seed=1)
    assert one.recipe != other.recipe
    assert one.render(1).tobytes() != other.render(1).tobytes()
    np.testing.assert_array_equal(one.parts, other.parts)


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_phantom_has_the_same_pixels_in_a_fresh_process_in_another_order(name: str) -> None:
    rows = np.linspace(0, len(PHANTOMS[name]().labels) - 1, 10).astype(int).tolist()
    script = (
        "import hashlib, sys\n"
        "from medcls.data.phantoms import PHANTOMS\n"
        f"phantom = PHANTOMS[{name!r}]()\n"
        f"pixels = {{row: phantom.render(row).tobytes() for row in {rows[::-1]}}}\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        f"print(hashlib.sha256(b''.join(pixels[row] for row in {rows})).hexdigest(), phantom.recipe)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    fresh = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert fresh.stderr == ""
    assert fresh.stdout.strip() == f"{digest(PHANTOMS[name](), rows)} {PHANTOMS[name]().recipe}"


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_phantom_survives_the_way_to_a_worker(name: str) -> None:
    phantom = PHANTOMS[name]()
    copy = pickle.loads(pickle.dumps(phantom))
    assert copy.recipe == phantom.recipe
    np.testing.assert_array_equal(copy.render(3), phantom.render(3))


def test_importing_phantoms_loads_nothing_heavy() -> None:
    script = "import sys, medcls.data.phantoms as p; [make() for make in p.PHANTOMS.values()]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "scipy", "PIL", "sklearn", "matplotlib"} & set(loaded)


def test_xray_has_the_course_shape() -> None:
    phantom = PHANTOMS["xray"]()
    assert phantom.classes == ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9")
    train = np.bincount(phantom.labels[phantom.parts == TRAIN])
    test = np.bincount(phantom.labels[phantom.parts == TEST])
    assert train.tolist() == [270, 126, 153, 63, 198, 63, 99, 27, 81]
    assert (train.sum(), test.sum()) == (1080, 270)
    assert train.max() == 10 * train.min()
    np.testing.assert_allclose(test / test.sum(), train / train.sum(), atol=0.005)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.integers(0, 8), min_size=1, max_size=3), more=st.integers(1, 50))
def test_a_picture_depends_on_its_seed_row_and_class_only(rows: list[int], more: int) -> None:
    few, many = xray.phantom(train=(1,) * 9, test=(1,) * 9), xray.phantom(train=(1,) * 9, test=(more,) * 9)
    for row in rows:
        np.testing.assert_array_equal(few.render(row), many.render(row))


def test_no_two_pictures_are_alike(images: NDArray[np.uint8]) -> None:
    assert len({picture.tobytes() for picture in images}) == len(images)
    assert xray.phantom(seed=1).render(0).tobytes() != xray.phantom(seed=0).render(0).tobytes()


def test_pictures_use_the_greys_without_drowning_in_black_or_white(images: NDArray[np.uint8]) -> None:
    assert 40 < images.mean() < 150
    assert np.median([len(np.unique(picture)) for picture in images]) > 100
    assert np.mean((images > 5) & (images < 250)) > 0.75


def test_recipe_names_all_that_makes_the_pixels() -> None:
    recipes = [
        xray.phantom().recipe,
        xray.phantom(seed=1).recipe,
        xray.phantom(train=(28,) * 9).recipe,
        xray.phantom(test=(28,) * 9).recipe,
    ]
    assert len(set(recipes)) == len(recipes)
    assert xray.phantom().recipe == recipes[0]


@pytest.mark.parametrize("name", PHANTOMS)
def test_recipe_follows_every_function_that_draws(name: str) -> None:
    phantom = PHANTOMS[name]()
    rendered = [phantom.render, *phantom.masks.values()]
    digested = {(item.__module__, item.__qualname__) for item in reached(rendered)}
    drawing: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("medcls.data.phantoms") and frame.f_code.co_filename != "<string>":
            function = frame.f_code.co_qualname.partition(".<locals>")[0]
            drawing.add((module, function.rpartition(".")[0] or function))  # of a method its class

    sys.setprofile(note)
    try:
        for row in range(0, len(phantom.labels), len(phantom.labels) // 12):
            for render in rendered:
                render(row)
    finally:
        sys.setprofile(None)
    lambdas = {(module, function) for module, function in drawing if function == "<lambda>"}
    assert len(drawing) > 5
    assert drawing - lambdas <= digested


def test_classes_differ_but_pixels_alone_do_not_tell_them(images: NDArray[np.uint8], balanced: Phantom) -> None:
    thumbnails = np.stack([np.asarray(Image.fromarray(picture).resize((24, 24))).ravel() for picture in images]) / 255
    train = balanced.parts == TRAIN
    classifier = LogisticRegression(C=0.1, max_iter=300).fit(thumbnails[train], balanced.labels[train])
    guessed = classifier.predict(thumbnails[~train])
    assert 0.3 < balanced_accuracy_score(balanced.labels[~train], guessed) < 0.7


def test_every_region_is_known_by_its_bones_once_nothing_disturbs() -> None:
    def shadow(label: int, number: int) -> NDArray[np.float32]:
        body = Body(Pose(60, 64 + 64j))
        xray.REGIONS[label](body, np.random.default_rng(number))
        return body.tissue + 3 * body.bone

    known = np.stack([shadow(label, number) for label in range(9) for number in range(12)])
    for label in range(9):
        for number in range(12, 16):
            distances = np.mean((known - shadow(label, number)) ** 2, axis=(1, 2))
            assert np.argmin(distances) // 12 == label


@pytest.mark.parametrize(
    ("solid", "volume"),
    [
        (Rod(0j, 0j, 0.4), 4 / 3 * math.pi * 0.4**3),
        (Rod(-0.3, 0.2 + 0.1j, 0.2), 4 / 3 * math.pi * 0.2**3 + math.pi * 0.2**2 * abs(0.5 + 0.1j)),
        (Oval(0.1j, 0.4 + 0.2j, 0.3, 0.25), 4 / 3 * math.pi * abs(0.4 + 0.2j) * 0.3 * 0.25),
        (Ring(0j, 0.5j, 0.5, 0.1), 2 * math.pi**2 * 0.5 * 0.1**2),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_paths_through_a_solid_add_up_to_its_volume(solid, volume: float, mirrored: bool) -> None:
    for turn in (60, 45 + 20j):
        body = Body(Pose(turn, 64 + 64j, mirrored))
        body.add_tissue(solid)
        assert 2 * body.tissue.sum() / abs(turn) ** 2 == pytest.approx(volume, rel=0.02)


def test_a_bone_is_brightest_at_its_rim_and_a_mirrored_one_is_its_mirror_image() -> None:
    bone = Rod(-0.4j, 0.2 + 0.4j, 0.3)
    plain, mirrored = Body(Pose(50, 64 + 64j)), Body(Pose(50, 64 + 64j, mirrored=True))
    plain.add_bone(bone, wall=0.25, spongy=0.2)
    mirrored.add_bone(bone, wall=0.25, spongy=0.2)
    profile = plain.bone[SIZE // 2]
    middle = int(np.flatnonzero(profile).mean())
    assert profile.max() > 1.5 * profile[middle] > 0
    np.testing.assert_allclose(mirrored.bone[:, 1:], plain.bone[:, :0:-1], atol=1e-5)


def test_air_leaves_no_less_than_nothing_and_spares_what_is_filled() -> None:
    body = Body(Pose(50, 64 + 64j))
    body.add_tissue(Rod(0j, 0j, 0.8))
    before = body.tissue.copy()
    body.add_air(Rod(0j, 0j, 0.5), density=3, but=[Rod(0.2, 0.2, 0.6)])
    assert body.tissue.min() >= 0
    assert body.tissue[64, 50] < before[64, 50]
    assert body.tissue[64, 74] == before[64, 74]
