# SPDX-License-Identifier: Apache-2.0
"""Cursors: where the pages of a list ended in each pod."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, bindparam, delete, select

from trio2o import clock
from trio2o.db.schema import cursors
from trio2o.db.upsert import insert_or_update

_LIVE = select(cursors.c.positions).where(
    cursors.c.key == bindparam("of_key"), cursors.c.expires_at > bindparam("now")
)


def save(conn: Connection, key: str, positions: Mapping[str, Any], expires_at: datetime) -> None:
    """Keep the positions, in place of earlier ones.

    key: at most 255 characters, best a hash.
    positions: as JSON; empty ones come back as None, as if they were not there.
    """
    row = {"key": key, "positions": positions, "expires_at": expires_at}
    insert_or_update(conn, cursors, [row], ("positions", "expires_at"))


def find(conn: Connection, key: str, now: datetime) -> dict[str, Any] | None:
    """The positions, unless they have expired at ``now``."""
    found = conn.scalar(_LIVE, {"of_key": key, "now": now})
    return cast("dict[str, Any] | None", found)


def purge(conn: Connection, limit: int = 1000) -> int:
    """Drop up to ``limit`` cursors that have expired; how many."""
    old = conn.scalars(
        select(cursors.c.key).where(cursors.c.expires_at <= clock.now()).limit(limit)
    ).all()
    if old:
        conn.execute(delete(cursors).where(cursors.c.key.in_(old)))
    return len(old)
