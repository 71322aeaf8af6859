# SPDX-License-Identifier: Apache-2.0
"""Placements in the admin API: why a resource is in the pod that it is in."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select

from trio2o import clock
from trio2o.api.admin_request import Answer, Ask, Handler, Parts
from trio2o.api.admin_scope import only_one, split_marker, visible, visible_project
from trio2o.db import placements, schema
from trio2o.db.placements import Placement
from trio2o.errors import BadRequest, NotFound
from trio2o.model import Kind

_TABLE: Final = schema.placements


def _shown(placement: Placement, base: str) -> dict[str, Any]:
    href = f"{base}/v1.0/placements/{placement.resource_id}?kind={placement.kind.value}"
    return {
        "resource_id": placement.resource_id,
        "kind": placement.kind.value,
        "project_id": placement.project_id,
        "created_at": clock.isoformat(placement.created_at),
        "explanation": placement.document,
        "links": [{"rel": "self", "href": href}],
    }


async def _list(parts: Parts, ask: Ask) -> Answer:
    project_id = visible_project(parts, ask)
    found = await parts.db.read(_page, ask, project_id)
    page = found[: ask.limit]
    last = page[-1] if len(found) > len(page) else None
    return Answer(
        {
            "placements": [_shown(placement, ask.base) for placement in page],
            **ask.next_links(
                "placements", f"{last.kind.value}:{last.resource_id}" if last else None
            ),
        }
    )


def _page(conn: Connection, ask: Ask, project_id: str | None) -> list[Placement]:
    """The asked page, and one more if there is one."""
    made, key, of_kind = _TABLE.c.created_at, _TABLE.c.resource_id, _TABLE.c.kind
    query = select(_TABLE)
    if "kind" in ask.query:
        query = query.where(of_kind == Kind(ask.query["kind"]))
    if project_id is not None:
        query = query.where(_TABLE.c.project_id == project_id)
    if ask.marker is not None:
        after = _after(conn, ask.marker)
        beyond = or_(key < after.resource_id, and_(key == after.resource_id, of_kind < after.kind))
        query = query.where(
            made <= after.created_at,
            or_(made < after.created_at, and_(made == after.created_at, beyond)),
        )
    query = query.order_by(made.desc(), key.desc(), of_kind.desc()).limit(ask.limit + 1)
    return [
        Placement(row.kind, row.resource_id, row.project_id, row.created_at, row.document or {})
        for row in conn.execute(query)
    ]


def _after(conn: Connection, marker: str) -> Placement:
    kind, resource_id = split_marker(marker)
    found = [one for one in _known(conn, resource_id) if kind in (None, one.kind)]
    if len(found) != 1:
        raise BadRequest(f"marker: no placement, or not only one, is known by {marker}.")
    return found[0]


async def _show(parts: Parts, ask: Ask) -> Answer:
    resource_id = ask.path["resource_id"]
    known = await parts.db.read(_known, resource_id)
    seen = [
        one
        for one in known
        if ask.query.get("kind") in (None, one.kind.value) and visible(parts, ask, one.project_id)
    ]
    if not seen:
        raise NotFound(
            f"No placement of {resource_id} is known: the gateway did not make it, or it was "
            "made long ago."
        )
    return Answer({"placement": _shown(only_one(seen, resource_id), ask.base)})


def _known(conn: Connection, resource_id: str) -> list[Placement]:
    found = (placements.find(conn, kind, resource_id) for kind in Kind)
    return [one for one in found if one is not None]


HANDLERS: Final[Mapping[str, Handler]] = {
    "placements:list": _list,
    "placements:show": _show,
}
