# SPDX-License-Identifier: Apache-2.0
"""The database: connections, transactions, and its failures in our words.

What is read and written is said by functions that take a connection first, such as
``routings.find``; this module runs them, each in one transaction, in a few threads.
"""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from trio2o.errors import DatabaseUnavailable, Misconfigured, Stale
from trio2o.settings import Database as DatabaseSettings

P = ParamSpec("P")
T = TypeVar("T")
_Work = Callable[[Connection], T]

_DRIVERS = {
    "sqlite": "pysqlite",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "postgresql": "psycopg",
}
_ATTEMPTS = 8
_WRITES = "trio2o_writes"
# mysql: 1205 lock wait timeout, 1213 deadlock (Galera's certification failure too).
_MYSQL_AGAIN = frozenset({1205, 1213})
# postgresql: serialization failure, deadlock, lock not available in time.
_POSTGRESQL_AGAIN = frozenset({"40001", "40P01", "55P03"})


class Database:
    """One database and the threads that talk to it.

    url: of SQLAlchemy; sqlite with a file, mysql+pymysql or postgresql+psycopg.
    threads: calls at a time, each with its connection.
    connect_timeout_s: seconds to wait for a connection.
    lock_timeout_s: seconds that a change waits for another one.

    Raises Misconfigured if ``url`` names no database of these.
    """

    def __init__(
        self,
        url: str,
        *,
        threads: int = 8,
        connect_timeout_s: float = 5.0,
        lock_timeout_s: float = 10.0,
    ) -> None:
        parsed = _parse(url)
        self.name = describe(parsed)
        self.engine = _engine(parsed, threads, connect_timeout_s, lock_timeout_s)
        self._reader = self.engine.execution_options(**{_WRITES: False})
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._patience_s = 2 * lock_timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    @classmethod
    def configured(cls, settings: DatabaseSettings) -> "Database":
        return cls(
            settings.url,
            threads=settings.threads,
            connect_timeout_s=settings.connect_timeout_s,
            lock_timeout_s=settings.lock_timeout_s,
        )

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return ``fn(connection, *args, **kwargs)``, run in a thread and a transaction.

        Raises DatabaseUnavailable, and what ``fn`` raises.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: self.read_now(fn, *args, **kwargs)
        )

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return ``fn(connection, *args, **kwargs)`` after its changes are committed.

        fn: is run again after a deadlock or a race, so it must change nothing but the
            database. When it raises, nothing is changed.

        Raises DatabaseUnavailable, Stale if others kept changing the same rows, and what
        ``fn`` raises.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: self.write_now(fn, *args, **kwargs)
        )

    def read_now(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``read``, in the caller's thread, which may have to wait."""
        return self._run(self._read_once, lambda conn: fn(conn, *args, **kwargs))

    def write_now(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``write``, in the caller's thread, which may have to wait."""
        return self._run(self._write_once, lambda conn: fn(conn, *args, **kwargs))

    def close(self) -> None:
        """End after the calls that are in progress."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    def _run(self, once: Callable[[_Work[T]], T], fn: _Work[T]) -> T:
        give_up = time.monotonic() + self._patience_s
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS or time.monotonic() > give_up
            try:
                return once(fn)
            except IntegrityError as exc:
                # Somebody inserted the same key since fn looked: fn sees it next time.
                if last:
                    raise Stale(f"Others keep changing the same rows: {exc.orig}") from exc
            except NoConnectionInTime as exc:
                raise DatabaseUnavailable(
                    f"All connections to the database ({self.name}) are busy; raise [database] "
                    "threads, or find out what makes the database slow"
                ) from exc
            except DBAPIError as exc:
                lost = exc.connection_invalidated and attempt == 1
                if last or not (lost or _try_again(exc)):
                    raise self._unavailable(exc) from exc
            except SQLAlchemyError as exc:
                raise DatabaseUnavailable(f"The database ({self.name}) failed: {exc}") from exc
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  jitter
        raise AssertionError("unreachable")

    def _read_once(self, fn: _Work[T]) -> T:
        with self._reader.connect() as conn:
            return fn(conn)

    def _write_once(self, fn: _Work[T]) -> T:
        with self._writer.connect() as conn:
            transaction = conn.begin()
            result = fn(conn)
            try:
                transaction.commit()
            except DBAPIError as exc:
                if exc.connection_invalidated:
                    raise DatabaseUnavailable(
                        f"The connection to the database ({self.name}) was lost while a change "
                        "was saved; whether it was saved is not known"
                    ) from exc
                raise
            return result

    def _unavailable(self, exc: DBAPIError) -> DatabaseUnavailable:
        said = " ".join(str(exc.orig).split())
        if isinstance(exc, ProgrammingError) or "no such table" in said:
            return DatabaseUnavailable(
                f"The database ({self.name}) does not have the tables that this release needs "
                f"({said}); run: trio2o db upgrade"
            )
        hint = ""
        if "unable to open database file" in said or "readonly database" in said:
            hint = f"; its directory must be there, and writable for user {os.geteuid()}"
        return DatabaseUnavailable(f"The database ({self.name}) failed: {said}{hint}")


def describe(url: URL) -> str:
    """Which database ``url`` means, without user and password."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite file {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()} {url.database} at {url.host or 'localhost'}{port}"


def _parse(text: str) -> URL:
    """Raises Misconfigured, without the text, which may hold a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise Misconfigured(
            "[database] url: it is not the URL of a database; write one like "
            "mysql+pymysql://user:password@host/trio2o"
        ) from None
    backend = url.get_backend_name()
    driver = _DRIVERS.get(backend)
    if driver is None:
        raise Misconfigured(
            f"[database] url: {backend} is not supported; use sqlite, mysql+pymysql or "
            "postgresql+psycopg"
        )
    if url.drivername == backend:
        url = url.set(drivername=f"{backend}+{driver}")
    if url.drivername != f"{backend}+{driver}":
        raise Misconfigured(
            f"[database] url: the driver of {url.drivername} is not supported; use "
            f"{backend}+{driver}"
        )
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise Misconfigured(
            "[database] url: SQLite needs a file, as in sqlite:////var/lib/trio2o/trio2o.sqlite"
        )
    return url


def _engine(url: URL, threads: int, connect_timeout_s: float, lock_timeout_s: float) -> Engine:
    backend = url.get_backend_name()
    args: dict[str, Any]
    more: dict[str, Any] = {}
    if backend == "sqlite":
        args = {"timeout": lock_timeout_s, "check_same_thread": False}
    elif backend == "postgresql":
        args = {
            "connect_timeout": max(2, round(connect_timeout_s)),
            "options": f"-c lock_timeout={round(lock_timeout_s * 1000)} -c timezone=UTC",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
    else:
        # READ COMMITTED: a change that is run again sees what others committed meanwhile,
        # and inserts take no gap locks.
        more["isolation_level"] = "READ COMMITTED"
        args = {
            "connect_timeout": max(1, round(connect_timeout_s)),
            "read_timeout": round(lock_timeout_s) + 20,
            "write_timeout": round(lock_timeout_s) + 20,
            "init_command": f"SET SESSION innodb_lock_wait_timeout={round(lock_timeout_s)}",
        }
    try:
        engine = create_engine(
            url,
            pool_size=threads,
            max_overflow=4,
            pool_timeout=connect_timeout_s + lock_timeout_s,
            connect_args=args,
            **more,
        )
    except ModuleNotFoundError as exc:
        extra = "mysql" if backend in ("mysql", "mariadb") else backend
        raise Misconfigured(
            f"[database] url: the driver {exc.name} is not installed; run: pip install "
            f"'trio2o[{extra}]'"
        ) from exc
    except NoSuchModuleError as exc:
        raise Misconfigured(f"[database] url: {exc}") from exc
    if backend == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 begins transactions by guessing; _sqlite_begin says when and which.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A change that was answered for is on the disk, even after a power cut.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-65536")


def _sqlite_begin(conn: Connection) -> None:
    # IMMEDIATE: one that reads before it writes cannot be refused in the middle.
    writes = conn.get_execution_options().get(_WRITES, True)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _try_again(exc: DBAPIError) -> bool:
    """Whether another transaction was in the way, and nothing is broken."""
    cause = exc.orig
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    if getattr(cause, "sqlstate", None) in _POSTGRESQL_AGAIN:
        return True
    return bool(cause and cause.args and cause.args[0] in _MYSQL_AGAIN)
