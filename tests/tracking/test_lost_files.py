"""A SQLite store that goes away, or takes nothing more, in the middle of a study: one sentence, and nothing is lost."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tracking_stores import LIMIT, Command, content

STUDY = """
import os, resource, shutil, signal, sqlite3, sys, time
from pathlib import Path
from medcls.tracking.mlflow_sync import Mirror
from medcls.tracking.mlflow_client import Store
from medcls.tracking.entries import Ending, EntryStatus, Entry
home, how = Path(sys.argv[1]), sys.argv[2]
path, now = home / "mlflow.db", int(time.time() * 1000)
mirror = Mirror(Store(f"sqlite:///{path}", "experiment", "?", home))
mirror.open(Entry("study", "study", None, now))
assert mirror.settle(300)
if how == "removed":
    path.unlink()
elif how == "folder removed":
    shutil.rmtree(home)
elif how == "replaced":
    path.rename(home / "old.db")
    shutil.copyfile(home / "old.db", path)
elif how == "emptied":
    path.write_bytes(b"")
elif how == "damaged":
    path.write_bytes(b"no database" * 1000)
elif how == "table dropped":
    with sqlite3.connect(path) as database:
        database.execute("drop table runs")
elif how == "locked":
    holder = sqlite3.connect(path)
    holder.execute("begin exclusive")
elif how == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, path.stat().st_size))
elif how == "read-only":
    path.chmod(0o444)
    home.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(65534)  # the permissions do not bind root
for number in range(30):
    mirror.open(Entry(f"study/{number}", "run", "study", now, parameters={f"p{each}": "v" * 400 for each in range(90)}))
mirror.close("study", Ending(EntryStatus.FINISHED, now, {"x": 1.0}))
print(mirror.settle(), mirror.refused, mirror.lost)
"""
WAYS = {
    "removed": "was removed or replaced",
    "folder removed": "was removed or replaced",
    "replaced": "was removed or replaced",
    "emptied": "no such table",
    "damaged": "not a database",
    "table dropped": "no such table",
    "locked": "database is locked",
    "full": "disk",
    "read-only": "readonly database",
}


@pytest.mark.parametrize("how", [*sorted({*WAYS} - {"locked"}), pytest.param("locked", marks=pytest.mark.slow)])
def test_a_store_that_takes_nothing_more_is_lost_in_one_sentence(how: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # which another user may enter
        home = Path(name, "home")
        home.mkdir()
        home.parent.chmod(0o755)
        ended = subprocess.run([sys.executable, "-c", STUDY, home, how], capture_output=True, text=True, check=False)
        if home.is_dir():
            home.chmod(0o755)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = ended.stdout.splitlines()
    assert len(said) == 1, ended.stdout
    assert said[0].startswith("False [] ")
    assert WAYS[how] in said[0]
    assert "autoflush" not in said[0]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["removed", "locked"])
def test_a_study_whose_store_goes_away_is_caught_up_with(pictures: Path, tmp_path: Path, how: str) -> None:
    command = Command("tracked_search", pictures, tmp_path)
    path = Path(command.store.removeprefix("sqlite:///"))
    process = command.start()
    deadline = time.monotonic() + LIMIT
    while not list(command.work.glob("*/result.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with contextlib.closing(sqlite3.connect(path, timeout=LIMIT)) as holder:
        if how == "removed":
            shutil.move(path, tmp_path / "elsewhere.db")
        else:
            holder.execute("begin exclusive")
        output, _ = process.communicate(timeout=LIMIT * 3)
    said = output + (command.home / "errors").read_text()
    assert process.returncode == 0, said
    assert re.search(r"Lost the connection to the MLflow store \([^\n]*\)\. Run the same command again", said), said
    assert "Traceback" not in said
    code, said = command.run()
    assert code == 0, said
    assert all(entry["status"] in ("FINISHED", "KILLED") for entry in content(command.store).values())


@pytest.mark.parametrize("count", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_commands_that_begin_together_make_one_store_and_all_get_in(tmp_path: Path, count: int) -> None:
    code = """
import sys
from pathlib import Path
from medcls.tracking.mlflow_client import Store
store = Store(f"sqlite:///{sys.argv[1]}/mlflow.db", f"experiment {int(sys.argv[2]) % 3}", "?", Path(sys.argv[1]))
print(store.page)
"""
    home = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    started = [
        subprocess.Popen([*command, str(each)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=home)
        for each in range(count)
    ]
    ended = [(*process.communicate(timeout=900), process.returncode) for process in started]
    assert [(err, code) for _, err, code in ended] == [("", 0)] * count
    assert len({out for out, _, _ in ended}) == 3  # an experiment for each name
    names = sorted(path.name for path in (tmp_path / "home").iterdir())
    assert [name for name in names if name != "mlruns"] == ["mlflow.db", "mlflow.db.lock"]


def test_who_holds_the_lock_of_a_store_that_is_there_holds_nobody_up(tmp_path: Path) -> None:
    from filelock import FileLock

    from medcls.tracking import sqlite_tables

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    sqlite_tables.make(uri)
    with FileLock(tmp_path / "mlflow.db.lock"):
        sqlite_tables.make(uri)
