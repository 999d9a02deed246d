"""Every record of a work folder, damaged in every way: read as far as it can be, or told in one sentence."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medcls import BadInputError, data
from medcls.execution.mlflow_logger import _created
from medcls.execution.search import storages
from medcls.execution.threads import Placement
from medcls.inference.opening import PREPROCESSING_FIELDS
from medcls.tracking.lock import described
from medcls.tracking.outcomes import damaged, outcomes, state
from medcls.tracking.record_faults import faults
from medcls.tracking.record_file import LocalRecordFile
from medcls.tracking.remote_sync import RemoteSync
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow, RunDescription, RunResult
from medcls.utils.files import read_json, write_json
from medcls.utils.records import DamagedError, read_arrays, read_record
from medcls.utils.statuses import RunStatus

DEEP = 100_000
DAMAGES: dict[str, bytes] = {
    "empty": b"",
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "text": b'"text"',
    "object": b"{}",
    "nan": b"NaN",
    "nested lists": b"[" * DEEP + b"]" * DEEP,
    "nested objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "no utf-8": b"\xff\xfe{\x80}",
    "binary": bytes(range(256)) * 10,
    "long number": b"9" * 5000,
    "zeros": bytes(3000),
    "archive": b"PK\x03\x04" + bytes(200),
    "array": b"\x93NUMPY" + bytes(200),
}
WRONG: tuple[Any, ...] = (None, [], {}, "text", -1, 1.5, True, 10**30, [[]], {"a": {}}, float("nan"), float("inf"))


def damages(sound: bytes) -> dict[str, bytes]:
    """Return what may stand in the place of a record, also of the same fields with others' values."""
    found = {**DAMAGES, "half": sound[: len(sound) // 2], "all but one": sound[:-2], "twice": sound * 2}
    try:
        value = json.loads(sound.splitlines()[0])
    except ValueError:
        return found
    for name in value if isinstance(value, dict) else ():
        found[f"without {name}"] = json.dumps({key: each for key, each in value.items() if key != name}).encode()
        for wrong in WRONG:
            found[f"{name} is {wrong}"] = json.dumps({**value, name: wrong}).encode() + b"\n"
    return found


def in_one_sentence(read: Callable[[], Any], *names: str) -> Any:
    """Return what is read, or None where it is refused in one sentence that says what to do."""
    try:
        return read()
    except BadInputError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert len(sentence) < 500
    assert all(name in sentence for name in names)
    assert any(word in sentence for word in ("remove it", "export the model again"))
    return None


@pytest.fixture
def folder(tmp_path: Path) -> RunDir:
    """Return the folder of a run of two epochs."""
    folder = RunDir(tmp_path / "run")
    folder.describe(RunDescription(key="run", code="c", threads=1, parameters={"a": 1}))
    for epoch in range(2):
        folder.append(EpochRow(epoch, {"loss": 1.0}, time=5, seconds=0.1, system={"system/cpu": 1.0}))
        folder.write_checkpoint(epoch + 1, CheckpointState(), {"model/0": np.arange(50.0) + epoch})
    result = RunResult(
        RunStatus.FINISHED,
        epochs=2,
        best_epoch=1,
        metrics={"accuracy": 0.5},
        parameters={"total": 3},
        weights_sha256="ab",
        ended=5,
        seconds=0.2,
    )
    folder.finish(result, {"rows": np.arange(3), "predictions": np.zeros((3, 2))})
    assert folder.is_finished()
    assert faults(folder, whole=True) == []
    return folder


@pytest.mark.parametrize("name", ["run.json", "result.json", "journal.jsonl", "checkpoint.npz", "predictions.npz"])
def test_a_runs_records(folder: RunDir, name: str):
    path = folder.path / name
    sound = path.read_bytes()
    for damage, content in damages(sound).items():
        path.write_bytes(content)
        result, rows, held = folder.result(), folder.rows(), folder.epochs_held()
        assert result is None or result.is_finished, damage
        assert held in (0, 2), damage
        assert len(rows) <= 2, damage
        assert all(np.isfinite(row.metrics["loss"]) for row in rows)
        assert set(folder.history()) <= {"loss"}
        assert folder.is_finished() in (True, False)
        folder.read_arrays("predictions")
        if folder.is_finished():
            assert isinstance(result.epochs + result.best_epoch + result.metrics["accuracy"], float)
        found = faults(folder, whole=True)
        for fault in found:
            assert fault.path.name == name, damage
            assert "\n" not in str(fault), damage
        if name != "predictions.npz" and damage in DAMAGES and damage != "object":
            assert found, damage


def test_a_folder_a_pipe_or_a_device_in_the_place_of_a_record(folder: RunDir):
    for name in ("run.json", "result.json", "checkpoint.npz"):
        path = folder.path / name
        path.unlink()
        for make in (path.mkdir, lambda path=path: os.mkfifo(path), lambda path=path: path.symlink_to("/dev/zero")):
            make()
            assert folder.result() is None or name != "result.json"
            assert [fault.path.name for fault in faults(folder, whole=True)] == [name]
            path.rmdir() if path.is_dir() else path.unlink()


def test_what_others_leave_in_a_runs_folder_stays_and_disturbs_nothing(folder: RunDir):
    others = (".DS_Store", ".ipynb_checkpoints/note.ipynb", "notes.md", "Thumbs.db", ".nfs0001")
    for name in others:
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("somebody's")
    with folder.lock():
        assert folder.is_finished()
    folder.tidy()
    assert faults(folder, whole=True) == []
    folder.clear()
    assert {name for name in others if (folder.path / name).exists()} == set(others)
    assert not (folder.path / "result.json").exists()
    assert not folder.checkpoint.exists()


def test_what_a_killed_process_left_half_written_goes(folder: RunDir):
    left = folder.path / ".4194304.result.json"
    left.touch()
    with folder.lock():
        assert not left.exists()


def test_owners(tmp_path: Path):
    path = tmp_path / "owner.json"
    sound = json.dumps({"token": "t", "machine": "m", "host": "h", "process": 1, "command": "c", "since": 5}).encode()
    for content in damages(sound).values():
        path.write_bytes(content)
        assert isinstance(described(LocalRecordFile(path).read()), str)


def test_summaries(tmp_path: Path):
    home = tmp_path / "studies" / "key"
    home.mkdir(parents=True)
    run = {"key": "k", "data": "d", "variant": "v", "seed": 0, "status": "finished"}
    best = {"key": "k", "variant": "v", "metric": "accuracy", "value": 0.5}
    summary = {"study": "s", "question": "q", "smoke": False, "answers": [], "comparisons": []}
    summary |= {"runs": [run], "data_sets": [{"name": "d", "kind": "files"}], "best": {"d": best}}
    for damage, content in damages(json.dumps(summary).encode()).items():
        (home / "summary.json").write_bytes(content)
        shown = [state(outcome) for outcome in outcomes(tmp_path)]
        assert len(shown) + len(damaged(tmp_path)) == 1, damage
        assert all(str(home / "summary.json") in sentence for sentence in damaged(tmp_path))


def test_what_a_study_remembers(tmp_path: Path):
    path = tmp_path / "study.json"
    for content in damages(b'{"created": 5}').values():
        path.write_bytes(content)
        created = in_one_sentence(lambda: _created(tmp_path), str(path))
        assert created is None or isinstance(created, int)


def test_what_is_remembered_of_networks(tmp_path: Path):
    path = tmp_path / "networks.json"
    for content in damages(b'{"a": {"operations": 5, "parameters": 3}, "b": {"operations": 5}}').values():
        path.write_bytes(content)
        Placement(2, None, path, lambda *_: {"operations": 1})


def test_papers_of_an_exported_model(tmp_path: Path):
    path = tmp_path / "preprocessing.json"
    for content in damages(b'{"classes": ["a", "b"], "size": [8, 8], "channels": 1}').values():
        path.write_bytes(content)
        in_one_sentence(lambda: read_record(path, PREPROCESSING_FIELDS, remedy="export the model again"), str(path))


def test_notes_of_what_is_the_same_elsewhere(tmp_path: Path):
    (tmp_path / "there" / "run").mkdir(parents=True)
    (tmp_path / "there" / "run" / "run.json").write_text('{"key": "run"}')
    depot = RemoteSync(f"file://{tmp_path / 'there'}", tmp_path / "home")
    depot.download("run")
    (notes,) = (tmp_path / "home" / ".depot").glob("*.json")
    for content in damages(notes.read_bytes()).values():
        notes.write_bytes(content)
        depot.download("run")
        assert read_json(tmp_path / "home" / "run" / "run.json") == {"key": "run"}


def test_the_memory_of_a_search(tmp_path: Path):
    memory = storages.in_folder(tmp_path)
    memory.take(0, {}, {})
    log = tmp_path / storages.LOG
    sound = log.read_bytes()
    lines = sound.splitlines(keepends=True)
    broken = {f"line {number}": b"".join([*lines[:number], b'{"op', *lines[number + 1 :]]) for number in range(3)}
    for content in {**damages(sound), **broken, "lists": b"[]\n" * 3, "ops": b'{"op_code": 99}\n' * 3}.values():
        log.write_bytes(content)
        in_one_sentence(lambda: storages.remembered(tmp_path), str(log))
        log.write_bytes(content)
        in_one_sentence(lambda: storages.in_folder(tmp_path), str(log))


def test_what_is_known_of_files(tmp_path: Path):
    (tmp_path / "image").write_bytes(b"1")
    first = data.Hashes(tmp_path / "hashes").sha256_of([tmp_path / "image"])
    for content in damages((tmp_path / "hashes").read_bytes()).values():
        (tmp_path / "hashes").write_bytes(content)
        assert data.Hashes(tmp_path / "hashes").sha256_of([tmp_path / "image"]) == first


def test_arrays_of_another_kind_and_ones_that_say_to_be_huge(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3))
    sound = path.read_bytes()
    for content in damages(sound).values():
        path.write_bytes(content)
        in_one_sentence(lambda: read_arrays(path), str(path))
    path.write_bytes(sound.replace(b"(3,)", b"(9" + b"9" * 9 + b",)"))
    with pytest.raises(DamagedError):
        read_arrays(path)
    shutil.rmtree(tmp_path)


def test_numbers_that_no_computer_works_with_are_damage(tmp_path: Path):
    path = tmp_path / "a.json"
    for text in ('{"a": NaN}', '{"a": 1e999}', '{"a": -Infinity}', '{"a": ' + "1" * 400 + "}"):
        path.write_text(text)
        assert read_json(path) is None
        with pytest.raises(DamagedError, match="not a finite number"):
            read_record(path, {})
    write_json(path, {"a": 1})
    assert read_record(path, {"a": int}) == {"a": 1}
