# SPDX-License-Identifier: Apache-2.0
"""Intents: creates that a pod may have been asked for, until it is known what came of them.

An intent that stays ``asked`` is work for the worker, who takes a lease on it. Each lease has
another generation: who comes late, with that of a lease that another one has taken over
since, is told so by Stale and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from trio2o import clock
from trio2o.db import routings
from trio2o.db.numbers import number_of
from trio2o.db.schema import intents, pods
from trio2o.errors import NotFound, Stale
from trio2o.model import Intent, IntentState, Kind, Routing

_ALL = select(
    intents,
    pods.c.id.label("pod_id"),
).join(pods, pods.c.number == intents.c.pod)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to find out about an intent, until ``until``.

    generation: the fence; another lease has another one.
    """

    intent: Intent
    owner: str
    generation: int
    until: datetime


def _intent(row: Any) -> Intent:
    return Intent(
        id=row.id,
        kind=row.kind,
        project_id=row.project_id,
        user_id=row.user_id,
        pod_id=row.pod_id,
        request_id=row.request_id,
        state=IntentState(row.state),
        created_at=row.created_at,
        resource_ids=tuple(row.resource_ids or ()),
        attempts=row.attempts,
    )


def create(conn: Connection, intent: Intent) -> None:
    """Keep the intent. Its pod may be asked once this is committed, and not before.

    Raises NotFound if the pod is not registered any more.
    """
    conn.execute(
        insert(intents).values(
            id=intent.id,
            kind=intent.kind,
            project_id=intent.project_id,
            user_id=intent.user_id,
            pod=number_of(conn, intent.pod_id, hold=True),
            request_id=intent.request_id,
            state=intent.state.value,
            created_at=intent.created_at,
            updated_at=intent.created_at,
            resource_ids=intent.resource_ids,
            attempts=intent.attempts,
            generation=1,
            again_at=intent.created_at,
            lease_owner=None,
        )
    )


def find(conn: Connection, intent_id: str) -> Intent | None:
    row = conn.execute(_ALL.where(intents.c.id == intent_id)).one_or_none()
    return _intent(row) if row else None


def confirm(conn: Connection, intent_id: str, made: Sequence[Routing]) -> None:
    """Note that the pod said what it made, and the routings of that.

    Whatever a worker thought of it meanwhile: the pod's answer is the better source, and a
    lease on the intent ends.

    Raises NotFound if there is no such intent, or if the pod is not registered any more.
    """
    _finish(conn, intent_id, IntentState.CONFIRMED, made)


def refuse(conn: Connection, intent_id: str) -> None:
    """Note that the pod answered with an error: nothing was made. Raises NotFound."""
    _finish(conn, intent_id, IntentState.REFUSED, ())


def _finish(conn: Connection, intent_id: str, state: IntentState, made: Sequence[Routing]) -> None:
    routings.confirm(conn, made)
    done = conn.execute(
        update(intents)
        .where(intents.c.id == intent_id)
        .values(
            state=state.value,
            resource_ids=[one.resource_id for one in made],
            updated_at=clock.now(),
            generation=intents.c.generation + 1,
            lease_owner=None,
        )
    )
    if done.rowcount != 1:
        raise NotFound(f"There is no intent {intent_id}.")


def lease(
    conn: Connection, owner: str, *, older_than: datetime, limit: int, lease_s: float
) -> list[Lease]:
    """Take up to ``limit`` intents whose end is not known; nobody else gets them meanwhile.

    older_than: only those made before.
    """
    now = clock.now()
    query = (
        _ALL.where(
            intents.c.state == IntentState.ASKED.value,
            intents.c.again_at <= now,
            intents.c.created_at < older_than,
        )
        .order_by(intents.c.again_at, intents.c.id)
        .limit(limit)
        .with_for_update(of=intents, skip_locked=True)
    )
    until = now + timedelta(seconds=lease_s)
    taken = []
    for row in conn.execute(query).all():
        one = Lease(_intent(row), owner, row.generation + 1, until)
        done = conn.execute(
            update(intents)
            .where(intents.c.id == row.id, intents.c.generation == row.generation)
            .values(generation=one.generation, again_at=until, lease_owner=owner)
        )
        if done.rowcount == 1:
            taken.append(one)
    return taken


def renew(conn: Connection, held: Lease, lease_s: float) -> Lease:
    """Keep the lease for longer. Raises Stale if it is over."""
    until = clock.now() + timedelta(seconds=lease_s)
    _change(conn, held, again_at=until)
    return Lease(held.intent, held.owner, held.generation, until)


def again(conn: Connection, held: Lease, after_s: float, *, counts: bool = True) -> None:
    """Give the lease back; the intent is looked into again after ``after_s``.

    counts: whether it was an attempt; a pod that did not respond costs none.

    Raises Stale if the lease is over.
    """
    _change(
        conn,
        held,
        again_at=clock.now() + timedelta(seconds=after_s),
        attempts=held.intent.attempts + int(counts),
        generation=held.generation + 1,
        lease_owner=None,
    )


def settle(
    conn: Connection, held: Lease, state: IntentState, found: Sequence[Routing] = ()
) -> None:
    """End the intent, with the routings of what was found.

    Raises Stale if the lease is over; then nothing is changed.
    """
    _change(
        conn,
        held,
        state=state.value,
        resource_ids=[one.resource_id for one in found],
        updated_at=clock.now(),
        attempts=held.intent.attempts + 1,
        generation=held.generation + 1,
        lease_owner=None,
    )
    routings.confirm(conn, found)


def _change(conn: Connection, held: Lease, **values: Any) -> None:
    done = conn.execute(
        update(intents)
        .where(intents.c.id == held.intent.id, intents.c.generation == held.generation)
        .values(**values)
    )
    if done.rowcount != 1:
        raise Stale(f"The lease of {held.owner} on intent {held.intent.id} is over.")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which intents; None is any."""

    state: IntentState | None = None
    kind: Kind | None = None
    project_id: str | None = None
    pod_id: str | None = None


def list_(
    conn: Connection,
    filters: Filters = Filters(),
    *,
    limit: int = 1000,
    after: Intent | None = None,
) -> list[Intent]:
    """Intents, the oldest first.

    after: the last one of the page before.
    """
    query = _ALL
    if filters.state is not None:
        query = query.where(intents.c.state == filters.state.value)
    if filters.kind is not None:
        query = query.where(intents.c.kind == filters.kind)
    if filters.project_id is not None:
        query = query.where(intents.c.project_id == filters.project_id)
    if filters.pod_id is not None:
        query = query.where(pods.c.id == filters.pod_id)
    if after is not None:
        made = intents.c.created_at
        query = query.where(
            or_(
                made > after.created_at,
                and_(made == after.created_at, intents.c.id > after.id),
            )
        )
    query = query.order_by(intents.c.created_at, intents.c.id).limit(limit)
    return [_intent(row) for row in conn.execute(query)]


def purge(conn: Connection, before: datetime, limit: int = 1000) -> int:
    """Drop up to ``limit`` intents that ended before; how many."""
    old = conn.scalars(
        select(intents.c.id)
        .where(intents.c.state != IntentState.ASKED.value, intents.c.updated_at < before)
        .limit(limit)
    ).all()
    if old:
        conn.execute(delete(intents).where(intents.c.id.in_(old)))
    return len(old)
