# SPDX-License-Identifier: Apache-2.0
"""Routings: which pod a resource is in. An index, not a truth: the pods know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    ScalarSelect,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from trio2o.db.columns import CompactId
from trio2o.db.numbers import number_of, numbers_of
from trio2o.db.schema import copies, pods, routings
from trio2o.db.upsert import insert_missing, insert_or_update
from trio2o.model import Kind, Routing

_CHUNK = 500
_ids = CompactId(dashed=True)

# The pod's id by a subquery and not by a join, lest a planner begins with the pods: without
# fresh statistics MariaDB and PostgreSQL read whole indexes then. No routing is to a deleted
# pod: pods.delete removes them, and _rows keeps the pod while it adds some.
_ALL = select(
    routings.c.kind,
    routings.c.resource_id,
    select(pods.c.id).where(pods.c.number == routings.c.pod).scalar_subquery(),
    routings.c.project_id,
    routings.c.created_at,
    routings.c.stub,
    routings.c.deleted_at,
)
# Built once: most of the time of a look-up would be that of building its statement.
_ONE = _ALL.where(
    routings.c.kind == bindparam("of_kind"), routings.c.resource_id == bindparam("with_id")
)
_MANY = _ALL.where(
    routings.c.kind == bindparam("of_kind"),
    routings.c.resource_id.in_(bindparam("with_ids", expanding=True)),
)
_THE_ONE = (
    routings.c.kind == bindparam("of_kind"),
    routings.c.resource_id == bindparam("with_id"),
)


def _number(pod_id: str) -> ScalarSelect[int]:
    return select(pods.c.number).where(pods.c.id == pod_id).scalar_subquery()


def _routing(row: Any) -> Routing:
    return Routing(row[0], row[1], row[2], row[3], row[4], row[5] or {}, row[6])


def find(conn: Connection, kind: Kind, resource_id: str) -> Routing | None:
    """The routing, also of a resource that was deleted (see ``deleted_at``)."""
    row = conn.execute(_ONE, {"of_kind": kind, "with_id": resource_id}).one_or_none()
    return _routing(row) if row else None


def find_many(conn: Connection, kind: Kind, resource_ids: Iterable[str]) -> dict[str, Routing]:
    """The routings of those that have one, by the id as it was asked for."""
    asked = list(resource_ids)
    by_key: dict[bytes, Routing] = {}
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        for row in conn.execute(_MANY, {"of_kind": kind, "with_ids": chunk}):
            routing = _routing(row)
            by_key[_ids.encode(routing.resource_id)] = routing
    found = ((one, by_key.get(_ids.encode(one))) for one in asked)
    return {one: routing for one, routing in found if routing}


def learn(conn: Connection, learnt: Sequence[Routing]) -> None:
    """Add the routings of resources that have none; the others stay as they are.

    Raises NotFound if a pod is not registered.
    """
    insert_missing(conn, routings, _rows(conn, learnt))


def confirm(conn: Connection, confirmed: Sequence[Routing]) -> None:
    """Add the routings, in place of what was known: the pod has just said so.

    Raises NotFound if a pod is not registered.
    """
    update_all = ("pod", "project_id", "created_at", "stub", "deleted_at")
    insert_or_update(conn, routings, _rows(conn, confirmed), update_all)


def _rows(conn: Connection, given: Sequence[Routing]) -> list[dict[str, Any]]:
    number = numbers_of(conn, (one.pod_id for one in given), hold=True)
    return [
        {
            "kind": one.kind,
            "resource_id": one.resource_id,
            "pod": number[one.pod_id],
            "project_id": one.project_id,
            "created_at": one.created_at,
            "stub": one.stub,
            "deleted_at": one.deleted_at,
        }
        for one in given
    ]


def mark_deleted(conn: Connection, kind: Kind, resource_id: str, when: datetime) -> bool:
    """Note that the pod said it is gone; whether there was a routing of a live resource."""
    done = conn.execute(
        update(routings)
        .where(*_THE_ONE, routings.c.deleted_at.is_(None))
        .values(deleted_at=bindparam("at")),
        {"of_kind": kind, "with_id": resource_id, "at": when},
    )
    return done.rowcount == 1


def forget(conn: Connection, kind: Kind, resource_id: str) -> bool:
    """Drop the routing and the copies; whether there was one. The resource stays in its pod."""
    conn.execute(delete(copies).where(copies.c.kind == kind, copies.c.resource_id == resource_id))
    done = conn.execute(
        delete(routings).where(*_THE_ONE), {"of_kind": kind, "with_id": resource_id}
    )
    return done.rowcount == 1


def forget_deleted(conn: Connection, before: datetime, limit: int = 1000) -> int:
    """Drop up to ``limit`` routings of resources that were gone at ``before``; how many."""
    old = conn.execute(
        select(routings.c.kind, routings.c.resource_id)
        .where(routings.c.deleted_at < before)
        .limit(limit)
    ).all()
    for kind, resource_id in old:
        forget(conn, kind, resource_id)
    return len(old)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which routings; None is any.

    deleted: of resources that are gone, or that are not.
    """

    kind: Kind | None = None
    project_id: str | None = None
    pod_id: str | None = None
    resource_id: str | None = None
    deleted: bool | None = False


