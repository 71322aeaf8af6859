# SPDX-License-Identifier: Apache-2.0
"""One of a million routings is found: by the gateway's own code, and by a plain query."""

import asyncio
import hashlib
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import psycopg
import pymysql  # type: ignore[import-untyped]
from sqlalchemy import Connection, make_url, text

from bench.figures import Figure, percentile
from lab.layout import Lab
from lab.processes import say
from tests.databases import MariaDb, PostgreSql
from trio2o.db import migrate, pods
from trio2o.db.session import Database
from trio2o.engine.locate import Locator
from trio2o.model import Kind
from trio2o.refs import Need
from trio2o.settings import load

ROWS = 1_000_000
LOOKUPS = 2000
_CHUNK = 50_000
_PLAIN = "SELECT pod FROM routings WHERE kind = 1 AND resource_id = {}"
_INSERT = (
    "INSERT INTO routings (kind, resource_id, pod, project_id, created_at) "
    "SELECT 1, {id}, 1, {project}, {moment} FROM {source}"
)


def server(number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(str(number).encode(), usedforsecurity=False).digest()))


_Fill = Callable[[Connection, int, int], None]


def _fill_sqlite(conn: Connection, first: int, last: int) -> None:
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.executemany(
        _INSERT.format(id="?", project="?", moment="?", source="(SELECT 1)"),
        ((uuid.UUID(server(n)).bytes, b"d" * 16, n * 1_000_000) for n in range(first, last + 1)),
    )


def _fill_mariadb(conn: Connection, first: int, last: int) -> None:
    query = _INSERT.format(
        id="UNHEX(MD5(seq))",
        project="UNHEX(MD5('project'))",
        moment="FROM_UNIXTIME(seq)",
        source=f"seq_{first}_to_{last}",
    )
    conn.execute(text(query))


def _fill_postgresql(conn: Connection, first: int, last: int) -> None:
    query = _INSERT.format(
        id="decode(md5(CAST(n AS text)), 'hex')",
        project="decode(md5('project'), 'hex')",
        moment="to_timestamp(n)",
        source=f"generate_series({first}, {last}) AS n",
    )
    conn.execute(text(query))


def _filled(url: str, fill: _Fill) -> Database:
    """The database with all rows; they are made once."""
    database = Database(url)
    migrate.upgrade(database)
    if not database.read_now(pods.list_):
        say(f"{ROWS} routings into {database.name}")
        database.write_now(pods.create, name="Pod1", az_name="az1")
        for first in range(1, ROWS, _CHUNK):
            database.write_now(fill, first, first + _CHUNK - 1)
    return database


def _plain_sqlite(url: str) -> Callable[[bytes], Any]:
    connection = sqlite3.connect(make_url(url).database or "")
    query = _PLAIN.format("?")
    return lambda key: connection.execute(query, (key,)).fetchone()


def _plain_mariadb(url: str) -> Callable[[bytes], Any]:
    at = make_url(url)
    cursor = pymysql.connect(
        host=at.host, port=at.port or 0, user=at.username, database=at.database
    ).cursor()
    query = _PLAIN.format("%s")

    def find(key: bytes) -> Any:
        cursor.execute(query, (key,))
        return cursor.fetchone()

    return find


def _plain_postgresql(url: str) -> Callable[[bytes], Any]:
    at = make_url(url)
    connection = psycopg.connect(
        host=at.host, port=at.port, user=at.username, dbname=at.database, autocommit=True
    )
    query = _PLAIN.format("%s")
    return lambda key: connection.execute(query, (key,), prepare=True).fetchone()


async def _measure(engine: str, database: Database, plain: Callable[[bytes], Any]) -> list[Figure]:
    locator = Locator(load([], default_files=[]), database, None)  # type: ignore[arg-type]
    request: Any = SimpleNamespace(caller=SimpleNamespace(project_id=""))
    registered = await database.read(pods.list_)
    numbers = [1 + (n * 7919) % ROWS for n in range(LOOKUPS + 200)]
    needs = [Need(Kind.SERVER, server(number)) for number in numbers]
    plain_us, uncached_us, cached_us = [], [], []
    for warm, need in enumerate(needs):
        key = uuid.UUID(need.resource_id).bytes
        started = time.perf_counter()
        row = plain(key)
        between = time.perf_counter()
        found = await locator.owners([need], request, registered)
        done = time.perf_counter()
        await locator.owners([need], request, registered)
        again = time.perf_counter()
        assert row, need
        assert found[need.kind, need.resource_id].pod_ids, need
        if warm >= 200:
            plain_us.append((between - started) * 1e6)
            uncached_us.append((done - between) * 1e6)
            cached_us.append((again - done) * 1e6)
    made = []
    for what, ours, bound_us in (("uncached", uncached_us, 1000), ("cached", cached_us, 0)):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            value = percentile(ours, share)
            target = (f"<= {bound_us} us", value <= bound_us) if bound_us and share == 0.5 else ()
            made.append(
                Figure(
                    "routings", f"{engine}, {what}, {name}", "us", value,
                    "plain query", percentile(plain_us, share), *target,
                )
            )  # fmt: skip
    return made


async def run(lab: Lab, *, all_engines: bool) -> list[Figure]:
    lab.data.mkdir(parents=True, exist_ok=True)
    path = lab.data / f"routings-{migrate.head()}-{ROWS}.sqlite"
    with ExitStack() as stack:
        found = await _one(stack, "SQLite", f"sqlite:///{path}", _fill_sqlite, _plain_sqlite)
        if all_engines:
            url = stack.enter_context(MariaDb()).create()
            found += await _one(stack, "MariaDB", url, _fill_mariadb, _plain_mariadb)
            url = stack.enter_context(PostgreSql()).create()
            found += await _one(stack, "PostgreSQL", url, _fill_postgresql, _plain_postgresql)
    return found


async def _one(
    stack: ExitStack,
    engine: str,
    url: str,
    fill: _Fill,
    plain: Callable[[str], Callable[[bytes], Any]],
) -> list[Figure]:
    database = await asyncio.to_thread(_filled, url, fill)
    stack.callback(database.close)
    return await _measure(engine, database, plain(url))
