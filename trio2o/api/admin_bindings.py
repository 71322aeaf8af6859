# SPDX-License-Identifier: Apache-2.0
"""Bindings in the admin API."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from trio2o import clock
from trio2o.api.admin_pods import find_either
from trio2o.api.admin_request import Answer, Ask, Handler, Parts, one_of
from trio2o.api.admin_scope import visible, visible_project
from trio2o.db import bindings
from trio2o.errors import BadRequest, Conflict, NotFound
from trio2o.model import Binding


def _shown(binding: Binding, base: str) -> dict[str, Any]:
    return {
        "id": binding.id,
        "project_id": binding.project_id,
        "pod_id": binding.pod_id,
        "pod_name": binding.pod_name,
        "az_name": binding.az_name,
        "bound_by": binding.bound_by.value,
        "preferred": binding.preferred,
        "started_at": clock.isoformat(binding.started_at),
        "ended_at": clock.isoformat(binding.ended_at),
        "links": [{"rel": "self", "href": f"{base}/v1.0/bindings/{binding.id}"}],
        "tenant_id": binding.project_id,
    }


async def _create(parts: Parts, ask: Ask) -> Answer:
    project_id = one_of(ask.body, "project_id", "tenant_id")
    pod = one_of(ask.body, "pod", "pod_id", "pod_name")
    parts.policy.require(ask.operation.rule, ask.who, project_id)
    if not await parts.projects.has(project_id):
        raise BadRequest(f"There is no project {project_id} in Keystone.")
    binding = await parts.db.write(
        _bind, project_id, pod, preferred=ask.body.get("preferred", False)
    )
    location = f"{ask.base}/v1.0/bindings/{binding.id}"
    return Answer({"pod_binding": _shown(binding, ask.base)}, 201, {"Location": location})


def _bind(conn: Connection, project_id: str, name_or_id: str, *, preferred: bool) -> Binding:
    pod = find_either(conn, name_or_id)
    if pod is None:
        raise BadRequest(f"There is no pod {name_or_id}.")
    try:
        return bindings.bind(conn, project_id, pod, preferred=preferred)
    except NotFound as gone:  # since it was found
        raise BadRequest(gone.message) from gone


async def _list(parts: Parts, ask: Ask) -> Answer:
    project_id = visible_project(parts, ask)
    found = await parts.db.read(_page, ask, project_id)
    page = found[: ask.limit]
    return Answer(
        {
            "pod_bindings": [_shown(binding, ask.base) for binding in page],
            **ask.next_links("pod_bindings", page[-1].id if len(found) > len(page) else None),
        }
    )


def _page(conn: Connection, ask: Ask, project_id: str | None) -> list[Binding]:
    """The asked page, and one more if there is one."""
    wanted_pod = ask.one_of("pod", "pod_id", "pod_name")
    if wanted_pod is not None:  # one that was taken out is still known by its id
        pod = find_either(conn, wanted_pod)
        wanted_pod = pod.id if pod else wanted_pod
    filters = bindings.Filters(project_id, wanted_pod, ask.query.get("in_force"))
    zone = ask.query.get("az_name")
    after = None
    if ask.marker is not None:
        after = bindings.find(conn, ask.marker)
        if after is None:
            raise BadRequest(f"marker: there is no binding with id {ask.marker}.")
    page: list[Binding] = []
    size = ask.limit + 1
    while len(page) < size:
        batch = bindings.list_(conn, filters, limit=size, after=after)
        page += [one for one in batch if zone is None or one.az_name == zone]
        if len(batch) < size:
            break
        after = batch[-1]
    return page[:size]


async def _show(parts: Parts, ask: Ask) -> Answer:
    return Answer({"pod_binding": _shown(await _get(parts, ask), ask.base)})


async def _update(parts: Parts, ask: Ask) -> Answer:
    binding = await _get(parts, ask)
    if binding.ended_at is not None:
        raise Conflict(f"Binding {binding.id} has ended.")
    try:
        preferred = await parts.db.write(bindings.prefer, binding.id)
    except NotFound as ended:  # since it was read
        raise Conflict(ended.message) from ended
    return Answer({"pod_binding": _shown(preferred, ask.base)})


async def _delete(parts: Parts, ask: Ask) -> Answer:
    binding = await _get(parts, ask)
    await parts.db.write(bindings.end, binding.id)
    return Answer(None, 204)


async def _get(parts: Parts, ask: Ask) -> Binding:
    binding = await parts.db.read(bindings.find, ask.path["binding"])
    if binding is None or not visible(parts, ask, binding.project_id):
        raise NotFound(f"There is no binding {ask.path['binding']}.")
    return binding


HANDLERS: Final[Mapping[str, Handler]] = {
    "bindings:create": _create,
    "bindings:list": _list,
    "bindings:show": _show,
    "bindings:update": _update,
    "bindings:delete": _delete,
}
