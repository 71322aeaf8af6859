# SPDX-License-Identifier: Apache-2.0
"""Bindings: which pods a project's resources go to, now and before."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from trio2o import clock, ids
from trio2o.db.numbers import number_of
from trio2o.db.schema import bindings, pods
from trio2o.errors import Conflict, NotFound
from trio2o.model import Binding, BoundBy, Pod

_ALL = select(
    bindings.c.id,
    bindings.c.project_id,
    pods.c.id.label("pod_id"),
    pods.c.name.label("pod_name"),
    bindings.c.az_name,
    bindings.c.bound_by,
    bindings.c.preferred,
    bindings.c.started_at,
    bindings.c.ended_at,
).join(pods, pods.c.number == bindings.c.pod)


def _binding(row: Any) -> Binding:
    return Binding(
        id=row.id,
        project_id=row.project_id,
        pod_id=row.pod_id,
        pod_name=row.pod_name,
        az_name=row.az_name,
        bound_by=BoundBy(row.bound_by),
        preferred=row.preferred,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def active(conn: Connection, project_id: str) -> list[Binding]:
    """The project's bindings in force, the preferred ones first, then the oldest."""
    query = _ALL.where(
        bindings.c.project_id == project_id, bindings.c.ended_at.is_(None)
    ).order_by(bindings.c.preferred.desc(), bindings.c.started_at, bindings.c.id)
    return [_binding(row) for row in conn.execute(query)]


def find(conn: Connection, binding_id: str) -> Binding | None:
    row = conn.execute(_ALL.where(bindings.c.id == binding_id)).one_or_none()
    return _binding(row) if row else None


def bind_preferred(
    conn: Connection, project_id: str, pod: Pod, bound_by: BoundBy = BoundBy.SCHEDULER
) -> Binding:
    """Make ``pod`` the project's preferred one of its zone, unless there is one already.

    Return the binding that is in force afterwards: of many that try at a time all get the
    same, so it may be to another pod.

    Raises NotFound if the pod is not registered.
    """
    query = _ALL.where(bindings.c.preferred_key == _preferred_key(project_id, pod.az_name))
    if row := conn.execute(query).one_or_none():
        return _binding(row)
    # Of two that come here at a time one gets an IntegrityError, is run again, and returns
    # above.
    return _start(conn, project_id, pod, bound_by, preferred=True)


def bind(
    conn: Connection,
    project_id: str,
    pod: Pod,
    *,
    preferred: bool = False,
    bound_by: BoundBy = BoundBy.ADMIN,
) -> Binding:
    """Bind the project to the pod.

    preferred: in place of the one that was preferred in the zone, which stays bound.

    Raises Conflict if it is bound to the pod already, NotFound if that is not registered.
    """
    query = _ALL.where(bindings.c.active_key == _active_key(project_id, pod))
    if conn.execute(query).one_or_none():
        raise Conflict(f"Project {project_id} is bound to pod {pod.name} already.")
    if preferred:
        conn.execute(
            update(bindings)
            .where(bindings.c.preferred_key == _preferred_key(project_id, pod.az_name))
            .values(preferred=False, preferred_key=None)
        )
    return _start(conn, project_id, pod, bound_by, preferred=preferred)


def _start(
    conn: Connection, project_id: str, pod: Pod, bound_by: BoundBy, *, preferred: bool
) -> Binding:
    number = number_of(conn, pod.id, hold=True)
    key = _preferred_key(project_id, pod.az_name) if preferred else None
    made_preferred = conn.execute(
        update(bindings)
        .where(bindings.c.active_key == _active_key(project_id, pod))
        .values(preferred=preferred, preferred_key=key)
    )
    if not made_preferred.rowcount:
        conn.execute(
            insert(bindings).values(
                id=ids.new_uuid(),
                project_id=project_id,
                pod=number,
                az_name=pod.az_name,
                bound_by=bound_by.value,
                preferred=preferred,
                active_key=_active_key(project_id, pod),
                preferred_key=key,
                started_at=clock.now(),
                ended_at=None,
            )
        )
    query = _ALL.where(bindings.c.active_key == _active_key(project_id, pod))
    return _binding(conn.execute(query).one())


def prefer(conn: Connection, binding_id: str) -> Binding:
    """Make the binding the preferred one of its zone, in place of another.

    Raises NotFound if there is none, or if it has ended.
    """
    binding = _in_force(conn, binding_id)
    key = _preferred_key(binding.project_id, binding.az_name)
    conn.execute(
        update(bindings)
        .where(bindings.c.preferred_key == key, bindings.c.id != binding_id)
        .values(preferred=False, preferred_key=None)
    )
    conn.execute(
        update(bindings)
        .where(bindings.c.id == binding_id, bindings.c.ended_at.is_(None))
        .values(preferred=True, preferred_key=key)
    )
    return _in_force(conn, binding_id)


def end(conn: Connection, binding_id: str) -> Binding:
    """End the binding; what the project has in the pod stays there.

    Raises NotFound if there is none, or if it has ended.
    """
    _in_force(conn, binding_id)
    conn.execute(
        update(bindings)
        .where(bindings.c.id == binding_id, bindings.c.ended_at.is_(None))
        .values(ended_at=clock.now(), active_key=None, preferred_key=None)
    )
    return _binding(conn.execute(_ALL.where(bindings.c.id == binding_id)).one())


def _in_force(conn: Connection, binding_id: str) -> Binding:
    binding = find(conn, binding_id)
    if binding is None or binding.ended_at is not None:
        raise NotFound(f"There is no binding {binding_id} in force.")
    return binding


@dataclass(frozen=True, slots=True)
class Filters:
    """Which bindings; None is any.

    active: those in force, or those that have ended.
    """

    project_id: str | None = None
    pod_id: str | None = None
    active: bool | None = None


def list_(
    conn: Connection,
    filters: Filters = Filters(),
    *,
    limit: int = 1000,
    after: Binding | None = None,
) -> list[Binding]:
    """Bindings, the oldest first.

    after: the last one of the page before.
    """
    query = _ALL
    if filters.project_id is not None:
        query = query.where(bindings.c.project_id == filters.project_id)
    if filters.pod_id is not None:
        query = query.where(pods.c.id == filters.pod_id)
    if filters.active is not None:
        ended = bindings.c.ended_at.is_not(None)
        query = query.where(~ended if filters.active else ended)
    if after is not None:
        started = bindings.c.started_at
        query = query.where(
            or_(
                started > after.started_at,
                and_(started == after.started_at, bindings.c.id > after.id),
            )
        )
    query = query.order_by(bindings.c.started_at, bindings.c.id).limit(limit)
    return [_binding(row) for row in conn.execute(query)]


def _active_key(project_id: str, pod: Pod) -> str:
    return f"{project_id}/{pod.number}"


def _preferred_key(project_id: str, az_name: str) -> str:
    return f"{project_id}/{az_name}"
