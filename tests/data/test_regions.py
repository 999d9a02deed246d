"""What is marked in images: a phantom's own masks, and masks that lie beside files."""

from pathlib import Path

import numpy as np
import pytest

from medcls import data
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.writing import made, write
from medcls.data.regions import regions
from medcls.execution.planning.few_images import sample


@pytest.fixture
def hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> data.Hashes:
    monkeypatch.setenv("MEDCLS_DATA", str(tmp_path))
    return data.Hashes(tmp_path / "hashes.sqlite")


def test_a_phantom_marks_bone_and_letters_also_in_a_sample(hashes: data.Hashes) -> None:
    few = sample(data.bone(hashes, size=256), 2)
    found = regions(few)
    assert list(found) == ["bone", "label"]
    phantom = PHANTOMS["bone"]()
    for row in range(len(few.labels)):
        own = int(few.names[row])
        for name, region in found.items():
            assert np.array_equal(region(row), phantom.masks[name](own) >= 128)


def test_without_letters_femurs_are_equal_and_the_letters_place_is_marked(hashes: data.Hashes) -> None:
    lettered, bare = data.bone(hashes, size=256), data.bone_unlettered(hashes, size=256)
    assert lettered.fingerprint != bare.fingerprint
    assert np.array_equal(lettered.labels, bare.labels)
    label = regions(bare)["label"](3)
    assert label is not None
    differing = lettered.decode(3)[..., 0] != bare.decode(3)[..., 0]
    assert differing[label].any()
    assert not differing[~label].any()


def test_masks_beside_files_are_found_by_name_and_missing_ones_are_not_known(
    tmp_path: Path, hashes: data.Hashes
) -> None:
    phantom = made("bone", count=8)
    write(phantom, tmp_path / "made")
    bundle = data.folder(hashes, source=str(tmp_path / "made"), size=64)
    found = regions(bundle)
    assert list(found) == ["bone", "label"]
    masks = [found["bone"](row) for row in range(8)]
    assert all(mask is not None and mask.shape == (64, 64) and 0 < mask.mean() < 1 for mask in masks)
    (tmp_path / "made" / "bone_masks" / bundle.names[2]).unlink()
    (tmp_path / "made" / "bone_masks" / bundle.names[3]).write_text("no image")
    assert found["bone"](2) is None
    assert found["bone"](3) is None
    assert found["bone"](4) is not None


def test_a_folder_without_masks_marks_nothing(tmp_path: Path, hashes: data.Hashes, draw) -> None:
    draw(tmp_path / "plain", *(f"{label}/{number}.png" for label in "ab" for number in range(3)))
    assert regions(data.folder(hashes, source=str(tmp_path / "plain"))) == {}
    assert regions(data.bone_unlettered(hashes, source=str(tmp_path / "plain"))) == {}
