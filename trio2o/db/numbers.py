# SPDX-License-Identifier: Apache-2.0
"""The small numbers that rows know pods by."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from trio2o.db.schema import pods
from trio2o.errors import NotFound


def numbers_of(conn: Connection, pod_ids: Iterable[str], *, hold: bool = False) -> dict[str, int]:
    """The numbers of registered pods, by id.

    hold: keep the pods from being deleted until the transaction ends.

    Raises NotFound if one of them is not registered.
    """
    wanted = set(pod_ids)
    if not wanted:
        return {}
    query = select(pods.c.id, pods.c.number).where(
        pods.c.id.in_(sorted(wanted)), pods.c.deleted_at.is_(None)
    )
    if hold:
        query = query.with_for_update(read=True)
    found = {row.id: row.number for row in conn.execute(query)}
    if missing := wanted - found.keys():
        raise NotFound(f"There is no pod {', '.join(sorted(missing))}.")
    return found


def number_of(conn: Connection, pod_id: str, *, hold: bool = False) -> int:
    """As ``numbers_of``, for one."""
    return numbers_of(conn, [pod_id], hold=hold)[pod_id]
