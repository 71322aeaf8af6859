# SPDX-License-Identifier: Apache-2.0
"""The database as a thing that fails: what is said, what is tried again, what is kept."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text

from tests.databases import Databases, MariaDb, NotInstalled, PostgreSql, Server, free_port
from trio2o.db import migrate, pods
from trio2o.db.schema import pods as table
from trio2o.db.session import Database
from trio2o.errors import Conflict, DatabaseUnavailable, Misconfigured, Stale
from trio2o.settings import load


@pytest.fixture(params=[MariaDb, PostgreSql])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that the test may kill."""
    try:
        made: Server = request.param()
    except NotInstalled as exc:
        pytest.skip(str(exc))
    with made:
        yield made


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url, secret", "not the URL of a database"),
        ("oracle://u:secret@h/d", "oracle is not supported"),
        ("mysql+mysqldb://u:secret@h/d", "use mysql.pymysql"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as caught:
        Database(url)
    assert "[database] url" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "postgresql"])
def test_the_driver_may_be_left_out(scheme: str) -> None:
    database = Database(f"{scheme}://u@127.0.0.1/d")
    assert database.engine.driver in ("pymysql", "psycopg")
    database.close()


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "postgresql+psycopg"])
def test_an_unreachable_server_is_named_without_its_password(scheme: str) -> None:
    port = free_port()
    database = Database(f"{scheme}://u:secret@127.0.0.1:{port}/d", connect_timeout_s=2)
    with pytest.raises(DatabaseUnavailable, match=f"d at 127.0.0.1:{port}") as caught:
        database.read_now(pods.list_)
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message
    database.close()


def test_a_file_in_no_directory_is_explained(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/none/x.sqlite")
    with pytest.raises(DatabaseUnavailable, match="its directory must be there, and writable"):
        database.read_now(pods.list_)
    database.close()


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("not a database, but long enough to be looked at" * 99)
    database = Database(f"sqlite:///{tmp_path}/x")
    with pytest.raises(DatabaseUnavailable, match="file is not a database"):
        database.read_now(pods.list_)
    database.close()


def test_missing_tables_are_explained(databases: Databases, engine: str) -> None:
    database = Database(databases.url(engine))
    with pytest.raises(DatabaseUnavailable, match="run: trio2o db upgrade"):
        database.read_now(pods.list_)
    database.close()


def test_reads_and_writes_go_through_the_loop(database: Database) -> None:
    async def story() -> None:
        made = await database.write(pods.create, name="Pod1", az_name="az1")
        found = await asyncio.gather(*(database.read(pods.find, made.id) for _ in range(40)))
        assert found == [made] * 40

    asyncio.run(story())


def test_a_write_that_raises_changes_nothing(database: Database) -> None:
    def half(conn: Connection) -> None:
        pods.create(conn, name="Pod1", az_name="az1")
        raise Conflict("and then no")

    with pytest.raises(Conflict, match="and then no"):
        database.write_now(half)
    assert database.read_now(pods.list_) == []


def test_a_race_that_never_ends_is_stale(database: Database) -> None:
    pod = database.write_now(pods.create, name="Pod1", az_name="az1")

    def insert_again(conn: Connection) -> None:
        row = conn.execute(table.select()).mappings().one()
        conn.execute(insert(table).values(**row))

    with pytest.raises(Stale, match="same rows"):
        database.write_now(insert_again)
    assert database.read_now(pods.list_) == [pod]


def test_a_deadlock_is_run_again(database: Database) -> None:
    made = [database.write_now(pods.create, name=name, az_name="az1") for name in ("a", "b")]
    met = threading.Barrier(2)
    runs = []

    def change(conn: Connection, order: list[int]) -> None:
        runs.append(order)
        first_run = len(runs) <= 2
        for step, number in enumerate(order):
            conn.execute(
                text("UPDATE pods SET generation = generation + 1 WHERE number = :n"),
                {"n": number},
            )
            # SQLite lets one in at a time, so the two cannot meet there.
            if step == 0 and first_run and conn.dialect.name != "sqlite":
                met.wait(10)

    numbers = [one.number for one in made]
    with ThreadPoolExecutor(2) as threads:
        futures = [
            threads.submit(database.write_now, change, order) for order in (numbers, numbers[::-1])
        ]
        for future in futures:
            future.result()
    assert [one.generation for one in database.read_now(pods.list_)] == [3, 3]


def test_writers_of_a_file_wait_for_each_other(databases: Databases) -> None:
    with databases.open("sqlite", threads=8) as database, ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda n: database.write_now(pods.create, name=f"Pod{n}", az_name="z"), range(64)
            )
        )
        assert len(database.read_now(pods.list_)) == 64


def test_a_file_that_stays_locked_is_unavailable(databases: Databases) -> None:
    with databases.open("sqlite") as database:
        url = database.engine.url.render_as_string()
        other = Database(url, lock_timeout_s=0.05)

        def hold(_conn: Connection) -> None:
            with pytest.raises(DatabaseUnavailable, match="database is locked"):
                other.write_now(pods.create, name="Pod1", az_name="az1")
            assert other.read_now(pods.list_) == []  # readers are not in the way

        database.write_now(hold)
        other.close()


def test_calls_survive_a_restart_of_the_server(server: Server) -> None:
    database = Database(server.create(), connect_timeout_s=2)
    migrate.upgrade(database)
    made = database.write_now(pods.create, name="Pod1", az_name="az1")
    server.stop()
    with pytest.raises(DatabaseUnavailable):
        database.read_now(pods.list_)
    with pytest.raises(DatabaseUnavailable):
        database.write_now(pods.create, name="Pod2", az_name="az1")
    server.start()
    assert database.read_now(pods.list_) == [made]
    database.write_now(pods.create, name="Pod2", az_name="az1")
    # Connections that died unseen are replaced before anybody notices.
    server.stop()
    server.start()
    assert len(database.read_now(pods.list_)) == 2
    database.write_now(pods.create, name="Pod3", az_name="az1")
    database.close()


def test_a_server_that_dies_in_a_write_is_unavailable(server: Server) -> None:
    database = Database(server.create(), connect_timeout_s=2)
    migrate.upgrade(database)

    def die(conn: Connection) -> None:
        pods.create(conn, name="Pod1", az_name="az1")
        server.kill()

    with pytest.raises(DatabaseUnavailable, match="whether it was saved is not known"):
        database.write_now(die)
    database.close()


def test_all_connections_busy_is_unavailable(databases: Databases) -> None:
    with databases.open("sqlite") as made:
        url = made.engine.url.render_as_string()
        database = Database(url, threads=1, connect_timeout_s=0.05, lock_timeout_s=0.05)

        def nest(_conn: Connection, depth: int) -> None:
            database.read_now(nest if depth else pods.list_, *([depth - 1] if depth else []))

        with pytest.raises(DatabaseUnavailable, match=r"raise \[database\] threads"):
            database.read_now(nest, 5)
        database.close()


def test_the_settings_open_the_database(databases: Databases) -> None:
    url = databases.url("sqlite")
    database = Database.configured(load(["--database-url", url]).database)
    migrate.upgrade(database)
    assert database.read_now(pods.list_) == []
    database.close()
