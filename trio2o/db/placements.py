# SPDX-License-Identifier: Apache-2.0
"""Placements: why a resource is in the pod that it is in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from trio2o import clock
from trio2o.db.schema import placements
from trio2o.db.upsert import insert_or_update
from trio2o.model import Kind


@dataclass(frozen=True, slots=True)
class Placement:
    """document: what place.py says about filters and weights."""

    kind: Kind
    resource_id: str
    project_id: str
    created_at: datetime
    document: Mapping[str, Any]


def record(
    conn: Connection, kind: Kind, resource_id: str, project_id: str, document: Mapping[str, Any]
) -> None:
    """Keep the explanation, in place of an earlier one of the same resource."""
    row = {
        "kind": kind,
        "resource_id": resource_id,
        "project_id": project_id,
        "created_at": clock.now(),
        "document": document,
    }
    insert_or_update(conn, placements, [row], ("project_id", "created_at", "document"))


def find(conn: Connection, kind: Kind, resource_id: str) -> Placement | None:
    row = conn.execute(
        select(placements).where(
            placements.c.kind == kind, placements.c.resource_id == resource_id
        )
    ).one_or_none()
    if row is None:
        return None
    return Placement(row.kind, row.resource_id, row.project_id, row.created_at, row.document or {})


def purge(conn: Connection, before: datetime, limit: int = 1000) -> int:
    """Drop up to ``limit`` placements recorded before; how many."""
    old = conn.execute(
        select(placements.c.kind, placements.c.resource_id)
        .where(placements.c.created_at < before)
        .limit(limit)
    ).all()
    if old:
        each = (
            and_(placements.c.kind == kind, placements.c.resource_id == resource_id)
            for kind, resource_id in old
        )
        conn.execute(delete(placements).where(or_(*each)))
    return len(old)
