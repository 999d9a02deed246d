"""A work folder behind a URL: what one machine leaves there another goes on with, to the same bits."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import crash_outcomes as outcomes
import pytest
from crash_commands import Command, until

from medcls.tracking.run_dir import RunDir


def on(machine: Path, command: Command, bucket: Path) -> Command:
    """Return a command with its work folder in a bucket, on a machine of its own: another user's cache, other files."""
    mine = {"XDG_CACHE_HOME": str(machine / "cache")}
    return replace(command, home=machine, place=f"local://{bucket}", environment=mine)


def trained(summary: Mapping[str, Any]) -> list[Any]:
    return [(run["key"], run["weights_sha256"], run["history"], run["metrics"]) for run in summary["runs"]]


def held(bucket: Path) -> int:
    """Return how many epochs the bucket's only run has."""
    folders = list(bucket.glob("*/checkpoint.npz"))
    return RunDir(folders[0].parent).epochs_held() if folders else 0


def test_one_machine_is_killed_and_another_goes_on_where_it_was(run: Command, tmp_path: Path):
    bucket = tmp_path / "bucket"
    first, second = (on(tmp_path / name, run, bucket) for name in ("first", "second"))
    running = first.start()
    assert until(lambda: held(bucket) >= 3 or running.process.poll() is not None, 200.0)
    running.kill()
    assert running.leaves_nothing()
    left = held(bucket)
    assert 3 <= left < 40
    (owner,) = bucket.glob("owner.json")
    owner.unlink()  # the machine is known to be dead: nobody waits for its record to lapse
    assert (ended := second.run()).code == 0, ended.errors
    assert outcomes.summary(second) == outcomes.summary(run)
    (folder,) = (path.parent for path in bucket.glob("*/result.json"))
    assert [row.epoch for row in RunDir(folder).rows()] == list(range(held(bucket)))
    epochs = {path.name: path.stat().st_mtime for path in folder.glob("checkpoint-*.npz")}
    assert list(bucket.rglob("*lock")) == []
    again = on(tmp_path / "third", run, bucket)
    assert again.run().code == 0
    assert all(each["reused"] for each in json.loads(again.summary.read_text())["runs"])
    assert trained(outcomes.summary(again)) == trained(outcomes.summary(run))
    assert {path.name: path.stat().st_mtime for path in folder.glob("checkpoint-*.npz")} == epochs


def test_two_machines_are_not_at_work_there_at_once(run: Command, tmp_path: Path):
    first, second = (on(tmp_path / name, run, tmp_path / "bucket") for name in ("first", "second"))
    running = first.start()
    record = tmp_path / "bucket" / "owner.json"
    assert until(lambda: record.exists() or running.process.poll() is not None, 200.0)
    owner = json.loads(record.read_text())
    record.write_text(json.dumps({**owner, "machine": "another"}))  # as it looks from elsewhere
    ended = second.run()
    running.kill()
    assert ended.code == 2
    assert "Another command is using local://" in ended.errors
    assert str(os.getpid()) not in ended.errors


@pytest.mark.slow
def test_a_cluster_that_shares_no_folder_trains_the_same(search: Command, tmp_path: Path):
    pytest.importorskip("ray")
    command = on(tmp_path / "driver", search, tmp_path / "bucket")
    command = replace(command, flags=("--workers", "2", "--threads", "1", "--executor", "ray"))
    assert (ended := command.run()).code == 0, ended.errors
    assert trained(outcomes.summary(command)) == trained(outcomes.summary(search))
    assert outcomes.store(command) == outcomes.store(search)
    homes = list((tmp_path / "driver" / "cache" / "medcls" / "elsewhere").iterdir())
    assert sorted(home.name.endswith("-worker") for home in homes) == [False, True]  # each side had its own folder
