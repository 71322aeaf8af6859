# SPDX-License-Identifier: Apache-2.0
"""``trio2o status upgrade check``: whether this release can be started here."""

import asyncio
import sqlite3
from collections.abc import Sequence

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck
from oslo_upgradecheck.upgradecheck import Code, Result
from sqlalchemy import Connection

from trio2o import settings
from trio2o.db import migrate, pods
from trio2o.db.session import Database
from trio2o.engine.build import build
from trio2o.errors import Misconfigured, Trio2oError
from trio2o.model import Pod
from trio2o.settings import Settings

OLDEST = {
    "sqlite": (3, 35),
    "mariadb": (10, 6),  # SKIP LOCKED
    "mysql": (8, 0, 1),  # SKIP LOCKED
    "postgresql": (12,),
}


def run(argv: Sequence[str], prog: str) -> int:
    """argv: options, then the words ``upgrade check`` and perhaps ``--json``.

    Return 0 if all is well, 1 for a warning, 2 for a failure. Raises Misconfigured.
    """
    words = [word for word in argv if word in ("upgrade", "check", "--json")]
    if words[:2] != ["upgrade", "check"]:
        raise Misconfigured(f"usage: {prog} [options] upgrade check [--json]")
    known = settings.load([word for word in argv if word not in words], prog=prog)
    return upgradecheck.main(
        cfg.ConfigOpts(), "trio2o", Checks(known), argv=words, default_config_files=[]
    )


class Checks(upgradecheck.UpgradeCommands):
    """Each check is a Result; none raises."""

    display_title = "Trio2o upgrade check"

    def __init__(self, known: Settings) -> None:
        self._settings = known
        self._upgrade_checks = (
            ("Database engine", Checks.engine),
            ("Database tables", Checks.tables),
            ("Pods in the catalogue", Checks.catalogue),
        )

    def _database(self) -> Database:
        return Database.configured(self._settings.database)

    def engine(self) -> Result:
        """The engine is one that everything is tested with, and not too old."""
        try:
            database = self._database()
            try:
                name, version = database.read_now(_engine)
            finally:
                database.close()
        except Trio2oError as exc:
            return Result(Code.FAILURE, exc.message)
        shown = f"{name} {'.'.join(map(str, version))}"
        if version < OLDEST[name]:
            needed = ".".join(map(str, OLDEST[name]))
            return Result(Code.FAILURE, f"{shown} is too old; {needed} is needed")
        return Result(Code.SUCCESS, shown)

    def tables(self) -> Result:
        """They are those of this release."""
        try:
            database = self._database()
            try:
                migrate.check(database)
            finally:
                database.close()
        except Trio2oError as exc:
            return Result(Code.FAILURE, exc.message)
        return Result(Code.SUCCESS, f"at revision {migrate.head()}")

    def catalogue(self) -> Result:
        """Each pod is a region with endpoints."""
        try:
            registered = self._pods()
            problems = asyncio.run(_problems(self._settings, registered))
        except Trio2oError as exc:
            return Result(Code.FAILURE, exc.message)
        told = [f"{name}: {'; '.join(said)}" for name, said in problems.items() if said]
        if told:
            return Result(Code.WARNING, ". ".join(told))
        return Result(Code.SUCCESS, f"{len(registered)} pods")

    def _pods(self) -> list[Pod]:
        database = self._database()
        try:
            return database.read_now(pods.list_)
        finally:
            database.close()


async def _problems(known: Settings, registered: list[Pod]) -> dict[str, list[str]]:
    """What is wrong with each pod's region. Raises Misconfigured, IdentityUnavailable."""
    parts = build(known)
    try:
        return {pod.name: await parts.identity.check_region(pod.name) for pod in registered}
    finally:
        await parts.client.close()
        await parts.identity.close()
        parts.db.close()


def _engine(conn: Connection) -> tuple[str, tuple[int, ...]]:
    dialect = conn.dialect
    if dialect.name == "sqlite":
        return "sqlite", sqlite3.sqlite_version_info
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    version = tuple(part for part in dialect.server_version_info or () if isinstance(part, int))
    return name, version
