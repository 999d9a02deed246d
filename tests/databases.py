"""Questions to the PostgreSQL that the tests start."""

from typing import Any

import sqlalchemy

PASSWORD = "tiramisu"


def ask(url: Any, query: str) -> Any:
    """Return the rows that a database answers, none to a command."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        answer = connection.execute(sqlalchemy.text(query))
        return answer.fetchall() if answer.returns_rows else None
