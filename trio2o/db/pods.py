# SPDX-License-Identifier: Apache-2.0
"""Pods: registered, changed by compare-and-swap, deleted but for their number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, func, insert, select

from trio2o import clock, ids
from trio2o.db.numbers import number_of
from trio2o.db.routings import count_by_pod
from trio2o.db.schema import bindings, copies, intents, pods, routings
from trio2o.errors import Conflict, NotFound, Stale
from trio2o.model import IntentState, Kind, Pod, PodState

_LIVE = select(pods).where(pods.c.deleted_at.is_(None)).order_by(pods.c.number)
_BY_ID = _LIVE.where(pods.c.id == bindparam("pod_id"))
_BY_NAME = _LIVE.where(pods.c.live_name == bindparam("pod_name"))


def _pod(row: Any) -> Pod:
    return Pod(
        id=row.id,
        number=row.number,
        name=row.name,
        az_name=row.az_name,
        pod_az_name=row.pod_az_name,
        dc_name=row.dc_name,
        state=PodState(row.state),
        tags=frozenset(row.tags or ()),
        generation=row.generation,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _facts(pod: Pod) -> dict[str, Any]:
    return {
        "name": pod.name,
        "live_name": pod.name,
        "az_name": pod.az_name,
        "pod_az_name": pod.pod_az_name,
        "dc_name": pod.dc_name,
        "state": pod.state.value,
        "tags": sorted(pod.tags),
    }


def list_(conn: Connection) -> list[Pod]:
    """Every registered pod, by number."""
    return [_pod(row) for row in conn.execute(_LIVE)]


def find(conn: Connection, pod_id: str) -> Pod | None:
    row = conn.execute(_BY_ID, {"pod_id": pod_id}).one_or_none()
    return _pod(row) if row else None


def find_by_name(conn: Connection, name: str) -> Pod | None:
    row = conn.execute(_BY_NAME, {"pod_name": name}).one_or_none()
    return _pod(row) if row else None


def create(
    conn: Connection,
    *,
    name: str,
    az_name: str,
    pod_az_name: str = "",
    dc_name: str = "",
    state: PodState = PodState.ENABLED,
    tags: frozenset[str] = frozenset(),
) -> Pod:
    """Register a pod, under a number that no pod has had.

    Raises Conflict if a pod has the name.
    """
    if find_by_name(conn, name):
        raise Conflict(f"There is already a pod named {name}.")
    now = clock.now()
    # Rows are never deleted, so this counts up; of two at a time one is run again.
    number = conn.scalar(select(func.coalesce(func.max(pods.c.number), 0) + 1)) or 1
    pod = Pod(
        id=ids.new_uuid(),
        number=number,
        name=name,
        az_name=az_name,
        pod_az_name=pod_az_name,
        dc_name=dc_name,
        state=state,
        tags=tags,
        generation=1,
        created_at=now,
        updated_at=now,
    )
    conn.execute(
        insert(pods).values(
            id=pod.id,
            number=number,
            generation=1,
            created_at=now,
            updated_at=now,
            **_facts(pod),
        )
    )
    return pod


def update(conn: Connection, pod: Pod) -> Pod:
    """Make the pod be as ``pod`` says and return it with its new generation.

    pod: as it was read, with changes; ``generation`` is the one that was read.

    Raises NotFound if the pod is gone, Stale if it has changed since it was read, Conflict if
    another pod has the name or if it leaves a zone for which projects are bound to it.
    """
    known = _lock(conn, pod.id)
    if known.generation != pod.generation:
        raise Stale(f"Pod {known.name} was changed meanwhile; read it again.")
    other = find_by_name(conn, pod.name)
    if other and other.id != pod.id:
        raise Conflict(f"There is already a pod named {pod.name}.")
    if known.az_name != pod.az_name and _active_bindings(conn, known.number):
        raise Conflict(
            f"Projects are bound to pod {known.name} for availability zone {known.az_name}; end "
            "these bindings before it goes to another zone."
        )
    changed = replace(
        pod,
        number=known.number,
        created_at=known.created_at,
        generation=known.generation + 1,
        updated_at=clock.now(),
    )
    conn.execute(
        sa.update(pods)
        .where(pods.c.number == known.number)
        .values(generation=changed.generation, updated_at=changed.updated_at, **_facts(changed))
    )
    return changed


@dataclass(frozen=True, slots=True)
class Uses:
    """What a pod is in use for.

    routings: number of resources that are not deleted, by kind.
    """

    routings: Mapping[Kind, int]
    active_bindings: int
    open_intents: int

    def __bool__(self) -> bool:
        return bool(self.routings or self.active_bindings or self.open_intents)

    def __str__(self) -> str:
        kinds = [f"{count} {kind.replace('_', ' ')}s" for kind, count in self.routings.items()]
        if self.active_bindings:
            kinds.append(f"{self.active_bindings} bindings")
        if self.open_intents:
            kinds.append(f"{self.open_intents} creates in progress")
        return ", ".join(kinds)


def uses(conn: Connection, pod_id: str) -> Uses:
    """What the pod is in use for. Raises NotFound."""
    return _uses(conn, pod_id, number_of(conn, pod_id))


def _uses(conn: Connection, pod_id: str, number: int) -> Uses:
    open_intents = conn.scalar(
        select(func.count()).where(
            intents.c.pod == number, intents.c.state == IntentState.ASKED.value
        )
    )
    return Uses(
        routings=count_by_pod(conn, pod_id),
        active_bindings=_active_bindings(conn, number),
        open_intents=open_intents or 0,
    )


def _active_bindings(conn: Connection, number: int) -> int:
    return (
        conn.scalar(
            select(func.count()).where(bindings.c.pod == number, bindings.c.ended_at.is_(None))
        )
        or 0
    )


def delete(
    conn: Connection, pod_id: str, generation: int | None = None, *, force: bool = False
) -> None:
    """Take the pod out; its number stays taken and its past bindings stay.

    generation: that was read; None takes any.
    force: also when it is in use: routings to it are forgotten, bindings end, creates in
        progress are given up. The pod itself keeps everything.

    Raises NotFound, Stale, and Conflict if it is in use.
    """
    pod = _lock(conn, pod_id)
    if generation is not None and generation != pod.generation:
        raise Stale(f"Pod {pod.name} was changed meanwhile; read it again.")
    used = _uses(conn, pod_id, pod.number)
    if used and not force:
        raise Conflict(f"Pod {pod.name} is in use: {used}.")
    now = clock.now()
    conn.execute(sa.delete(routings).where(routings.c.pod == pod.number))
    conn.execute(sa.delete(copies).where(copies.c.pod == pod.number))
    conn.execute(
        sa.update(bindings)
        .where(bindings.c.pod == pod.number, bindings.c.ended_at.is_(None))
        .values(ended_at=now, active_key=None, preferred_key=None)
    )
    conn.execute(
        sa.update(intents)
        .where(intents.c.pod == pod.number, intents.c.state == IntentState.ASKED.value)
        .values(
            state=IntentState.NOTHING.value, updated_at=now, generation=intents.c.generation + 1
        )
    )
    conn.execute(
        sa.update(pods)
        .where(pods.c.number == pod.number)
        .values(live_name=None, deleted_at=now, updated_at=now, generation=pod.generation + 1)
    )


def _lock(conn: Connection, pod_id: str) -> Pod:
    row = conn.execute(_BY_ID.with_for_update(), {"pod_id": pod_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no pod {pod_id}.")
    return _pod(row)
