"""Each phantom by itself: the course's shape, and the signs, letters and masks that it promises."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION
from medcls.data.phantoms import PHANTOMS, bone, breast, femur, glands, lungs, nodules, shapes, skin, texture
from medcls.data.phantoms.drawing import Body, Pose
from medcls.data.phantoms.types import Phantom


def counts(phantom: Phantom) -> dict[str, list[int]]:
    return {
        part: np.bincount(phantom.labels[phantom.parts == part]).tolist()
        for part in dict.fromkeys(phantom.parts.tolist())
    }


def some(phantom: Phantom, count: int) -> NDArray[np.int64]:
    return np.linspace(0, len(phantom.labels) - 1, count).astype(int)


def reddish(picture: NDArray[np.uint8]) -> float:
    return float(np.median(picture[..., 0].astype(float) - picture[..., 1]))


def linear_accuracy(phantom: Phantom, count: int) -> float:
    """Return what a linear model on thumbnails is right about, on images that it has not seen."""
    rows = some(phantom, count)
    grey = [Image.fromarray(phantom.render(row)).convert("L").resize((24, 24)) for row in rows]
    pixels = np.stack([np.asarray(picture).ravel() for picture in grey]) / 255
    model = LogisticRegression(C=0.01, max_iter=500)
    return float(np.mean(cross_val_predict(model, pixels, phantom.labels[rows], cv=4) == phantom.labels[rows]))


@pytest.mark.parametrize(
    ("name", "classes", "shape", "parts"),
    [
        ("skin", ("Mel", "Nev"), (192, 192, 3), {TRAIN: [500, 500], VALIDATION: [100, 100]}),
        ("bone", ("AFF", "NFF"), (256, 256), {TRAIN: [556, 556], VALIDATION: [48, 48]}),
        ("lungs", (), (256, 256), {TRAIN: [160], VALIDATION: [40]}),
        ("nodules", (), (256, 256), {TRAIN: [160], VALIDATION: [40]}),
        ("glands", (), (128, 128, 3), {TRAIN: [85], TEST: [60]}),
        ("breast", ("0", "1"), (50, 50, 3), {UNSPLIT: [1728, 672]}),
    ],
)
def test_a_phantom_has_the_course_shape(name: str, classes: tuple, shape: tuple, parts: dict) -> None:
    phantom = PHANTOMS[name]()
    assert (phantom.classes, phantom.shape) == (classes, shape)
    assert counts(phantom) == parts


@pytest.mark.parametrize("name", ["skin", "bone"])
def test_a_linear_model_on_pixels_does_poorly(name: str) -> None:
    assert linear_accuracy(PHANTOMS[name](), 160) < 0.7


def test_skin_signs_tell_as_much_as_its_docstring_says() -> None:
    shown = {
        melanoma: np.array(
            [
                (sign.asymmetry, sign.border, sign.colours, sign.veil, sign.structure)
                for sign in (skin._signs(np.random.default_rng(row), melanoma=melanoma) for row in range(2000))
            ]
        )
        for melanoma in (True, False)
    }
    suspicion = {kind: np.log(sign / (1 - sign)).mean(axis=1) for kind, sign in shown.items()}
    right = np.mean([suspicion[True] > 0, suspicion[False] < 0])
    expected = statistics.NormalDist().cdf(skin.SEPARATION / math.sqrt(1 + skin.ERROR**2 / 5))
    assert right == pytest.approx(expected, abs=0.015)
    assert f"worth {expected:.0%}" in skin.__doc__
    assert f"right about {statistics.NormalDist().cdf(skin.SEPARATION):.0%}" in skin.__doc__
    single = np.mean([shown[True] > 0.5, shown[False] < 0.5], axis=(0, 1))
    assert (single < right).all()  # no sign is enough by itself
    assert (single > 0.8).all()


def test_skin_lesions_are_as_dark_and_as_large_in_both_classes() -> None:
    phantom = skin.phantom()
    rows = [np.flatnonzero(phantom.labels == label)[:40] for label in (0, 1)]
    light = [np.mean([phantom.render(row).mean() for row in each]) for each in rows]
    assert light[0] == pytest.approx(light[1], rel=0.06)


def test_bone_letters_lie_in_their_mask_and_change_nothing_else() -> None:
    with_letters, without = bone.phantom(), bone.phantom(label=False)
    assert with_letters.recipe != without.recipe
    for row in some(with_letters, 8).tolist():
        changed = with_letters.render(row) != without.render(row)
        mask = with_letters.masks["label"](row) > 0
        np.testing.assert_array_equal(without.masks["label"](row) > 0, mask)
        assert not changed[~mask].any()
        assert changed[mask].mean() > 0.05
        assert 0.001 < mask.mean() < 0.06


@pytest.mark.parametrize("telling", [0.5, 0.85, 1.0])
def test_bone_letters_betray_the_class_as_often_as_told(telling: float) -> None:
    phantom = bone.phantom(telling=telling)
    low = [np.argwhere(phantom.masks["label"](row))[:, 0].mean() > 128 for row in range(len(phantom.labels))]
    assert np.mean(np.array(low) == phantom.labels) == pytest.approx(telling, abs=0.04)


def test_bone_mask_is_the_femur_bright_and_long() -> None:
    phantom = bone.phantom(label=False)
    brighter, shares = [], []
    for row in some(phantom, 12).tolist():
        picture, mask = phantom.render(row).astype(float), phantom.masks["bone"](row) > 0
        shares.append(mask.mean())
        brighter.append(picture[mask].mean() - picture[~mask].mean())
        assert np.ptp(np.argwhere(mask)[:, 0]) > 100
    assert min(brighter) > 10
    assert 0.03 < min(shares) < max(shares) < 0.4


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_fracture_line_starts_at_the_lateral_cortex_under_a_beak(mirrored: bool) -> None:
    pose = Pose(60, 64 + 4j, mirrored)
    sign = femur.Atypia(place=0.8, beak=0.04, height=0.08, gap=0.8, width=0.01, reach=0.5)

    def path(atypia: femur.Atypia | None) -> NDArray[np.float32]:
        body = Body(pose)
        body.add_bone(femur.Shaft(0j, 1.9, 0.1, 0.0, (0.4, 0.4), atypia))
        return np.roll(body.bone[:, ::-1], 1, axis=1) if mirrored else body.bone

    plain, broken = path(None), path(sign)
    line, lateral, medial = 4 + round(0.8 * 60), 64 + round(0.08 * 60), 64 - round(0.08 * 60)
    assert broken[line, lateral] < 0.5 * plain[line, lateral]  # missing in the lateral cortex
    assert broken[line, medial] == pytest.approx(plain[line, medial], rel=0.1)  # not in the medial one
    assert (broken[line - 5 : line - 2] > 0).sum() > (plain[line - 5 : line - 2] > 0).sum()  # the beak stands out
    np.testing.assert_allclose(broken[:30], plain[:30], atol=1e-3)
    np.testing.assert_allclose(broken[80:], plain[80:], atol=1e-3)


def test_only_atypical_femurs_have_the_signs() -> None:
    for atypical in (True, False):
        shafts = [femur.plan(np.random.default_rng(row), atypical=atypical)[0][0] for row in range(20)]
        assert all((shaft.atypia is not None) == atypical for shaft in shafts)


def test_lung_masks_are_two_dark_lungs_beside_the_middle() -> None:
    phantom, shares = lungs.phantom(), []
    for row in some(phantom, 20).tolist():
        picture, mask = phantom.render(row).astype(float), phantom.masks["lungs"](row) > 0
        shares.append(mask.mean())
        middle = int(np.argwhere(mask)[:, 1].mean())
        assert mask[:, middle].mean() < 0.1 < min(mask[:, :middle].mean(), mask[:, middle:].mean())
        rows = np.argwhere(mask)[:, 0]
        spine = picture[rows.min() : rows.max(), middle - 5 : middle + 5]
        assert picture[mask].mean() < spine.mean()
    assert 0.1 < min(shares) < 0.25 < max(shares) < 0.5  # of real films: 0.10 to 0.41


def test_nodules_are_one_to_three_small_marks_brighter_than_what_is_around_them() -> None:
    phantom, counts, shares, brighter = nodules.phantom(), [], [], []
    for row in some(phantom, 30).tolist():
        picture, mask = phantom.render(row).astype(float), phantom.masks["nodule"](row) > 0
        parts, count = ndimage.label(mask)
        counts.append(count)
        shares.append(mask.mean())
        for number in range(1, count + 1):
            around = ndimage.binary_dilation(parts == number, iterations=4) & ~mask
            brighter.append(picture[parts == number].mean() - picture[around].mean())
    assert set(counts) == {1, 2, 3}
    assert 0.0004 < min(shares) < 0.003 < max(shares) < 0.01
    assert np.mean(np.array(brighter) > 0) > 0.95
    assert np.quantile(brighter, 0.1) < 18  # of 255: some faintly
    assert np.quantile(brighter, 0.9) > 36  # some plainly


def test_no_threshold_finds_the_nodules() -> None:
    phantom, best = nodules.phantom(), []
    for row in some(phantom, 12).tolist():
        picture, mask = phantom.render(row), phantom.masks["nodule"](row) > 0
        told = [picture > level for level in range(0, 255, 5)]
        best.append(max(2 * (mask & each).sum() / (mask.sum() + each.sum()) for each in told))
    assert np.mean(best) < 0.1


def test_gland_masks_cover_about_half_and_hold_most_of_the_white_and_the_purple() -> None:
    phantom = glands.phantom()
    shares = [float((phantom.masks["glands"](row) > 0).mean()) for row in some(phantom, 40).tolist()]
    assert 0.35 < np.median(shares) < 0.65  # of Warwick's: 0.52
    assert 0.02 < min(shares) < 0.35
    assert 0.65 < max(shares) < 0.97


def test_breast_patches_belong_to_patients_whose_stain_and_burden_they_share() -> None:
    phantom = breast.phantom()
    patients, sizes = np.unique(phantom.patients, return_counts=True)
    assert 150 < len(patients) < 300
    assert sizes.max() > 3 * np.median(sizes)
    share = np.array([phantom.labels[phantom.patients == patient].mean() for patient in patients[sizes >= 8]])
    expected = math.sqrt(0.28 * 0.72 / sizes[sizes >= 8].mean())
    assert share.std() > 1.5 * expected  # patients differ by more than by chance
    benign = [np.flatnonzero((phantom.patients == patient) & (phantom.labels == 0))[:4] for patient in patients]
    hues = [[reddish(phantom.render(row)) for row in rows] for rows in benign if len(rows) == 4][:16]
    within = np.mean([np.var(each) for each in hues])
    assert np.var([np.mean(each) for each in hues]) > 0.3 * within


@settings(max_examples=20)
@given(images=st.integers(2, 400), seed=st.integers(0, 5))
def test_breast_has_its_share_of_carcinomas_in_any_number_of_patches(images: int, seed: int) -> None:
    phantom = breast.phantom(seed=seed, images=images)
    assert phantom.labels.sum() == max(round(0.28 * images), 1)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), waves=st.dictionaries(st.integers(2, 12), st.floats(0, 0.1), max_size=4))
def test_an_outline_is_level_1_on_its_curve_and_less_inside(seed: int, waves: dict[int, float]) -> None:
    outline = shapes.wavy(np.random.default_rng(seed), 0.2 - 0.1j, 0.5, longer=1.5, waves=waves)
    angle = np.arange(shapes.ANGLES) * math.tau / shapes.ANGLES + 1e-4
    x = np.float32(0.2) + outline.radii * np.cos(angle).astype(np.float32)
    y = np.float32(-0.1) + outline.radii * np.sin(angle).astype(np.float32)
    step = np.abs(outline.radii / np.roll(outline.radii, 1) - 1).max()  # a point may get its neighbour's radius
    np.testing.assert_allclose(outline.level(x, y), 1, atol=float(step) + 0.001)
    assert (outline.level(0.5 * x + 0.1, 0.5 * y - 0.05) < 0.6).all()


def test_filled_and_drawn_cover_as_much_as_they_should() -> None:
    square = [10 + 10j, 30 + 10j, 30 + 30j, 10 + 30j]
    assert shapes.filled(64, [square]).sum() == pytest.approx(400, rel=0.06)
    assert shapes.drawn(64, [((5 + 32j, 55 + 32j), 4.0)]).sum() == pytest.approx(200, rel=0.12)


@settings(max_examples=25)
@given(sigma=st.floats(0.5, 20), seed=st.integers(0, 100))
def test_smoothing_keeps_the_mean_and_takes_away_the_grain(sigma: float, seed: int) -> None:
    field = np.random.default_rng(seed).random((96, 96), dtype=np.float32)
    smoothed = texture.smooth(field, sigma)
    assert smoothed.shape == field.shape
    assert smoothed.mean() == pytest.approx(field.mean(), abs=0.02)
    assert smoothed.std() < field.std()


@settings(max_examples=15)
@given(cells=st.integers(2, 40), seed=st.integers(0, 100))
def test_clouds_are_centred_and_finer_with_more_cells(cells: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse, fine = texture.clouds(rng, 128, cells), texture.clouds(rng, 128, 2 * cells + 2)
    assert np.isfinite(coarse).all()
    assert abs(coarse.mean()) < 3.5 / cells
    assert np.abs(np.diff(fine, axis=0)).mean() > 0.8 * np.abs(np.diff(coarse, axis=0)).mean()
