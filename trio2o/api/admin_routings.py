# SPDX-License-Identifier: Apache-2.0
"""Routings in the admin API: which pod a resource is known to live in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from trio2o import clock
from trio2o.api.admin_pods import find_either
from trio2o.api.admin_request import Answer, Ask, Handler, Parts
from trio2o.api.admin_scope import only_one, split_marker, visible, visible_project
from trio2o.db import pods, routings
from trio2o.errors import BadRequest, NotFound
from trio2o.model import Kind, Routing


def _shown(routing: Routing, pod_names: Mapping[str, str], base: str) -> dict[str, Any]:
    href = f"{base}/v1.0/routings/{routing.resource_id}?kind={routing.kind.value}"
    return {
        "kind": routing.kind.value,
        "resource_id": routing.resource_id,
        "pod_id": routing.pod_id,
        "pod_name": pod_names.get(routing.pod_id, ""),
        "project_id": routing.project_id,
        "created_at": clock.isoformat(routing.created_at),
        "deleted_at": clock.isoformat(routing.deleted_at),
        "links": [{"rel": "self", "href": href}],
        "id": routing.resource_id,
        "resource_type": routing.kind.value,
        "top_id": routing.resource_id,
        "bottom_id": routing.resource_id,
    }


async def _list(parts: Parts, ask: Ask) -> Answer:
    project_id = visible_project(parts, ask)
    found, names = await parts.db.read(_page, ask, project_id)
    page = found[: ask.limit]
    last = page[-1] if len(found) > len(page) else None
    return Answer(
        {
            "routings": [_shown(routing, names, ask.base) for routing in page],
            **ask.next_links(
                "routings", f"{last.kind.value}:{last.resource_id}" if last else None
            ),
        }
    )


def _page(
    conn: Connection, ask: Ask, project_id: str | None
) -> tuple[list[Routing], dict[str, str]]:
    """The asked page, one more if there is one, and the names of the pods."""
    kind_name = ask.one_of("kind", "resource_type")
    kind = Kind(kind_name) if kind_name else None
    wanted_pod = ask.one_of("pod", "pod_id", "pod_name")
    if wanted_pod is not None:
        pod = find_either(conn, wanted_pod)
        wanted_pod = pod.id if pod else wanted_pod
    filters = routings.Filters(
        kind=kind,
        project_id=project_id,
        pod_id=wanted_pod,
        deleted=ask.query.get("deleted", False),
    )
    after = _after(conn, ask.marker)
    names = {pod.id: pod.name for pod in pods.list_(conn)}
    resource_id = ask.one_of("resource_id", "top_id", "bottom_id")
    since = _moment(ask.query.get("created_since"))
    size = ask.limit + 1
    if resource_id is not None:
        known = [one for one in _of_any_kind(conn, resource_id) if _passes(one, filters, since)]
        return known[:size] if after is None else [], names
    if since is not None:
        return _newest(conn, filters, since, size, after), names
    return routings.list_(conn, filters, limit=size, after=after), names


def _passes(routing: Routing, filters: routings.Filters, since: datetime | None) -> bool:
    return (
        filters.kind in (None, routing.kind)
        and filters.project_id in (None, routing.project_id)
        and filters.pod_id in (None, routing.pod_id)
        and filters.deleted == (routing.deleted_at is not None)
        and (since is None or routing.created_at >= since)
    )


def _newest(
    conn: Connection,
    filters: routings.Filters,
    since: datetime,
    size: int,
    after: Routing | None,
) -> list[Routing]:
    page: list[Routing] = []
    kinds = list(Kind) if filters.kind is None else [filters.kind]
    if after is not None:
        kinds = kinds[kinds.index(after.kind) :] if after.kind in kinds else []
    for kind in kinds:
        batch = routings.list_newest(
            conn,
            kind,
            limit=size - len(page),
            project_id=filters.project_id,
            pod_id=filters.pod_id,
            after=after if after is not None and after.kind is kind else None,
            deleted=filters.deleted,
        )
        page += [one for one in batch if one.created_at >= since]
        if len(page) >= size:
            break
    return page


def _of_any_kind(conn: Connection, resource_id: str) -> Iterator[Routing]:
    for kind in Kind:
        found = routings.find(conn, kind, resource_id)
        if found is not None:
            yield found


def _after(conn: Connection, marker: str | None) -> Routing | None:
    if marker is None:
        return None
    kind, resource_id = split_marker(marker)
    if kind is not None:
        found = routings.find(conn, kind, resource_id)
        # What has been forgotten meanwhile still has its place among kinds and ids.
        return found or Routing(kind, resource_id, "", "", clock.now())
    known = list(_of_any_kind(conn, marker))
    if not known:
        raise BadRequest(f"marker: nothing is known of {marker}.")
    if len(known) > 1:
        raise BadRequest(f"marker: several kinds have {marker}; write kind:{marker}.")
    return known[0]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return clock.parse(text)
    except ValueError as error:
        raise BadRequest(
            f"created_since: {text!r} is not a time; write one like 2026-01-31T12:00:00Z."
        ) from error


async def _show(parts: Parts, ask: Ask) -> Answer:
    resource_id = ask.path["resource_id"]
    known, names = await parts.db.read(_known, resource_id)
    seen = [
        one
        for one in known
        if ask.query.get("kind") in (None, one.kind.value) and visible(parts, ask, one.project_id)
    ]
    if not seen:
        raise NotFound(
            f"No routing of {resource_id} is known. It becomes known when somebody asks the "
            "gateway for it."
        )
    return Answer({"routing": _shown(only_one(seen, resource_id), names, ask.base)})


def _known(conn: Connection, resource_id: str) -> tuple[list[Routing], dict[str, str]]:
    names = {pod.id: pod.name for pod in pods.list_(conn)}
    return list(_of_any_kind(conn, resource_id)), names


HANDLERS: Final[Mapping[str, Handler]] = {
    "routings:list": _list,
    "routings:show": _show,
}
