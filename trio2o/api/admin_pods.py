# SPDX-License-Identifier: Apache-2.0
"""Pods in the admin API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection

from trio2o import clock
from trio2o.api.admin_request import Answer, Ask, Handler, Parts, one_of
from trio2o.db import pods
from trio2o.errors import BadRequest, Conflict, NotFound, Stale
from trio2o.model import Pod, PodState


def shown(pod: Pod, base: str) -> dict[str, Any]:
    return {
        "id": pod.id,
        "name": pod.name,
        "az_name": pod.az_name,
        "pod_az_name": pod.pod_az_name,
        "dc_name": pod.dc_name,
        "state": pod.state.value,
        "tags": sorted(pod.tags),
        "generation": pod.generation,
        "created_at": clock.isoformat(pod.created_at),
        "updated_at": clock.isoformat(pod.updated_at),
        "links": [{"rel": "self", "href": f"{base}/v1.0/pods/{pod.id}"}],
        "pod_id": pod.id,
        "pod_name": pod.name,
        "region_name": pod.name,
    }


def find_either(conn: Connection, name_or_id: str) -> Pod | None:
    return pods.find(conn, name_or_id) or pods.find_by_name(conn, name_or_id)


def get_either(conn: Connection, name_or_id: str) -> Pod:
    pod = find_either(conn, name_or_id)
    if pod is None:
        raise NotFound(f"There is no pod {name_or_id}.")
    return pod


async def _create(parts: Parts, ask: Ask) -> Answer:
    name = one_of(ask.body, "name", "pod_name", "region_name")
    if name == parts.settings.gateway.region:
        raise Conflict(
            f"{name} is the region of the gateway itself ([gateway] region); it is configured, "
            "and is not a pod."
        )
    state = PodState(ask.body.get("state", PodState.ENABLED))
    if state is not PodState.DISABLED:
        await _check_region(parts, name)
    pod = await parts.db.write(
        pods.create,
        name=name,
        az_name=ask.body["az_name"],
        pod_az_name=ask.body.get("pod_az_name", ""),
        dc_name=ask.body.get("dc_name", ""),
        state=state,
        tags=frozenset(ask.body.get("tags", ())),
    )
    parts.registry.forget()
    location = f"{ask.base}/v1.0/pods/{quote(pod.id)}"
    return Answer({"pod": shown(pod, ask.base)}, 201, {"Location": location})


async def _check_region(parts: Parts, name: str) -> None:
    """Raise BadRequest if Keystone lacks what a pod named so needs."""
    problems = await parts.identity.check_region(name)
    if problems:
        listed = "; ".join(problem.rstrip(".") for problem in problems)
        raise BadRequest(
            f"Pod {name} cannot be used: {listed}. Put it right in Keystone, or let the pod be "
            "disabled for now."
        )


async def _list(parts: Parts, ask: Ask) -> Answer:
    found = await parts.db.read(pods.list_)
    page, more = _page(found, _wanted(ask), ask)
    return Answer(
        {
            "pods": [shown(pod, ask.base) for pod in page],
            **ask.next_links("pods", page[-1].id if more else None),
        }
    )


def _wanted(ask: Ask) -> Callable[[Pod], bool]:
    name = ask.one_of("name", "pod_name", "region_name")
    equal: Mapping[str, Any] = {
        "name": name,
        **{key: ask.query.get(key) for key in ("az_name", "state", "dc_name")},
    }
    tag = ask.query.get("tag")

    def wanted(pod: Pod) -> bool:
        return all(v is None or getattr(pod, key) == v for key, v in equal.items()) and (
            tag is None or tag in pod.tags
        )

    return wanted


def _page(
    found: Sequence[Pod], wanted: Callable[[Pod], bool], ask: Ask
) -> tuple[Sequence[Pod], bool]:
    """The asked page, and whether there is another one."""
    sort_key = ask.query.get("sort_key", "name")
    ordered = sorted(
        found,
        key=lambda pod: (getattr(pod, sort_key), pod.id),
        reverse=ask.query.get("sort_dir") == "desc",
    )
    if ask.marker is not None:
        # Among all pods: one that has ceased to match still marks its place.
        places = {pod.id: place for place, pod in enumerate(ordered)}
        if ask.marker not in places:
            raise BadRequest(f"marker: there is no pod with id {ask.marker}.")
        ordered = ordered[places[ask.marker] + 1 :]
    matching = [pod for pod in ordered if wanted(pod)]
    return matching[: ask.limit], len(matching) > ask.limit


async def _show(parts: Parts, ask: Ask) -> Answer:
    pod = await parts.db.read(get_either, ask.path["pod"])
    return Answer({"pod": shown(pod, ask.base)})


async def _update(parts: Parts, ask: Ask) -> Answer:
    pod = await parts.db.read(get_either, ask.path["pod"])
    changes = {key: value for key, value in ask.body.items() if key != "generation"}
    if "tags" in changes:
        changes["tags"] = frozenset(changes["tags"])
    if "state" in changes:
        changes["state"] = PodState(changes["state"])
    enables = _enables(pod, changes)
    if enables:
        await _check_region(parts, pod.name)
    changed = await parts.db.write(
        _change, pod.id, changes, ask.body.get("generation"), checked=enables
    )
    parts.registry.forget()
    return Answer({"pod": shown(changed, ask.base)})


def _enables(pod: Pod, changes: Mapping[str, Any]) -> bool:
    return pod.state is PodState.DISABLED and changes.get("state", pod.state) is not pod.state


def _change(
    conn: Connection,
    pod_id: str,
    changes: Mapping[str, Any],
    generation: int | None,
    *,
    checked: bool,
) -> Pod:
    pod = get_either(conn, pod_id)
    if generation is not None and generation != pod.generation:
        raise Stale(
            f"Pod {pod.name} has been changed since you read it: its generation is "
            f"{pod.generation}, not {generation}."
        )
    if _enables(pod, changes) and not checked:
        raise Stale(f"Pod {pod.name} was disabled meanwhile; try again.")
    changed = replace(pod, **changes)
    return pods.update(conn, changed) if changed != pod else pod


async def _delete(parts: Parts, ask: Ask) -> Answer:
    await parts.db.write(_take_out, ask.path["pod"], forget=ask.query.get("forget", False))
    parts.registry.forget()
    return Answer(None, 204)


def _take_out(conn: Connection, name_or_id: str, *, forget: bool) -> None:
    pod = get_either(conn, name_or_id)
    used = pods.uses(conn, pod.id)
    if used and not forget:
        raise Conflict(
            f"Pod {pod.name} is in use: {used}. Delete or move these, or disable the pod and "
            "delete it with forget=true, which leaves everything in it."
        )
    if used and pod.state is not PodState.DISABLED:
        raise Conflict(
            f"Pod {pod.name} is {pod.state.value} and in use: {used}. Disable it before the top "
            "region forgets what is in it."
        )
    pods.delete(conn, pod.id, pod.generation, force=forget)


HANDLERS: Final[Mapping[str, Handler]] = {
    "pods:create": _create,
    "pods:list": _list,
    "pods:show": _show,
    "pods:update": _update,
    "pods:delete": _delete,
}
