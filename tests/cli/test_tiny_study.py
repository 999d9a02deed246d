"""A study of fixed variants from its command line to its summary and store, and run again in every way."""

import signal
import time

import pytest

pytestmark = pytest.mark.slow


def stored_runs(place):
    """Return key, status, epochs at which there is a loss, weights and id of the runs that the store has."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{place.store}")
    experiment = client.get_experiment_by_name("tiny_study")
    found = []
    for run in client.search_runs([experiment.experiment_id], "tags.`medcls.level` = 'run'"):
        tags, run_id = run.data.tags, run.info.run_id
        epochs = [metric.step for metric in client.get_metric_history(run_id, "loss")]
        found.append((tags["medcls.key"], run.info.status, epochs, tags.get("medcls.weights_sha256"), run_id))
    return found


def changed(place, old, new):
    """Return a copy of the tiny study with some of its text replaced."""
    text, study = place.TINY.read_text(), place.folder / place.TINY.name
    assert old in text
    study.write_text(text.replace(old, new))
    return study


def test_variants_and_seeds(finished):
    summary = finished.summary()
    assert [(run["variant"], run["seed"], run["fold"]) for run in summary["runs"]] == [
        *(("narrow", 0, None), ("narrow", 1, None), ("wide", 0, None), ("wide", 1, None))
    ]
    assert {run["status"] for run in summary["runs"]} == {"finished"}
    assert [run["parameters"]["total"] for run in summary["runs"][::2]] == [64 * 4 + 4 + 5 * 3, 64 * 8 + 8 + 9 * 3]
    assert {len(run["history"]["val_loss"]) for run in summary["runs"]} == {2}
    assert summary["data_sets"][0]["n"] == {"train": 30, "validation": 6}
    assert summary["best"]["images"]["folds"] is None
    assert {run["data"] for run in summary["runs"]} == {run["params"]["data"] for run in summary["runs"]} == {"images"}
    assert [(data["name"], data["instead_of"]) for data in summary["data_sets"]] == [("images", "xray")]
    assert len({run["weights_sha256"] for run in summary["runs"]}) == 4
    assert not finished.store.exists()
    finished.check_clean()


def test_a_plan_afterwards_lists_what_is_finished(finished):
    ended = finished.run(finished.TINY, "--data", finished.images, "--plan")
    assert ended.code == 0
    assert ended.out.count(" finished ") == 4
    assert "4 finished." in ended.out
    assert not finished.store.exists()


def test_another_split_seed_asks_for_other_runs(finished):
    plan = [finished.TINY, "--data", finished.images, "--plan"]
    assert "4 finished." in finished.run(*plan, "--split-seed", 0).out
    assert "4 new." in finished.run(*plan, "--split-seed", 3).out
    finished.run(*plan, "--split-seed", 3, "--vary", "split").check_complaint(2, "--vary", "--split-seed")
    finished.run(*plan, "--split-seed", "1,2").check_complaint(2, "--split-seed", "give one")


def test_what_was_run_offline_comes_into_the_store_later(finished, stored):
    before, summary = finished.results(), stored.summary()
    assert stored.results() == before
    assert all(run["reused"] for run in summary["runs"])
    runs = stored_runs(stored)
    assert sorted(key for key, *_ in runs) == sorted(before)
    assert {run["mlflow_run_id"] for run in summary["runs"]} == {run_id for *_, run_id in runs}
    for key, status, epochs, weights, _ in runs:
        assert (status, epochs, weights) == ("FINISHED", [1, 2], before[key][0])
    stored.check_clean()


def test_what_other_code_made_is_not_counted_silently(stored):
    before, data = stored.results(), ["--data", stored.images]
    study = changed(stored, 'activation="relu"', 'activation="tanh"')
    stored.run(study, *data).check_complaint(2, "4 finished runs", "narrow seed 0", "--force", "--keep")
    assert stored.run(study, *data, "--keep").code == 0
    assert stored.results() == before
    assert stored.run(study, *data, "--force").code == 0
    after = stored.results()
    assert after.keys() == before.keys()
    assert all(after[key][0] != before[key][0] for key in before)
    assert not any(run["reused"] for run in stored.summary()["runs"])
    ids = {run["mlflow_run_id"] for run in stored.summary()["runs"]}
    new = [found for *found, run_id in stored_runs(stored) if run_id in ids]
    assert sorted(new) == sorted([key, "FINISHED", [1, 2], after[key][0]] for key in after)
    stored.check_clean()


def test_folds_seeds_only_and_threads(place, images):
    flags = ["--folds", 2, "--seeds", "3,4", "--only", "wide", "--threads", 2, "--workers", 1]
    assert place.run(place.TINY, "--data", f"xray={images}", *flags, "--offline").code == 0
    summary = place.summary()
    assert [(run["variant"], run["seed"], run["fold"]) for run in summary["runs"]] == [
        *(("wide", 3, 0), ("wide", 3, 1), ("wide", 4, 0), ("wide", 4, 1), ("wide", 3, None))
    ]
    assert {run["threads"] for run in summary["runs"]} == {2}
    best = summary["best"]["xray"]
    assert len(best["folds"]["balanced_accuracy"]) == 4
    assert best["key"] == summary["runs"][-1]["key"]
    assert set(best["test"]) >= {"accuracy", "balanced_accuracy", "macro_f1"}
    ended = place.run(place.TINY, "--data", images, *flags, "--plan")
    assert "5 finished." in ended.out
    place.check_clean()


def test_damaged_files_cost_time_and_nothing_else(finished):
    before = finished.results()
    first, second, third, fourth = finished.run_folders()
    (first / "run.json").write_text('{"key": "torn')
    (second / "result.json").write_bytes(b"\0" * 100)
    journal = (third / "journal.jsonl").read_text()
    (third / "journal.jsonl").write_text("damaged" + journal[7:])
    checkpoint = (fourth / "checkpoint.npz").read_bytes()
    (fourth / "checkpoint.npz").write_bytes(checkpoint[: len(checkpoint) // 2])
    (fourth / "result.json").unlink()
    (fourth / "predictions.npz").write_bytes(b"PK damaged")
    for name in ("hashes.sqlite", "networks.json"):
        (finished.work / "cache" / name).write_bytes(b"damaged " * 100)
    (pixels,) = finished.work.glob("cache/*/images.npy")
    pixels.write_bytes(pixels.read_bytes()[:200])
    ended = finished.run(finished.TINY, "--data", finished.images, "--offline")
    assert (ended.code, ended.err) == (0, "")
    assert finished.results() == before
    finished.check_clean()


def test_a_run_that_diverges_fails_alone(place, images):
    study = changed(place, '"learner.model.units", 8', '"learner.optimizer.learning_rate", 1e38')
    ended = place.run(study, "--data", images, "--seeds", 0)
    ended.check_complaint(1, "1 of 2 runs", "wide seed 0", "lower the learning rate")
    narrow, wide = place.summary()["runs"]
    assert narrow["status"] == "finished"
    assert wide["status"] == "failed"
    assert "lower the learning rate" in wide["error"]
    assert {key: status for key, status, *_ in stored_runs(place)} == {narrow["key"]: "FINISHED", wide["key"]: "FAILED"}
    place.check_clean()


def test_a_second_driver_is_refused_and_a_plan_is_not(place, images):
    flags = ["--data", images, "--only", "narrow", "--seeds", 0, "--offline"]
    with place.start(place.TINY, *flags, "--set", "learner.epochs=100000") as first:
        deadline = time.monotonic() + 600
        while not list(place.work.glob("*/checkpoint.npz")) and time.monotonic() < deadline:
            time.sleep(0.2)
        other = type(place)(place.folder / "other")
        other.folder.mkdir()
        places = ["--work-dir", place.work]
        other.run(place.TINY, *flags, *places).check_complaint(2, place.work, "--work-dir")
        assert other.run(place.TINY, *flags, *places, "--plan").code == 0
        first.send_signal(signal.SIGINT)
        assert first.wait(600) == 130
    (folder,) = place.run_folders()
    assert not (folder / "result.json").exists()
    place.check_no_process_is_left()


def test_a_network_that_predicts_one_class_is_remarked_everywhere(place, images):
    """Features that say nothing leave the biases alone, so every image has the same answer."""
    import mlflow

    study = changed(place, "(keras.layers.Flatten()(images))", "(keras.layers.Flatten()(images) * 0.0)")
    ended = place.run(study, "--data", images)
    assert ended.code == 0, ended
    summary, told = place.summary(), "for every image: its accuracy 0.333 is the share of that class."
    assert all(run["remark"].startswith("predicts ") and run["remark"].endswith(told) for run in summary["runs"])
    assert [row["variant"] for row in summary["remarks"]] == ["narrow", "wide"]
    for row in summary["remarks"]:
        assert f"Note: {row['sentence']}" in " ".join(ended.out.split())
    (report,) = place.work.glob("studies/*/report.html")
    assert summary["remarks"][0]["sentence"] in report.read_text()
    client = mlflow.MlflowClient(f"sqlite:///{place.store}")
    experiment = client.get_experiment_by_name("tiny_study")
    runs = client.search_runs([experiment.experiment_id])
    assert sum("medcls.remark" in run.data.tags for run in runs) == 4
    (whole,) = (run for run in runs if run.data.tags["medcls.level"] == "study")
    assert summary["remarks"][1]["sentence"] in whole.data.tags["mlflow.note.content"]
