"""The API reference, built by Sphinx: no warning, and an entry for everything that a package exports."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import medcls

DOCS = Path(medcls.__file__).parents[1] / "docs"
PACKAGES = (
    "",
    ".augmentation",
    ".data",
    ".evaluation.answers",
    ".explain",
    ".losses",
    ".models",
    ".tasks",
    ".training",
)


def test_an_interpreter_completes_what_is_imported_lazily():
    assert set(medcls.__all__) <= set(dir(medcls))


@pytest.mark.slow
def test_everything_exported_has_an_entry(tmp_path: Path):
    sphinx = pytest.importorskip("sphinx.util.inventory")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", DOCS, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    inventory = sphinx.InventoryFile.loads((tmp_path / "objects.inv").read_bytes(), uri="").data
    entries = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    exported = set()
    for package in PACKAGES:
        name = f"medcls{package}"
        exported |= {f"{name}.{export}" for export in importlib.import_module(name).__all__}
    assert len(exported) > 80
    assert exported <= entries
