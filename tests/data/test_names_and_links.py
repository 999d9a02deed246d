"""Names with blanks and accents, links of every kind, folders that may only be read."""

import os
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec
from medcls.data.loading import decoded_cache

Draw = Callable[..., Path]


@pytest.fixture
def describe(tmp_path: Path) -> Callable[..., DatasetSpec]:
    """Return a function from a source to its Bundle."""
    return lambda source: data.folder(data.Hashes(tmp_path / "work" / "hashes"), source=str(source), size=8)


def spelt(form: str, text: str) -> str:
    return unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_blanks_and_accents(form: str, tmp_path: Path, draw: Draw, describe: Callable) -> None:
    names = [spelt(form, name) for name in ("Os fémur/été à 5%.png", "Nævus/ü (2).jpg", "日本/写 真.png")]
    bundle = describe(draw(tmp_path / spelt(form, "mes études"), *names))
    assert bundle.classes == ("Nævus", "Os fémur", "日本")
    assert sorted(bundle.names) == sorted(names)
    decoded = decoded_cache.open_decoded(decoded_cache.prepare(bundle, tmp_path / "work"))
    assert decoded.names == bundle.names
    np.testing.assert_array_equal(decoded.images, [bundle.decode(row) for row in range(3)])


@pytest.mark.parametrize(("stored", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_table_finds_files_whose_accents_are_written_otherwise(
    stored: str, written: str, tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    names = ["é/é à.png", "é/ü.png"]
    source = draw(tmp_path / "set", *(spelt(stored, name) for name in names))
    lines = [f"{spelt(written, name)},{label}" for name, label in zip(names, ("A", "B"), strict=True)]
    (source / "labels.csv").write_text("\n".join(["path,label", *lines]), encoding="utf-8")
    assert sorted(describe(source).decode(row).shape for row in range(2)) == [(8, 8, 1)] * 2


def test_two_files_whose_names_differ_in_spelling_alone_are_two(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    source = draw(tmp_path / "set", spelt("NFC", "A/é.png"), spelt("NFD", "A/é.png"), "B/b.png")
    if len(list((source / "A").iterdir())) < 2:
        pytest.skip("this file system takes them for one")
    assert len(set(describe(source).names)) == 3


def test_links_to_files_folders_and_the_set_itself(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    real = draw(tmp_path / "store", "train/A/a.png", "train/B/b.png", "other.png", "more/c.png")
    source = tmp_path / "linked"
    source.symlink_to(real, target_is_directory=True)
    (real / "train/A/link.png").symlink_to(real / "other.png")
    (real / "train/A/folder").symlink_to(Path("..") / ".." / "more", target_is_directory=True)
    bundle = describe(source)
    assert sorted(bundle.names) == ["train/A/a.png", "train/A/folder/c.png", "train/A/link.png", "train/B/b.png"]
    assert bundle.fingerprint == describe(real).fingerprint


@pytest.mark.parametrize("target", [".", "..", "A"])
def test_a_link_back_up_adds_neither_classes_nor_images(
    target: str, tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    source = draw(tmp_path / "set", "train/A/a.png", "train/B/b.png", "test/A/c.png")
    before = describe(source).fingerprint
    (source / "train/A/loop").symlink_to(Path("..") / target, target_is_directory=True)
    assert describe(source).fingerprint == before
    if target != "A":
        (source / "train/loop").symlink_to(Path(target), target_is_directory=True)
        assert describe(source).fingerprint == before


def test_links_that_lead_nowhere_are_named(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    source = draw(tmp_path / "set", "A/a.png", "B/b.png")
    (source / "A/gone.png").symlink_to("nothing.png")
    (source / "A/self.png").symlink_to("self.png")
    with pytest.raises(BadInputError, match=r"2 of 4 images .*gone\.png \(missing.*self\.png \(missing"):
        decoded_cache.prepare(describe(source), tmp_path / "work")
    (source / "note.txt").symlink_to("nothing.txt")
    for name in ("gone", "self"):
        (source / f"A/{name}.png").unlink()
    assert len(describe(source).names) == 2
    for target in ("nothing", "C"):  # a class, or an image of a hospital: nobody can tell
        (source / "C").symlink_to(target)
        with pytest.raises(
            BadInputError, match=rf"{source}/C (is a link that leads|cannot be read).*: repair or remove it"
        ):
            describe(source)
        (source / "C").unlink()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    source = draw(tmp_path / "set", "A/a.png", "B/b.png")
    os.mkfifo(source / "A" / "IM0001")
    assert len(describe(source).names) == 2
    os.mkfifo(source / "A" / "x.png")
    with pytest.raises(BadInputError, match=r"1 of 3 images .*x\.png \(missing or not readable\)"):
        decoded_cache.prepare(describe(source), tmp_path / "work")


def test_a_folder_that_may_only_be_read_is_enough() -> None:
    code = """
import os, pathlib, sys
from medcls import data
from medcls.data.loading import decoded_cache as cache
from medcls import data
root = pathlib.Path(sys.argv[1])
def counts(work):
    for source in ("set", "table.csv", "a.npz"):
        bundle = data.folder(data.Hashes(work / "hashes"), source=str(root / "set" / source), size=8)
        yield len(cache.open_decoded(cache.prepare(bundle, work)).images)
list(counts(root / "first"))  # imports what the other user may not
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setuid(65534)  # the permissions do not bind root
try:
    (root / "set" / "trial").touch()
except PermissionError:
    print("read-only", *counts(root / "work"))
"""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "set" / "set").mkdir(parents=True)
        for number in range(4):
            image = root / "set" / "set" / f"{'AB'[number % 2]}_{number}.png"
            Image.new("L", (9, 9), number * 40).save(image)
        (root / "set" / "table.csv").write_text("path,label\nset/A_0.png,A\nset/B_1.png,B\n")
        arrays = {"x_train": np.zeros((5, 9, 9), np.uint8), "y_train": np.arange(5) % 2}
        np.savez_compressed(root / "set" / "a.npz", **arrays)
        (root / "work").mkdir()
        (root / "work").chmod(0o777)
        root.chmod(0o755)
        below = [root / "set", *(root / "set").rglob("*")]
        before = {path: path.stat().st_mtime_ns for path in below}
        for path in below:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True)
        (root / "set").chmod(0o755)
        assert done.stderr == ""
        assert done.stdout.split() == ["read-only", "4", "2", "5"]
        assert {path: path.stat().st_mtime_ns for path in (root / "set", *(root / "set").rglob("*"))} == before
