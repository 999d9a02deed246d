"""--weights on the command line: files known by what is in them, and what a search takes over from them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import keras
import pytest

from medcls import BadInputError, Variant, data, models, training
from medcls.execution.planning.weights import inherited, with_weights
from medcls.spec import Search, choice, floats
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.training.result import Fitted

BASE = Variant(
    data=partial(data.xray, size=8),
    learner=partial(training.gradient, model=partial(models.resnet, depth=8)),
    task=MULTICLASS,
)
SPACE = {
    "learner.model.depth": choice(8, 14),
    "learner.model.dropout": floats(0.0, 0.5),
    "learner.batch_size": choice(8, 16),
}
SAVED = {"learner.model": "models.resnet", "learner.model.depth": 14, "learner.model.dropout": 0.25}


def other(data: Any, split: Any, task: Any, folder: Any, seed: int, *, neighbours: int = 3) -> Fitted:
    """A learner that begins with no weights."""
    raise NotImplementedError


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tmp_path / "exported"
    folder.mkdir()
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    net.save(folder / "model.keras")
    net.save_weights(folder / "model.weights.h5")
    return folder


def begun(variant: Variant, given: str | None, work: Path) -> Variant:
    """Return the variant as a study has it under --weights."""
    return with_weights([("a", variant)], given, work)[0][1]


def known(exported: Path, work: Path) -> str:
    """Return the digest of an exported model's weights, and write it down as the export does."""
    digest = str(begun(BASE, str(exported), work).get("learner.weights"))
    papers = {"weights": digest, "parameters": SAVED, "data": {"fingerprint": "sha256:0"}}
    (exported / "preprocessing.json").write_text(json.dumps(papers))
    return digest


def test_the_key_depends_on_the_content_and_not_on_the_place(exported: Path, tmp_path: Path):
    keys = set()
    for name in ("model.keras", "model.weights.h5", ""):
        variant = begun(BASE, str(exported / name), tmp_path / "work")
        keys.add(Run(variant, "sha256:0").key)
    moved = exported.rename(tmp_path / "moved")
    keys.add(Run(begun(BASE, str(moved), tmp_path / "another"), "sha256:0").key)
    assert len(keys) == 1
    assert keys != {Run(BASE, "sha256:0").key}
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(moved / "model.keras")
    (moved / "model.weights.h5").unlink()
    assert Run(begun(BASE, str(moved), tmp_path), "sha256:0").key not in keys


def test_without_the_flag_nothing_changes_and_random_leaves_the_weights_out(exported: Path, tmp_path: Path):
    assert begun(BASE, None, tmp_path) == BASE
    variant = begun(BASE, str(exported), tmp_path)
    assert begun(variant, None, tmp_path) == variant != BASE
    assert begun(variant, "random", tmp_path) == BASE


def test_weights_that_a_study_declares_are_known_by_their_content_too(exported: Path, tmp_path: Path):
    declared = BASE.with_("learner.weights", str(exported))
    assert begun(declared, None, tmp_path) == begun(BASE, str(exported), tmp_path)


def test_a_learner_without_weights_refuses_them(exported: Path, tmp_path: Path):
    variant = Variant(data=BASE.data, learner=other, task=MULTICLASS)
    assert begun(variant, None, tmp_path) == variant
    with pytest.raises(BadInputError, match="--weights"):
        begun(variant, str(exported), tmp_path)
    mixed = dict(with_weights([("a", variant), ("b", BASE)], str(exported), tmp_path))
    assert mixed["a"] == variant
    assert mixed["b"] != BASE


@pytest.mark.parametrize("text", ["gone.keras", "imagenet", "0" * 64, "x" * 5000])
def test_what_is_no_file_is_refused(text: str, tmp_path: Path):
    with pytest.raises(BadInputError, match=r"an exported folder, a \.keras or \.weights\.h5 file, or random"):
        begun(BASE, text, tmp_path)


def test_a_search_takes_the_saved_network_and_leaves_the_rest_to_be_searched(exported: Path, tmp_path: Path):
    known(exported, tmp_path)
    base = begun(BASE, str(exported / "model.keras"), tmp_path)
    taken = inherited(Search(SPACE), base, {}, tmp_path)
    assert taken == {"learner.model.depth": "14", "learner.model.dropout": "0.25"}
    for path, text in taken.items():
        base = base.set_text(path, text)
    assert (base.get("learner.model.depth"), base.get("learner.model.dropout")) == (14, 0.25)
    assert inherited(Search(SPACE), base, {"learner.model.dropout": "0"}, tmp_path) == {"learner.model.depth": "14"}


def test_a_search_over_what_is_not_known_of_the_saved_network_is_refused(exported: Path, tmp_path: Path):
    base = begun(BASE, str(exported), tmp_path)  # no papers beside
    with pytest.raises(BadInputError, match=r"varies learner.model.depth.*--set learner.model.depth=8"):
        inherited(Search(SPACE), base, {}, tmp_path)
    fixed = {"learner.model.depth": "8", "learner.model.dropout": "0"}
    assert inherited(Search(SPACE), base, fixed, tmp_path) == {}
    assert inherited(Search(SPACE), BASE, {}, tmp_path) == {}


def test_papers_of_other_weights_are_not_believed(exported: Path, tmp_path: Path):
    known(exported, tmp_path / "first")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save_weights(exported / "model.weights.h5")
    base = begun(BASE, str(exported), tmp_path / "work")
    with pytest.raises(BadInputError, match="varies"):
        inherited(Search(SPACE), base, {}, tmp_path / "work")