def list_(
    conn: Connection,
    filters: Filters = Filters(),
    *,
    limit: int = 1000,
    after: Routing | None = None,
) -> list[Routing]:
    """Routings by kind and id.

    after: the last one of the page before.
    """
    query = _ALL
    if filters.kind is not None:
        query = query.where(routings.c.kind == filters.kind)
    if filters.project_id is not None:
        query = query.where(routings.c.project_id == filters.project_id)
    if filters.pod_id is not None:
        query = query.where(routings.c.pod == _number(filters.pod_id))
    if filters.resource_id is not None:
        query = query.where(routings.c.resource_id == filters.resource_id)
    if filters.deleted is not None:
        gone = routings.c.deleted_at.is_not(None)
        query = query.where(gone if filters.deleted else ~gone)
    if after is not None:
        kind, key = routings.c.kind, routings.c.resource_id
        beyond = key > after.resource_id
        if filters.kind is None:
            beyond = and_(kind >= after.kind, or_(kind > after.kind, beyond))
        query = query.where(beyond)
    query = query.order_by(routings.c.kind, routings.c.resource_id).limit(limit)
    return [_routing(row) for row in conn.execute(query)]


def list_newest(
    conn: Connection,
    kind: Kind,
    *,
    limit: int,
    project_id: str | None = None,
    pod_id: str | None = None,
    after: Routing | None = None,
    ids_ascending: bool = True,
    deleted: bool | None = False,
) -> list[Routing]:
    """Routings of a kind, those made last first, as services list by themselves.

    after: the last one of the page before.
    ids_ascending: the order of those made at the same moment: up in Nova, down in Cinder.
    deleted: of resources that are gone, or that are not, or None for both.
    """
    made, key = routings.c.created_at, routings.c.resource_id
    query = _ALL.where(routings.c.kind == kind)
    if project_id is not None:
        query = query.where(routings.c.project_id == project_id)
    if pod_id is not None:
        query = query.where(routings.c.pod == _number(pod_id))
    if deleted is not None:
        gone = routings.c.deleted_at.is_not(None)
        query = query.where(gone if deleted else ~gone)
    if after is not None:
        beyond = key > after.resource_id if ids_ascending else key < after.resource_id
        query = query.where(
            made <= after.created_at,
            or_(made < after.created_at, and_(made == after.created_at, beyond)),
        )
    query = query.order_by(made.desc(), key.asc() if ids_ascending else key.desc()).limit(limit)
    return [_routing(row) for row in conn.execute(query)]


def count_by_pod(conn: Connection, pod_id: str) -> dict[Kind, int]:
    """How many resources of each kind, not deleted, the pod has by our index.

    Raises NotFound if it is not registered.
    """
    counted = conn.execute(
        select(routings.c.kind, func.count())
        .where(routings.c.pod == number_of(conn, pod_id), routings.c.deleted_at.is_(None))
        .group_by(routings.c.kind)
        .order_by(routings.c.kind)
    )
    return {row[0]: row[1] for row in counted}


def learn_copies(conn: Connection, kind: Kind, pod_id: str, resource_ids: Sequence[str]) -> None:
    """Note that the pod holds these resources too, besides the pods of their routings.

    Raises NotFound if the pod is not registered.
    """
    number = number_of(conn, pod_id, hold=True)
    rows = [{"kind": kind, "resource_id": one, "pod": number} for one in resource_ids]
    insert_missing(conn, copies, rows)


def copies_of(conn: Connection, kind: Kind, resource_id: str) -> frozenset[str]:
    """The pods that hold the resource, besides that of its routing."""
    query = (
        select(pods.c.id)
        .join(copies, copies.c.pod == pods.c.number)
        .where(
            copies.c.kind == kind,
            copies.c.resource_id == resource_id,
            pods.c.deleted_at.is_(None),
        )
    )
    return frozenset(conn.scalars(query))


def forget_copy(conn: Connection, kind: Kind, resource_id: str, pod_id: str) -> None:
    """Note that the pod does not hold the resource any more. Raises NotFound."""
    number = number_of(conn, pod_id)
    conn.execute(
        delete(copies).where(
            copies.c.kind == kind, copies.c.resource_id == resource_id, copies.c.pod == number
        )
    )
