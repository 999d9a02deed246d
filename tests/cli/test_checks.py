"""What a study does about bad files and leaks in its data, flag by flag."""

import json
import shutil

import pytest


@pytest.fixture
def leaky(draw, tmp_path):
    """Return a folder in parts with a copy across them, one picture in two classes, and copies within a part."""
    names = [f"{part}/{label}/{n}.png" for part, n in (("train", 12), ("val", 6)) for label in "abc" for n in range(n)]
    folder = draw(tmp_path / "images", *names)
    shutil.copy(folder / "train/a/3.png", folder / "val/a/copy.png")
    shutil.copy(folder / "train/b/1.png", folder / "train/c/other.png")
    shutil.copy(folder / "train/c/2.png", folder / "train/c/twice.png")
    return folder


def warnings(ended):
    return [line for line in ended.out.splitlines() if ": warning: " in line]


def test_a_plan_warns_of_leaks(place, leaky):
    ended = place.run(place.TINY, "--plan", "--data", leaky)
    assert (ended.code, ended.err) == (0, "")
    first, second = warnings(ended)
    assert first == "images: warning: 1 picture lies in more than one class, e.g. train/b/1.png = train/c/other.png."
    assert "val/a/copy.png = train/a/3.png" in second
    assert "images: note: 2 images repeat others of the same set, 2 groups of copies" in ended.out


def test_leaks_are_refused_in_one_sentence(place, leaky):
    ended = place.run(place.TINY, "--refuse-leaks", "--data", leaky)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    for word in (str(leaky), "val/a/copy.png", "train/c/other.png", "--fix-leaks"):
        assert word in ended.err
    place.check_untouched()


def test_mended_leaks_are_not_refused(place, leaky):
    ended = place.run(place.TINY, "--plan", "--refuse-leaks", "--fix-leaks", "--data", leaky)
    assert (ended.code, warnings(ended)) == (0, [])
    assert "--fix-leaks moved 1 image to the set of their copies or patient, dropped 2 of" in ended.out


def test_copies_that_folds_would_divide_are_leaks(place, draw, tmp_path):
    folder = draw(tmp_path / "images", *(f"{label}/{n}.png" for label in "ab" for n in range(6)))
    for n in range(6):
        shutil.copy(folder / f"a/{n}.png", folder / f"a/again {n}.png")
    flags = ["--plan", "--folds", 3, "--data", folder]
    (warning,) = warnings(place.run(place.TINY, *flags))
    assert "groups of copies, e.g. a/" in warning
    assert place.run(place.TINY, *flags, "--refuse-leaks").code == 2
    assert warnings(place.run(place.TINY, *flags, "--fix-leaks")) == []


def test_mending_that_leaves_too_few_says_why(place, draw, tmp_path):
    folder = draw(tmp_path / "images", *(f"{label}/{n}.png" for label in "ab" for n in range(3)))
    shutil.copy(folder / "a/0.png", folder / "a/again.png")
    (folder / "a/1.png").unlink()
    ended = place.run(place.TINY, "--plan", "--folds", 3, "--fix-leaks", "--data", folder)
    ended.check_complaint(2, folder, "Class a has 2 patients", "at least 4", "copies count as one patient")


def test_bad_files_are_left_out_if_that_is_asked_for(place, images):
    whole = place.run(place.TINY, "--plan", "--data", images).out
    for n in range(12):
        (images / "a" / f"bad {n}.png").write_text(f"no image {n}")
    flags = ["--plan", "--data", images]
    place.run(place.TINY, *flags).check_complaint(2, "12 of 48 images", "a/bad 0.png", "2 more", "--skip-bad-files")
    skipped = place.run(place.TINY, *flags, "--skip-bad-files")
    assert skipped.code == 0
    (warning,) = warnings(skipped)
    assert "12 of 48 images cannot be read" in warning
    assert skipped.out.split("\n", 1)[1] == whole  # the same keys as without those files


def test_nothing_is_looked_for_in_a_phantom(place):
    ended = place.run(place.TINY, "--plan", "--refuse-leaks")
    assert (ended.code, warnings(ended)) == (0, [])
    assert not (place.work / "cache" / "survey.sqlite").exists()


@pytest.mark.slow
def test_what_was_found_is_in_summary_store_and_artifacts(place, leaky, tmp_path):
    import mlflow

    (leaky / "train" / "a" / "bad.png").write_text("no image")
    flags = ["--smoke", "--only", "narrow", "--seeds", 0, "--data", leaky, "--skip-bad-files"]
    ended = place.run(place.TINY, *flags)
    assert (ended.code, ended.err) == (0, "")
    (data,) = place.summary()["data_sets"]
    found = {each["kind"]: each["count"] for each in data["findings"]}
    assert found == {"unreadable": 1, "two_classes": 1, "exact_across_parts": 1, "copies_within_part": 2}
    (name,) = data["skipped"]
    assert name.startswith("train/a/bad.png (")
    client = mlflow.MlflowClient(f"sqlite:///{place.store}")
    runs = client.search_runs([client.get_experiment_by_name("tiny_study").experiment_id])
    assert sorted(run.data.tags["medcls.level"] for run in runs) == ["run", "study", "variant"]
    for run in runs:
        assert run.data.tags["data.skipped"] == "1"
        assert run.data.tags["data.leaks"] == "1 picture in two classes, 1 identical file across sets"
    (study,) = [run for run in runs if run.data.tags["medcls.level"] == "study"]
    assert "- 1 picture lies in more than one class" in study.data.tags["mlflow.note.content"]
    client.download_artifacts(study.info.run_id, "findings.json", str(tmp_path))
    kept = json.loads((tmp_path / "findings.json").read_text())
    assert {each["kind"]: each["names"] for each in kept}["exact_across_parts"] == ["val/a/copy.png = train/a/3.png"]
    mended = place.run(place.TINY, *flags, "--fix-leaks", "--offline")
    assert mended.code == 0
    (after,) = place.summary()["data_sets"]
    assert after["fingerprint"] != data["fingerprint"]
    assert [each["kind"] for each in after["findings"]] == ["unreadable", "fixed", "copies_within_part"]
    assert not place.summary()["runs"][0]["reused"]
