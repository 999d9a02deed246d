"""What a source means: built-in names, the user's own data, paths; and what importing the package costs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medcls import BadInputError, data
from medcls.data.phantoms import PHANTOMS
from medcls.data.resolve import find

Draw = Callable[..., Path]


@pytest.fixture
def hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> data.Hashes:
    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return data.Hashes(tmp_path / "hashes")


def test_a_built_in_name_without_images_is_its_phantom(hashes: data.Hashes) -> None:
    phantom = PHANTOMS["xray"]()
    bundle = data.xray(hashes)
    assert (bundle.kind, bundle.source, bundle.name) == ("phantom", "xray", "xray")
    assert bundle.classes == tuple(f"C{number}" for number in range(1, 10))
    np.testing.assert_array_equal(bundle.labels, phantom.labels)
    np.testing.assert_array_equal(bundle.decode(7), data.xray(hashes).decode(7))
    assert bundle.decode(0).shape == (64, 64, 1)
    assert data.xray(hashes, size=32, channels=3).decode(0).shape == (32, 32, 3)
    assert data.xray(hashes, size=32, channels=3).fingerprint == bundle.fingerprint
    np.testing.assert_array_equal(data.xray(hashes, size=128).decode(5)[:, :, 0], phantom.render(5))


def test_a_built_in_name_is_looked_for_in_the_users_data(
    hashes: data.Hashes, tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = draw(tmp_path / "own" / "xray", "train/C1_1.png", "train/C2_1.png", "test/C2_2.png")
    monkeypatch.setenv("MEDCLS_DATA", str(own.parent))
    bundle = data.xray(hashes)
    assert (bundle.kind, bundle.source, bundle.name) == ("files", str(own), "xray")
    assert len(bundle.labels) == 3
    monkeypatch.setenv("MEDCLS_DATA", str(own))  # has no folder xray
    assert data.xray(hashes).kind == "phantom"
    monkeypatch.setenv("MEDCLS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(BadInputError, match=r"MEDCLS_DATA .*nowhere"):
        data.xray(hashes)


def test_a_path_replaces_a_built_in_set_but_not_its_name(hashes: data.Hashes, tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "mine", "A/a.png", "B/b.png")
    bundle = data.xray(hashes, source=str(source))
    assert (bundle.kind, bundle.source, bundle.name) == ("files", str(source), "xray")
    assert bundle.fingerprint == data.folder(hashes, source=str(source)).fingerprint


@pytest.mark.skipif(sys.platform != "linux", reason="downloads lie elsewhere on other systems")
def test_what_is_fetched_is_found_in_the_users_data_then_in_the_cache(
    hashes: data.Hashes, tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, own = "medmnist:pathmnist", tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("MEDCLS_DATA", str(own))
    with pytest.raises(BadInputError, match=f"medcls data fetch {name}, .*{own}/medmnist/pathmnist.npz or .*cache"):
        find(name)
    for home in (tmp_path / "cache" / "medcls", own):
        (home / "medmnist").mkdir(parents=True)
        (home / "medmnist" / "pathmnist.npz").touch()
        assert find(name) == home / "medmnist" / "pathmnist.npz"
    draw(tmp_path / "cache" / "medcls" / "xray", "A/a.png", "B/b.png")
    assert data.xray(hashes).source == str(tmp_path / "cache" / "medcls" / "xray")
    with pytest.raises(BadInputError, match=r"medmnist:pathmnis'.*medmnist:pathmnist"):
        find("medmnist:pathmnis")


@pytest.mark.skipif(sys.platform != "linux", reason="downloads lie elsewhere on other systems")
def test_mnist_is_one_file_or_a_folder_of_files(
    hashes: data.Hashes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own" / "mnist"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MEDCLS_DATA", str(folder.parent))
    (folder / "mnist.npz.part").touch()  # a download under way is no data set
    with pytest.raises(BadInputError, match="medcls data fetch mnist"):
        find("mnist")
    (folder / "train-images-idx3-ubyte.gz").touch()
    assert find("mnist") == folder
    (folder / "mnist.npz").touch()
    assert find("mnist") == folder / "mnist.npz"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to become a user without an entry")
def test_a_user_without_a_home_has_no_download_cache_and_everything_else(tmp_path: Path) -> None:
    become = "import os; from medcls.data.resolve import find; os.setgid(23456); os.setuid(23456); "
    code = become + "print(find('xray').name); find('mnist')"
    environment = {name: text for name, text in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "xray\n", done.stderr
    assert "put its file at $MEDCLS_DATA/mnist/mnist.npz." in done.stderr


@pytest.mark.parametrize("source", ["xrays", "/no/such/folder", "", "nul\0"])
def test_an_unknown_source_is_refused_with_what_is_known(hashes: data.Hashes, source: str) -> None:
    with pytest.raises(BadInputError, match=r"xray.*train/CLASS.*labels\.csv") as refusal:
        data.folder(hashes, source=source)
    assert repr(source) in str(refusal.value)


def test_a_single_image_is_no_data_set(hashes: data.Hashes, tmp_path: Path, draw: Draw) -> None:
    with pytest.raises(BadInputError, match=r"a\.png"):
        data.folder(hashes, source=str(draw(tmp_path, "a.png") / "a.png"))


@pytest.mark.parametrize(("keywords", "named"), [({"size": 0}, "size=0"), ({"channels": 2}, "channels=2")])
def test_impossible_shapes_are_refused(hashes: data.Hashes, keywords: dict[str, int], named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        data.xray(hashes, **keywords)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, medcls.data; print(*sorted(name for name in sys.modules if '.' not in name))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "sklearn", "scipy", "PIL", "pandas", "matplotlib", "requests", "pooch"} & set(
        loaded
    )
    assert "numpy" in loaded
