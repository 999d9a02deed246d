"""The search from its command line to its summary and store."""

import pytest


@pytest.mark.slow
def test_a_search_repeated_with_seeds_from_anywhere(place, images, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    size = ["--set", "learner.model.depth=8", "--set", "learner.model.base=4"]
    repeats = ["--trials", 1, "--seeds", "0,1", "--folds", 2]
    flags = ["--smoke", "--data", f"xray={images}", "--threads", 1, *repeats, *size]
    ended = place.run(place.BONUS, *flags, cwd=elsewhere, without=["HOME"])
    assert (ended.code, ended.err) == (0, "")
    assert list(elsewhere.iterdir()) == []
    assert place.store.exists()
    summary = place.summary()
    assert summary["smoke"]
    assert sum(summary["data_sets"][0]["n"].values()) == 12
    assert [(run["variant"], run["seed"], run["fold"]) for run in summary["runs"]] == [
        *(("trial 0", 0, 0), ("trial 0", 0, 1), ("trial 0", 1, 0), ("trial 0", 1, 1), ("trial 0", 0, None))
    ]
    assert {run["params"]["learner.model.depth"] for run in summary["runs"]} == {8}
    (trial,) = summary["trials"]
    assert not {"learner.model.depth", "learner.model.base"} & set(trial["params"])
    assert "learner.batch_size" in trial["params"]
    assert [run["refit"] for run in summary["runs"]] == [run["fold"] is None for run in summary["runs"]]
    assert len(summary["best"]["xray"]["folds"]["balanced_accuracy"]) == 4
    assert summary["best"]["xray"]["test"]["accuracy"]["value"] <= 1
    planned = place.run(place.BONUS, *flags, "--plan")
    assert "5 finished." in planned.out
    place.check_clean()
