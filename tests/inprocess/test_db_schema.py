# SPDX-License-Identifier: Apache-2.0
"""Migrations: they make what the models say, once, and whoever runs them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tests.databases import Databases
from trio2o.db import migrate
from trio2o.db.migrate import SchemaNotAtHead
from trio2o.db.schema import metadata
from trio2o.db.session import Database


def _difference(conn: Connection) -> list[object]:
    context = MigrationContext.configure(conn, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def test_migrations_make_the_tables_that_the_models_describe(database: Database) -> None:
    assert database.read_now(_difference) == []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    migrate.check(database)


def test_a_new_database_is_told_to_upgrade(databases: Databases, engine: str) -> None:
    database = Database(databases.url(engine))
    assert migrate.current(database) is None
    with pytest.raises(SchemaNotAtHead, match="run: trio2o db upgrade"):
        migrate.check(database)
    database.close()


def test_a_database_of_a_later_release_says_so(database: Database) -> None:
    database.write_now(
        lambda conn: conn.execute(text("UPDATE alembic_version SET version_num='9'"))
    )
    with pytest.raises(SchemaNotAtHead, match="at revision 9, which is of a later release"):
        migrate.check(database)


def test_many_upgrades_at_a_time_are_one(databases: Databases, engine: str) -> None:
    url = databases.url(engine)
    every = [Database(url, threads=1, lock_timeout_s=60) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate.upgrade, every))
    for database in every:
        migrate.check(database)
        database.close()


def test_a_failed_upgrade_leaves_nothing_where_the_engine_can(databases: Databases) -> None:
    for engine in ("sqlite", "postgresql"):
        database = Database(databases.url(engine))
        database.write_now(lambda conn: conn.execute(text("CREATE TABLE cursors (x INTEGER)")))
        with pytest.raises(Exception, match="cursors"):
            migrate.upgrade(database)
        assert migrate.current(database) is None
        tables = database.read_now(lambda conn: inspect(conn).get_table_names())
        assert tables == ["cursors"]
        database.close()


def test_every_migration_is_marked_expand_or_contract() -> None:
    scripts = list(ScriptDirectory.from_config(migrate._config()).walk_revisions())
    assert scripts
    for script in scripts:
        assert script.module.phase in ("expand", "contract"), script
