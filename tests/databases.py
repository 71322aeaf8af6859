# SPDX-License-Identifier: Apache-2.0
"""Throw-away databases for tests: SQLite files, and MariaDB and PostgreSQL servers of our own.

A server runs on a free port of 127.0.0.1 with its data in a temporary directory and without
syncing to disk. What is not installed is named, and
tests that need it are skipped, unless TRIO2O_TEST_DATABASES (as in "mariadb,postgresql") says
that it must be there.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from sqlalchemy import create_engine, text

from trio2o.db import migrate
from trio2o.db.session import Database

ENGINES = ("sqlite", "mariadb", "postgresql")
_NEEDS = {"mariadb": "mariadb-server", "postgresql": "postgresql"}


class NotInstalled(Exception):
    """The message names the Debian package."""


def _program(name: str, folders: Sequence[str], package: str) -> str:
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise NotInstalled(f"{name} is not installed: apt-get install {package}")
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Server:
    """A database server. It is started by ``with``."""

    _crash = signal.SIGKILL
    _shutdown = signal.SIGTERM

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="trio2o-test-db-"))
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        self.user: str | None = None

    def start(self) -> None:
        """(Re)start it on the same port; return when it takes connections."""
        raise NotImplementedError

    def url(self, name: str) -> str:
        raise NotImplementedError

    def create(self) -> str:
        """A new, empty database; its URL."""
        raise NotImplementedError

    def _create(self, from_database: str) -> str:
        name = f"t{uuid.uuid4().hex}"
        engine = create_engine(self.url(from_database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)

    def _spawn(self, command: Sequence[str], ready: str) -> None:
        # So that it does not outlive a test run that is killed.
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self.process = subprocess.Popen(
            [*bound, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            cwd="/",
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise AssertionError("".join(said))
        # The rest of what it says is read, lest it waits for us.
        self._reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """End it at once, as a power cut would; what was just committed may be lost."""
        self._end(self._crash)

    def stop(self) -> None:
        """End it in order; its clients are cut off and what they committed is kept."""
        self._end(self._shutdown)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _own_by(self, name: str) -> None:
        if os.geteuid() == 0:
            self.user = name
            entry = pwd.getpwnam(name)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)


class MariaDb(Server):
    def __init__(self) -> None:
        self._daemon = _program("mariadbd", ["/usr/sbin"], _NEEDS["mariadb"])
        install = _program("mariadb-install-db", ["/usr/bin"], _NEEDS["mariadb"])
        super().__init__()
        self._own_by("mysql")
        subprocess.run(
            [
                install,
                "--no-defaults",
                f"--datadir={self.folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *([f"--user={self.user}"] if self.user else []),
            ],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        self._spawn(
            [
                self._daemon,
                "--no-defaults",
                f"--datadir={self.folder}/data",
                f"--socket={self.folder}/sock",
                f"--pid-file={self.folder}/pid",
                # A server that starts deletes what looks like another one's in a shared /tmp.
                f"--tmpdir={self.folder}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync",
                "--innodb-buffer-pool-size=64M",
                "--skip-log-bin",
            ],
            "ready for connections",
        )

    def create(self) -> str:
        return self._create("")

    def url(self, name: str) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}"


class PostgreSql(Server):
    _crash = signal.SIGQUIT  # its processes end, without a checkpoint
    _shutdown = signal.SIGINT  # without waiting for its clients to leave

    def __init__(self) -> None:
        folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
        self._daemon = _program("postgres", folders, _NEEDS["postgresql"])
        initdb = _program("initdb", folders, _NEEDS["postgresql"])
        super().__init__()
        self._own_by("postgres")
        subprocess.run(
            [
                initdb,
                f"--pgdata={self.folder}/data",
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ],
            check=True,
            capture_output=True,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            cwd="/",
        )

    def start(self) -> None:
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self._spawn(
            [
                self._daemon,
                "-D",
                f"{self.folder}/data",
                "-p",
                str(self.port),
                "-k",
                str(self.folder),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ],
            "ready to accept connections",
        )

    def create(self) -> str:
        return self._create("postgres")

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"


_SERVERS: dict[str, type[Server]] = {"mariadb": MariaDb, "postgresql": PostgreSql}


class Databases:
    """Empty databases of each engine; its server is started with the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Server] = {}

    def server(self, engine: str) -> Server:
        """The server of ``engine``; skips the test when it is not installed."""
        if engine not in self._running:
            try:
                server = _SERVERS[engine]()
            except NotInstalled as exc:
                if engine in os.environ.get("TRIO2O_TEST_DATABASES", "").split(","):
                    raise
                pytest.skip(str(exc))
            self._running[engine] = server.__enter__()
        return self._running[engine]

    def url(self, engine: str) -> str:
        """The URL of a new, empty database."""
        if engine == "sqlite":
            return f"sqlite:///{self._folder}/{uuid.uuid4().hex}.sqlite"
        return self.server(engine).create()

    @contextmanager
    def open(self, engine: str, **more: Any) -> Iterator[Database]:
        """A new database with all tables."""
        database = Database(self.url(engine), **more)
        migrate.upgrade(database)
        try:
            yield database
        finally:
            database.close()

    def close(self) -> None:
        for server in self._running.values():
            server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn."""
    name: str = request.param
    return name


@pytest.fixture
def database(databases: Databases, engine: str) -> Iterator[Database]:
    """A database with all tables and nothing in them, of each engine in turn."""
    with databases.open(engine, threads=16) as made:
        yield made
