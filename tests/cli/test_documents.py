"""Every command of the documents, typed in a checkout of its own, in a home with the files that they speak of.

What trains for long is typed with --plan. Left to others are the installation (`.ci/run`), servers (test_cli.py,
test_serving.py) and what downloads (test_download.py, test_fetch.py).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import medcls

ROOT = Path(medcls.__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = ("python -m pip", "mlflow ui", "medcls ui", "mlflow models serve", "curl", "medcls data fetch")
DOWNLOADS = "medmnist:"
TRAINED = (
    "studies/bonus_resnet.py --smoke",
    "studies/bonus_resnet.py --smoke --data ~/my_images",
    "-m medcls run task1a_dropout task1b_batch_norm --smoke",
)


def commands(document: Path) -> list[str]:
    """Return the lines of a document's blocks of shell commands, without what is said of them."""
    blocks = re.findall(r"^```sh\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines() if line.strip()]


def typed_here(line: str) -> bool:
    return not line.startswith(ELSEWHERE) and DOWNLOADS not in line


class House:
    """A checkout with a home beside it, in which some studies have been run, tiny."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.home = folder / "checkout", folder / "home"
        self.checkout.mkdir()
        for name in ("medcls", "studies"):
            shutil.copytree(ROOT / name, self.checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        for name in ("C1", "C4"):  # a class of the documents
            draw(self.home / "my_images" / "train" / name, 12)
            draw(self.home / "my_images" / "validation" / name, 6)
        for number in range(8):
            draw(self.home / "my_slices" / "ab"[number % 2] / f"pat{number}", 3, f"pat{number}_")
        draw(self.home / "films", 2)
        for name in ("image.png", "film.png"):
            shutil.copy(self.home / "films" / "0.png", self.checkout / name)
        images = keras.Input((32, 32, 1))
        marks = keras.layers.Conv2D(1, 1, activation="sigmoid")(keras.layers.Rescaling(1 / 255)(images))
        (self.checkout / "lungs").mkdir()
        keras.Model(images, marks).save(self.checkout / "lungs" / "model.keras")

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a command in the checkout."""
        words = line.replace("~/", f"{self.home}/")
        words = re.sub(r"^medcls ", f"{sys.executable} -m medcls ", words)
        words = re.sub(r"^python ", f"{sys.executable} ", words)
        taken = ("MLFLOW_TRACKING_URI", "MEDCLS_DATA", "MEDCLS_WEIGHTS")
        environment = {name: value for name, value in os.environ.items() if name not in taken}
        environment |= {"HOME": str(self.home), "PYTHONPATH": str(self.checkout), "BROWSER": "true"}
        return subprocess.run(
            words, shell=True, cwd=self.checkout, env=environment, capture_output=True, text=True, timeout=900
        )


def draw(folder: Path, count: int, before: str = "") -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.random.default_rng([len(str(folder)), number]).integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(pixels).save(folder / f"{before}{number}.png")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    for line in TRAINED:
        done = house.type(f"python {line}")
        assert done.returncode == 0, done.stderr
    done = house.type("medcls export bonus_resnet --out best")
    assert done.returncode == 0, done.stderr
    yield house
    shutil.rmtree(house.checkout)


def test_documents_have_commands_and_what_is_left_to_others_is_little():
    lines = [line for document in DOCUMENTS for line in commands(document)]
    assert len(lines) > 30
    assert sum(map(typed_here, lines)) > 0.7 * len(lines)


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_command_of_a_document_does_what_is_said(house: House, document: Path):
    for line in filter(typed_here, commands(document)):
        trains = line.startswith(("python studies/", "medcls run")) and "--plan" not in line
        out = re.search(r"--(?:out|mask) (\S+)", line)
        if out:
            remove(house.checkout / out.group(1))
        done = house.type(f"{line} --plan" if trains else line)
        assert done.returncode in ((0, 1) if line == "medcls doctor" else (0,)), f"{line}\n{done.stdout}{done.stderr}"
        told = done.stderr if re.search(r"--(?:csv|latex|markdown) ", line) else done.stdout  # tables are in files
        assert told.strip(), line


def remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        text = document.read_text()
        for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", text):
            if target.startswith("http"):
                continue
            file = (document.parent / target).resolve() if target else document
            assert file.exists(), (document.name, target)
            if heading:
                titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
                anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
                assert heading in anchors, (document.name, target, heading)
