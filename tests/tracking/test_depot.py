"""A folder's copy behind a URL: what travels, in which order, and what a death in between leaves."""

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from medcls import BadInputError, TrainingError
from medcls.tracking.record_file import LocalRecordFile
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.remote_work_dir import RemoteWorkDir
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow, RunDescription, RunResult
from medcls.utils.paths import home_of
from medcls.utils.statuses import RunStatus

RUN = "0123456789abcdef0123"
NAMES = some.sampled_from(["run.json", "journal.jsonl", "checkpoint.npz", "result.json", "a.png", "deep/er/b.npy"])
CHANGES = some.lists(some.tuples(NAMES, some.one_of(some.none(), some.binary(max_size=9))), max_size=8)


def depots(place: Path) -> list[RemoteSync]:
    """Return two machines' views of one place."""
    return [RemoteSync(f"local://{place}/bucket", place / name) for name in ("one", "other")]


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(folder: Path, changes: list[tuple[str, bytes | None]]) -> None:
    """Write files, or remove those without content."""
    for name, content in changes:
        path = folder / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def test_who_waited_for_the_folder_sees_what_was_made_meanwhile(tmp_path: Path, monkeypatch: Any):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    waiting = RemoteWorkDir(f"local://{tmp_path}/bucket")
    assert waiting.at(RUN).description() == RunDescription()
    one, _ = depots(tmp_path)
    RunDir(one.home / RUN).describe(RunDescription(key=RUN))
    one.upload(RUN)
    assert waiting.at(RUN).description() == RunDescription()
    waiting.refresh()
    assert waiting.at(RUN).description() == RunDescription(key=RUN)


def test_what_was_lost_there_is_sent_anew(tmp_path: Path):
    one, other = depots(tmp_path)
    change(one.home / RUN, [("run.json", b"{}"), ("a.png", b"a")])
    one.upload(RUN)
    shutil.rmtree(tmp_path / "bucket")
    one.download(RUN)
    one.upload(RUN)
    other.download(RUN)
    assert held(other.home / RUN) == held(one.home / RUN) == {"run.json": b"{}", "a.png": b"a"}


