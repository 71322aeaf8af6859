# SPDX-License-Identifier: Apache-2.0
"""What must be so before a process starts."""

from trio2o.db import migrate
from trio2o.db.migrate import SchemaNotAtHead
from trio2o.db.session import Database
from trio2o.errors import DatabaseUnavailable, IdentityUnavailable, Misconfigured
from trio2o.pods.service_user import check_service_user
from trio2o.settings import Settings

from .exits import Exit


class CannotStart(Exception):
    """The message is one line: what is wrong, and what to do about it."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_database(settings: Settings) -> None:
    """Raises CannotStart unless the database is there and its tables are ours."""
    try:
        database = Database.configured(settings.database)
        try:
            migrate.check(database)
        finally:
            database.close()
    except Misconfigured as exc:
        raise CannotStart(Exit.MISCONFIGURED, exc.message) from exc
    except SchemaNotAtHead as exc:
        raise CannotStart(Exit.SCHEMA_NOT_AT_HEAD, exc.message) from exc
    except DatabaseUnavailable as exc:
        raise CannotStart(Exit.DATABASE_UNAVAILABLE, f"[database] url: {exc.message}") from exc


def check_identity(settings: Settings) -> None:
    """Raises CannotStart unless Keystone answers and lets the service user in."""
    try:
        check_service_user(settings)
    except IdentityUnavailable as exc:
        raise CannotStart(Exit.IDENTITY_UNAVAILABLE, exc.message) from exc
    except Misconfigured as exc:
        raise CannotStart(Exit.BAD_CREDENTIALS, exc.message) from exc
