"""Paths of stores: each is the file that it says, or refused in a sentence before anything is written."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from medcls import BadInputError
from medcls.tracking.mlflow_client import Store
from medcls.utils import store_uris
from medcls.utils.redaction import typed

TINY = Path(__file__).parent.parent / "cli" / "tiny_study.py"
PLAIN = ["50% dose", "a#b", "my studies & more", "ü;a:b@c", "100%", "a=b+c", "[x] 'y'", "%zz"]
READ_OTHERWISE = ["50%25 dose", "%20", "a%3Fb", "what?next", "?a=b"]


@pytest.mark.parametrize("name", PLAIN)
def test_the_uri_of_a_file_is_that_file(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    uri = store_uris.of_file(folder / "mlflow.db")
    assert store_uris.meant(uri) == uri
    assert store_uris.file(uri) == folder / "mlflow.db"
    store = Store(uri, "experiment", "?", tmp_path / "files")
    store.check_there()
    with sqlite3.connect(folder / "mlflow.db") as database:
        ((made,),) = database.execute("select artifact_location from experiments where name = 'experiment'").fetchall()
    assert made == (folder / "mlruns" / "experiment").as_uri()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


@pytest.mark.parametrize("name", READ_OTHERWISE)
def test_a_path_that_means_another_file_is_refused_with_nothing_left_behind(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "above" / name
    folder.mkdir(parents=True)
    uri = store_uris.of_file(folder / "mlflow.db")
    with pytest.raises(BadInputError, match="the file would be"):
        store_uris.meant(uri)
    command = [sys.executable, str(TINY), "--tracking-uri", uri, "--work-dir", str(tmp_path / "work")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "the file would be" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["above"]
    assert list((tmp_path / "above").iterdir()) == [folder]
    assert list(folder.iterdir()) == []


def test_what_a_browser_would_escape_and_options_are_taken(tmp_path: Path) -> None:
    (tmp_path / "my studies").mkdir()
    options = "?timeout=60&cache=shared"
    for rest in ("my%20studies/m.db", f"my studies/m.db{options}", f"my%20studies/m.db{options}"):
        uri = store_uris.meant(f"sqlite:///{tmp_path}/{rest}")
        assert uri == f"sqlite:///{tmp_path}/my studies/m.db" + (options if options in rest else "")
        assert store_uris.file(uri) == tmp_path / "my studies" / "m.db"
    (tmp_path / "my%20studies").mkdir()
    with pytest.raises(BadInputError, match="the file would be"):
        store_uris.meant(f"sqlite:///{tmp_path}/my%20studies/m.db")
    with pytest.raises(BadInputError, match="in an existing folder"):
        store_uris.meant(f"sqlite:///{tmp_path}/not%20there/m.db")
    for other in ("http://127.0.0.1:5000/?a=b/c", "postgresql://host/50%25", "databricks"):
        assert store_uris.meant(other) == other
        assert store_uris.file(other) is None


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize(
    "command", [[str(TINY)], ["-m", "medcls", "ui"], ["-m", "medcls", "doctor"], ["-m", "medcls", "run", str(TINY)]]
)
def test_an_empty_uri_is_no_default(command: list[str], empty: str, tmp_path: Path) -> None:
    flags = ["--tracking-uri", empty, "--work-dir", str(tmp_path / "work")]
    ended = subprocess.run([sys.executable, *command, *flags], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert "--tracking-uri is empty" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*PLAIN, *READ_OTHERWISE, "a$HOME`x`", "new\nline", "-dash"])
def test_a_command_that_is_printed_is_what_a_shell_reads(name: str) -> None:
    words = ["mlflow", "ui", "--backend-store-uri", f"sqlite:////{name}/mlflow.db"]
    script = f"set -- {typed(*words)}; printf '%s\\0' \"$@\""
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split("\0")[:-1] == words