@given(turns=some.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=30)
def test_machines_that_take_turns_see_what_the_last_one_left(turns: Any, tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("place")
    for number, changes in enumerate(turns):
        at_work, next_one = depots(place)[:: 1 if number % 2 else -1]
        at_work.download(RUN)
        change(at_work.home / RUN, [*changes, ("always", b"there")])  # one that is empty there counts as lost
        at_work.upload(RUN)
        next_one.download(RUN)
        assert held(next_one.home / RUN) == held(at_work.home / RUN) == held(place / "bucket" / RUN)


def trained(folder: RunDir, epochs: int) -> None:
    for epoch in range(folder.epochs_held(), epochs):
        folder.append(EpochRow(epoch, {"loss": 1 / (epoch + 1)}))
        folder.write_checkpoint(epoch + 1, CheckpointState(began=epoch), {"weights": np.full(3, float(epoch))})


@pytest.mark.parametrize("cut", range(8))
def test_a_machine_that_dies_while_it_sends_leaves_a_run_that_goes_on(cut: int, tmp_path: Path, monkeypatch: Any):
    """After every number of files that were sent, the other finds the epochs from before or those after, whole."""
    one, other = depots(tmp_path)
    folder = RunDir(one.home / RUN)
    folder.describe(RunDescription(key=RUN))
    trained(folder, 2)
    one.upload(RUN)
    trained(folder, 5)
    folder.finish(RunResult(RunStatus.FINISHED, epochs=5), {"rows": np.arange(2)})
    files, _ = one._location
    put, sent = files.put_file, []

    def dying(here: str, there: str) -> None:
        if len(sent) == cut:
            raise ConnectionError("the machine died")
        sent.append(there)
        put(here, there)

    monkeypatch.setattr(files, "put_file", dying)
    try:
        one.upload(RUN)
        ended = True
    except TrainingError as error:
        assert "cannot be reached (the machine died): run the same command again." in str(error)  # noqa: PT017
        ended = False
    other.download(RUN)
    found = RunDir(other.home / RUN)
    assert found.epochs_held() in ((5,) if ended else (2, 5))
    epochs, state, arrays = found.read_checkpoint()
    assert state == CheckpointState(began=epochs - 1)
    assert arrays["weights"].tolist() == [epochs - 1.0] * 3
    assert len(found.rows()) >= epochs
    if found.result() is not None:
        assert epochs == 5
        assert found.read_arrays("predictions") is not None


def test_locks_wishes_and_half_written_files_stay_where_they_are(tmp_path: Path):
    one, other = depots(tmp_path)
    change(one.home / RUN, [("run.json", b"{}"), ("lock", b""), ("stop", b""), (".1.half.npz", b"x")])
    one.upload(RUN)
    other.download(RUN)
    assert list(held(other.home / RUN)) == ["run.json"]


def test_what_is_large_is_fetched_only_when_the_entry_is_fetched_whole(tmp_path: Path):
    one, other = depots(tmp_path)
    change(one.home / RUN, [("journal.jsonl", b"{}\n"), ("model.keras", b"x" * 1000)])
    one.upload(RUN)
    other.download(RUN, largest=100)
    assert list(held(other.home / RUN)) == ["journal.jsonl"]
    other.download(RUN)
    assert held(other.home / RUN) == held(one.home / RUN)


def test_nothing_travels_twice(tmp_path: Path, monkeypatch: Any):
    one, other = depots(tmp_path)
    change(one.home / RUN, [("run.json", b"{}"), ("a.png", b"a")])
    one.upload(RUN)
    other.download(RUN)
    (files, _), (others, _) = one._location, other._location
    for each in (files, others):
        monkeypatch.setattr(each, "put_file", None)
        monkeypatch.setattr(each, "get_file", None)
    for depot in (one, other):
        depot.download(RUN)
        depot.upload(RUN)
        RemoteSync(depot.url, depot.home).upload(RUN)  # a later command remembers too


def test_a_folder_at_work_is_kept_up_and_a_wish_to_stop_comes_back(tmp_path: Path):
    one, other = depots(tmp_path)
    folder = RunDir(one.home / RUN)
    folder.describe(RunDescription(key=RUN))
    with one.uploading(RUN):
        trained(folder, 1)
        deadline = time.monotonic() + 20
        while not (tmp_path / "bucket" / RUN / "checkpoint.npz").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        other.download(RUN)
        assert RunDir(other.home / RUN).epochs_held() == 1
        other.request_stop(RUN, stop=True)
        while not (folder.path / "stop").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(SystemExit):
            folder.exit_if_stopped()
        trained(folder, 2)
    other.download(RUN)
    assert RunDir(other.home / RUN).epochs_held() == 2  # the last epoch is sent at the end
    other.request_stop(RUN, stop=False)
    assert not one.is_stop_requested(RUN)
    assert all(thread.name != "upload" for thread in threading.enumerate())


def test_a_place_that_is_away_while_a_run_trains_costs_it_nothing(tmp_path: Path):
    one, other = depots(tmp_path)
    bucket, away = tmp_path / "bucket", tmp_path / "away"
    folder = RunDir(one.home / RUN)
    folder.describe(RunDescription(key=RUN))
    one.upload(RUN)
    bucket.rename(away)
    bucket.write_text("no folder")
    with one.uploading(RUN):
        trained(folder, 1)
        time.sleep(1.5)
        bucket.unlink()
        away.rename(bucket)
    other.download(RUN)
    assert RunDir(other.home / RUN).epochs_held() == 1


def test_of_two_that_write_a_record_one_was_first(tmp_path: Path):
    for files in (
        [machine.record_file("owner.json") for machine in depots(tmp_path)],
        [LocalRecordFile(tmp_path / "owner.json")] * 2,
    ):
        (tmp_path / "bucket").mkdir(exist_ok=True)
        assert [file.create({"token": str(number)}) for number, file in enumerate(files)] == [True, False]
        first, second = files
        assert second.exists()
        assert second.read() == {"token": "0"}
        second.write({"token": "1"})
        assert first.read() == {"token": "1"}
        first.remove()
        first.remove()
        assert second.read() is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense://x/y", "Protocol not known: nonsense"),
        ("local:///proc/nowhere", "cannot be written to"),
        ("ftp://user:secret@127.0.0.1:1/x", "ftp://127.0.0.1:1/x cannot be written to"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_made(url: str, said: str, tmp_path: Path):
    with pytest.raises(BadInputError, match="--work-dir") as raised:
        RemoteSync(url, tmp_path / "home").check()
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)
    assert not (tmp_path / "home").exists()


def test_every_url_has_its_own_home(monkeypatch: Any, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    homes = {home_of("s3://a/b"), home_of("s3://a/b/"), home_of("s3://a/c"), home_of("s3://a/b", "-worker")}
    assert len(homes) == 3
    assert all(home.is_relative_to(tmp_path) for home in homes)
    assert json.dumps(sorted(map(str, homes)))
