"""The studies of points and digits from their command line: without any data, and on a test part without folds."""

import pytest

STUDIES = ["mnist_mlp", "mnist_cnn", "mnist_augmented_cnn"]


@pytest.mark.slow
def test_the_toys_need_nothing_and_draw_their_boundaries(place):
    study = place.BONUS.with_name("toy_boundaries.py")
    ended = place.run(study, "--smoke")
    assert (ended.code, ended.err) == (0, "")
    summary = place.summary()
    assert [each["name"] for each in summary["data_sets"]] == ["2blob", "blob_circle", "4blob"]
    assert {each["kind"] for each in summary["data_sets"]} == {"toolkit"}
    assert [run["parameters"]["total"] for run in summary["runs"]] == [41, 287, 287]
    assert "8 points of 2 classes (the toy 2blob" in ended.out
    for folder in place.run_folders():
        assert {"boundary.png", "boundary.gif"} <= {path.name for path in folder.iterdir()}
    place.check_clean()


def test_toys_take_no_data(place):
    ended = place.run(place.BONUS.with_name("toy_boundaries.py"), "--data", "skin")
    ended.check_complaint(2, "its points are made")
    place.check_untouched()


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_studies_of_digits_run_without_mnist_and_score_the_test_part_once(place, name):
    ended = place.run(place.BONUS.with_name(f"{name}.py"), "--smoke", environment={"XDG_CACHE_HOME": str(place.folder)})
    assert (ended.code, ended.err) == (0, "")
    assert "scikit-learn's 1,797 real digits" in ended.out
    summary = place.summary()
    (data,), best = summary["data_sets"], summary["best"]["mnist"]
    assert (data["kind"], data["n"]) == ("toolkit", {"train": 20, "validation": 20, "test": 20})
    low, high = best["test"]["accuracy"]["ci95"]
    assert low <= best["test"]["accuracy"]["value"] <= high
    assert len(best["tested"]["accuracy"]) == 1
    tested = [folder for folder in place.run_folders() if (folder / "test.npz").exists()]
    assert [folder.name for folder in tested] == [best["key"]]
    assert {"test_confusion_matrix.png", "test_certain_errors.png"} <= {path.name for path in tested[0].iterdir()}
    place.check_clean()
