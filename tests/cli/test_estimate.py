"""How long a plan says that it will take: by what epochs of the same kind took, else of the same network."""

import json

import pytest

PACE = {"narrow": 100.0, "wide": 10.0}  # seconds an epoch
MORE = '''
def flat(images):
    """Return the images as they are."""
    return keras.layers.Flatten()(images)


STUDY = Study(
    name="tiny_study",
    question=STUDY.question,
    variants={
        **STUDY.variants,
        "wider": NARROW.with_("learner.model.units", 16),
        "flat": NARROW.with_("learner.model", flat),
    },
    seeds=(0, 1),
)

if __name__'''


@pytest.fixture
def paced(finished):
    """Return a place where each epoch of a variant took as long as `PACE` says."""
    for folder in finished.run_folders():
        seconds, journal = PACE[json.loads((folder / "run.json").read_text())["variant"]], folder / "journal.jsonl"
        rows = [json.loads(line) | {"seconds": seconds} for line in journal.read_text().splitlines()]
        journal.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return finished


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "0 s"),
        (["--seeds", "0,1,2"], "4 min"),  # 2 epochs of 100 s, 2 of 10 s
        (["--only", "wide", "--seeds", "0,1,2"], "20 s"),
        (["--set", "learner.epochs=4"], "7 min"),  # 2 epochs more of all four runs
    ],
)
def test_epochs_take_as_long_as_those_of_their_variant(paced, flags, said):
    ended = paced.run(paced.TINY, "--plan", "--data", paced.images, *flags)
    assert (ended.code, ended.err) == (0, "")
    assert f"Estimated time on one worker: {said}.\n" in ended.out


def test_a_variant_is_guessed_by_its_network_and_other_networks_are_counted_apart(paced, tmp_path):
    study = tmp_path / "other" / paced.TINY.name  # a name of its own would make other functions of the same ones
    study.parent.mkdir()
    study.write_text(paced.TINY.read_text().replace("\nif __name__", MORE))
    ended = paced.run(study, "--plan", "--data", paced.images)
    assert (ended.code, ended.err) == (0, "")
    assert "4 finished, 4 new." in ended.out
    guessed = "4 min"  # 4 epochs of 55 s, the median of all
    beside = "plus 2 runs of networks that have not been trained yet"
    assert f"Estimated time on one worker: {guessed}, {beside}.\n" in ended.out
