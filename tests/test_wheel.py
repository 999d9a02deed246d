"""The wheel where there is no checkout: its studies run by name, and its hints say how a wheel is extended."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import medcls

ROOT = Path(medcls.__file__).parents[1]
PACKAGES = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]


def call(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=1800)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources, as building leaves files beside them."""
    home = tmp_path_factory.mktemp("wheel")
    sources = home / "sources"
    hidden = shutil.ignore_patterns("__pycache__")
    for name in ("medcls", "studies"):
        shutil.copytree(ROOT / name, sources / name, ignore=hidden)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    flags = ("--no-deps", "--no-build-isolation", "--no-index")
    done = call(sys.executable, "-m", "pip", "wheel", *flags, "-w", home, sources, folder=home)
    assert done.returncode == 0, done.stderr
    return next(home.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """Return the Python of a new environment with the wheel, which borrows its dependencies from that of the tests."""
    home = wheel.parent / "environment"
    done = call(sys.executable, "-m", "venv", "--without-pip", home, folder=wheel.parent)
    assert done.returncode == 0, done.stderr
    python = home / "bin" / "python"
    flags = ("--no-deps", "--no-index")
    done = call(sys.executable, "-m", "pip", "--python", python, "install", *flags, wheel, folder=wheel.parent)
    assert done.returncode == 0, done.stderr
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text("\n".join(PACKAGES))  # their own .pth files, such as medcls's, do not count
    return python


@pytest.mark.slow
def test_the_wheel_has_every_study_as_it_is_in_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {}
        for name in archive.namelist():
            assert name.startswith(("medcls/", f"medcls-{medcls.__version__}.dist-info/"))
            if name.startswith("medcls/_studies/"):
                packed[Path(name).name] = archive.read(name)
    studies = {path.name: path.read_bytes() for path in (ROOT / "studies").glob("*.py") if path.stem != "__init__"}
    assert packed == studies


@pytest.mark.slow
def test_in_an_empty_folder_a_study_runs_by_its_name_and_results_stay_there(python: Path, tmp_path: Path) -> None:
    place = "import medcls; print(medcls.__file__)"
    assert call(python, "-c", place, folder=tmp_path).stdout.startswith(str(python.parents[1]))
    summary = tmp_path / "summary.json"
    done = call(python, "-m", "medcls", "run", "bonus_resnet", "--smoke", "--json", summary, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {run["status"] for run in json.loads(summary.read_text())["runs"]} == {"finished"}
    assert {path.name for path in tmp_path.iterdir()} >= {"mlflow.db", "mlruns"}

    done = call(python, "-m", "medcls", "studies", folder=tmp_path)
    assert "bonus_resnet" in done.stdout
    assert "runs finished on xray" in done.stdout
    done = call(python, "-m", "medcls", "report", "bonus_resnet", folder=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_hints_name_what_extends_a_wheel(python: Path, tmp_path: Path) -> None:
    asked = "from medcls.utils.installation import pip_install; print(pip_install('onnx'), pip_install(tested=True))"
    hints = call(python, "-c", asked, folder=tmp_path).stdout
    assert hints == 'python -m pip install "medcls[onnx]" python -m pip install "medcls"\n'
