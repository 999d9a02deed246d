"""A fresh SQLite store is what MLflow itself makes, whether its tables are made or copied from those of another."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from medcls.tracking import sqlite_tables
from medcls.tracking.mlflow_client import Store

mlflow = pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a user's caches, with nothing in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sqlite_tables.make(f"sqlite:///{path}")
    return path


def tables(path: Path) -> dict[str, tuple[str, list[Any]]]:
    """Return each table's definition and rows."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        query = "select name, sql from sqlite_master where type = 'table' order by name"
        return {
            name: (text, database.execute(f'select * from "{name}"').fetchall())
            for name, text in database.execute(query)
        }


def experiment(path: Path) -> Any:
    (found,) = mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return found


def test_the_second_store_is_like_the_first_and_like_mlflows_own(tmp_path: Path, home: Path) -> None:
    first, second = made(tmp_path / "one" / "mlflow.db"), made(tmp_path / "two" / "mlflow.db")
    own = tmp_path / "three" / "mlflow.db"
    own.parent.mkdir()
    mlflow.MlflowClient(f"sqlite:///{own}").search_experiments()
    # Alembic writes a table's constraints in no certain order.
    definitions = [
        {name: sorted(text.replace(",", " ").split()) for name, (text, _) in tables(path).items()}
        for path in (first, second, own)
    ]
    assert definitions[0] == definitions[1] == definitions[2]
    counts = [{name: len(rows) for name, (_, rows) in tables(path).items()} for path in (first, second, own)]
    assert counts[0] == counts[1] == counts[2]
    for path in (first, second):
        found = experiment(path)
        assert (found.experiment_id, found.name) == ("0", "Default")
        assert found.artifact_location == f"{(path.parent / 'mlruns').as_uri()}/0"
        assert sorted(each.name for each in path.parent.iterdir()) == ["mlflow.db", "mlflow.db.lock"]
    assert len(list(home.rglob("*.db"))) == 1


def test_what_is_kept_holds_nothing_of_the_store_that_it_came_from(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "mlflow.db"
    Store(f"sqlite:///{path}", "secret plans", "", tmp_path)
    (kept,) = home.rglob("*.db")
    assert tables(kept)["experiments"][1] == []
    assert str(tmp_path).encode() not in kept.read_bytes().replace(b"\0", b"")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 100])
def test_what_is_damaged_is_made_anew(tmp_path: Path, home: Path, content: bytes) -> None:
    made(tmp_path / "one" / "mlflow.db")
    (kept,) = home.rglob("*.db")
    whole = kept.read_bytes()
    kept.write_bytes(content)
    assert experiment(made(tmp_path / "two" / "mlflow.db")).name == "Default"
    made(tmp_path / "three" / "mlflow.db")
    assert content == b"" or len(kept.read_bytes()) == len(whole)


def test_a_cache_that_takes_no_file_leaves_nothing_beside_the_store(tmp_path: Path, home: Path) -> None:
    made(tmp_path / "one" / "mlflow.db")
    (kept,) = home.rglob("*.db")
    kept.unlink()
    kept.mkdir()
    made(tmp_path / "two" / "mlflow.db")
    assert sorted(each.name for each in (tmp_path / "two").iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_a_home_that_cannot_be_written_to_is_no_hindrance(tmp_path: Path, home: Path) -> None:
    home.write_text("a file where a folder is wanted")
    assert experiment(made(tmp_path / "one" / "mlflow.db")).name == "Default"
    assert [each.name for each in (tmp_path / "one").iterdir()] != []
    assert not list((tmp_path / "one").glob(".*"))
