"""PostgreSQL below MLflow, for real: many drivers at once, a server that dies among them, passwords kept secret."""

import time
from pathlib import Path

import pytest
from databases import ask
from tracking_stores import LIMIT, Command, Server, content

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")]

DRIVERS = 8


def test_eight_drivers_write_through_a_server_that_is_killed_among_them(
    database: str, pictures: Path, tmp_path: Path
) -> None:
    server = Server(tmp_path / "server", database)
    server.start()
    flags = [("--only", "sound", "--seeds", str(number)) for number in range(DRIVERS)]
    commands = [Command("tracked_variants", pictures, tmp_path / each[-1], server.uri, *each) for each in flags]
    processes = [command.start() for command in commands]
    deadline = time.monotonic() + LIMIT
    while ask(database, "select count(*) from metrics")[0][0] == 0:
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
        assert "Lost the connection" not in said
        assert command.run(elsewhere)[0] == 0
    found = content(server.uri)
    assert found == content(elsewhere)
    assert sum(each["tags"].get("medcls.level") == "run" for each in found.values()) == DRIVERS
    server.kill()


def test_a_store_in_postgresql_equals_one_in_sqlite_and_shows_no_password(
    database: str, search: Command, pictures: Path, tmp_path: Path
) -> None:
    command = Command("tracked_search", pictures, tmp_path, database)
    code, said = command.run()
    assert code == 0, said
    assert "tiramisu" not in said
    assert content(database).keys() == content(search.store).keys()
    assert "tiramisu" not in repr(content(database))
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"tiramisu" not in file.read_bytes(), file
