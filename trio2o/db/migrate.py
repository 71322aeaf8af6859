# SPDX-License-Identifier: Apache-2.0
"""Which revision the tables have, and bringing them to that of this release.

The steps are in alembic/versions. Each says by ``phase`` whether it goes with the release
before (``expand``: adds what that release does not mind) or not (``contract``: removes what
only that release used).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from trio2o.db.session import Database
from trio2o.errors import DatabaseUnavailable

# Any number that other programs in the same server do not take.
_LOCK = 8_410_211
_LOCK_WAIT_S = 120


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "trio2o:db/alembic")
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The revision that this release needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise AssertionError("the package lacks alembic/versions")
    return revision


def current(database: Database) -> str | None:
    """The revision of the database; None before the first ``upgrade``.

    Raises DatabaseUnavailable.
    """
    return database.read_now(_revision)


def _revision(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def check(database: Database) -> None:
    """Raise DatabaseUnavailable unless the tables are those of this release."""
    known = current(database)
    if known == head():
        return
    scripts = ScriptDirectory.from_config(_config())
    if known is not None and known not in {one.revision for one in scripts.walk_revisions()}:
        raise SchemaNotAtHead(
            f"The tables of the database ({database.name}) are at revision {known}, which is of "
            "a later release; run that release of trio2o"
        )
    raise SchemaNotAtHead(
        f"The tables of the database ({database.name}) are at revision {known or 'none'}, this "
        f"release needs {head()}; run: trio2o db upgrade"
    )


class SchemaNotAtHead(DatabaseUnavailable):
    """The tables are not those of this release."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to ``revision``; of many that try at a time one works, the others wait.

    Raises DatabaseUnavailable. In MariaDB each step of a revision is kept when a later one
    fails; run it again when the cause is gone.
    """
    database.write_now(_upgrade, revision)


def _upgrade(conn: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = conn
    with _alone(conn):
        command.upgrade(config, revision)


@contextmanager
def _alone(conn: Connection) -> Iterator[None]:
    """Keep others from upgrading at the same time. SQLite's transaction does by itself."""
    if conn.dialect.name == "postgresql":
        # Ends with the transaction.
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield
    elif conn.dialect.name in ("mysql", "mariadb"):
        name = {"name": f"trio2o-{_LOCK}", "wait": _LOCK_WAIT_S}
        if not conn.scalar(text("SELECT GET_LOCK(:name, :wait)"), name):
            raise DatabaseUnavailable(
                f"Somebody else has been changing the tables for {_LOCK_WAIT_S} s; try again"
            )
        try:
            yield
        finally:
            conn.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name["name"]})
    else:
        yield
