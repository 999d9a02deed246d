"""How long a plan says that it will take: by epochs of the same kind, else of the same network, else by its size."""

import json
import re

import pytest

from medcls.execution.executors.local import available_cores

PACE = {"narrow": 100.0, "wide": 10.0}  # seconds an epoch
MORE = '''
def turned(images):
    """Return the turned images, by a layer that cannot be counted without Keras."""
    return keras.layers.Flatten()(keras.layers.Permute((2, 1, 3))(images))


STUDY = Study(
    name="tiny_study",
    question=STUDY.question,
    variants={
        **STUDY.variants,
        "wider": NARROW.with_("learner.model.units", 16),
        "turned": NARROW.with_("learner.model", turned),
    },
    seeds=(0, 1),
)

if __name__'''


def own_cache(place):
    """Return the environment in which the speed of this machine is kept at a place of its own."""
    return {"XDG_CACHE_HOME": str(place.folder / "cache")}


def seconds(ended):
    """Return the time that a plan has estimated."""
    number, unit = re.search(r"Estimated time on one worker: about ([\d.]+) (s|min|h)\b", ended.out).groups()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


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
    ended = paced.run(paced.TINY, "--plan", "--data", paced.images, *flags, environment=own_cache(paced))
    assert (ended.code, ended.err) == (0, "")
    assert f"Estimated time on one worker: {said}.\n" in ended.out


def test_a_variant_is_guessed_by_its_network_and_other_networks_are_counted_apart(paced, tmp_path):
    study = tmp_path / "other" / paced.TINY.name  # a name of its own would make other functions of the same ones
    study.parent.mkdir()
    study.write_text(paced.TINY.read_text().replace("\nif __name__", MORE))
    ended = paced.run(study, "--plan", "--data", paced.images, environment=own_cache(paced))
    assert (ended.code, ended.err) == (0, "")
    assert "4 finished, 4 new." in ended.out
    guessed = "4 min"  # 4 epochs of 55 s, the median of all
    beside = "plus 2 runs of networks that have not been trained yet"
    assert f"Estimated time on one worker: {guessed}, {beside}.\n" in ended.out


def test_what_was_never_trained_is_judged_by_its_size_at_a_speed_that_is_kept(place, images):
    flags = ("--plan", "--data", images, "--set", "learner.epochs=20")
    few = place.run(place.TINY, *flags, environment=own_cache(place))
    assert (few.code, few.err) == (0, "")
    kept = place.folder / "cache" / "medcls" / "pace.json"
    speed = json.loads(kept.read_text())["rate"]
    assert speed > 0

    again = place.run(place.TINY, *flags, environment=own_cache(place))
    assert seconds(again) == seconds(few)
    assert json.loads(kept.read_text())["rate"] == speed

    kept.write_text(kept.read_text().replace(str(speed), str(speed / 10)))
    slow = place.run(place.TINY, *flags, environment=own_cache(place))
    assert seconds(slow) == pytest.approx(10 * seconds(few), rel=0.1)
    kept.write_text("damaged")
    assert seconds(place.run(place.TINY, *flags, environment=own_cache(place))) > 0


def test_a_search_that_has_not_begun_is_estimated_without_tensorflow(place, images):
    flags = ("--plan", "--data", images, "--folds", "2")
    study = place.TINY.parents[1] / "tiny" / "tiny_search.py"
    environment = {**own_cache(place), "PYTHONPROFILEIMPORTTIME": "1"}
    ended = place.run(study, *flags, environment=environment)
    assert ended.code == 0
    assert seconds(ended) > 0
    imported = {line.rpartition("|")[2].strip() for line in ended.err.splitlines()}
    assert not {"tensorflow", "keras"} & imported


def test_runs_that_are_trained_at_the_same_time_are_said(place, images):
    flags = ("--plan", "--data", images, "--threads", "1")
    one = place.run(place.TINY, *flags, "--workers", "1", environment=own_cache(place))
    assert (one.code, one.err) == (0, "")
    assert "at a time" not in one.out
    if available_cores() > 1:
        assert (
            "trains 2 such runs at a time"
            in place.run(place.TINY, *flags, "--workers", "2", environment=own_cache(place)).out
        )


def test_trainings_correct_the_speed_that_is_kept(paced):
    paced.run(paced.TINY, "--plan", "--data", paced.images, environment=own_cache(paced))
    kept = json.loads((paced.folder / "cache" / "medcls" / "pace.json").read_text())
    assert kept["rate"] < 2  # epochs of 10 and of 100 seconds: less work in a second than any machine does
