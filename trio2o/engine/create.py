# SPDX-License-Identifier: Apache-2.0
"""A new server, volume, group or image: place it, write down the intent, ask, confirm.

The order is the point. The intent is in the database before a pod is asked, and its id is on
the resource as a marker; so whatever dies in between, the worker can tell what became of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection

from trio2o import clock, place, rewrite
from trio2o.db import bindings, intents, placements
from trio2o.errors import NotFound, PodDidNotRespond, PodError, PodUnusable
from trio2o.faults import fault_point
from trio2o.ids import is_uuid, new_uuid
from trio2o.metrics import INTENTS
from trio2o.model import Binding, Intent, IntentState, Kind, Pod, Reply, Routing, Service
from trio2o.plan import Place
from trio2o.refs import Need

from .definitions import in_names
from .deps import Deps
from .forward import ask, finish, made_ids, parsed
from .request import Request
from .room import Room

BINDING = frozenset({Kind.SERVER, Kind.VOLUME})
"""Kinds that bind their project to the pod in which the first one is made."""


async def create(deps: Deps, request: Request, plan: Place) -> Reply:
    """The reply of the pod that took the new resource.

    Raises BadRequest in the service's words when nothing fits what was asked, PodUnusable when
    no pod can be asked, and PodDidNotRespond when the chosen pod may or may not have acted.
    """
    kind = request.op.kind
    assert kind is not None  # noqa: S101  every CREATE row has one
    wish = place.wish(request.op, request.document, request.query, request.caller.project_id)
    fixed = await _where_references_are(deps, request, plan)
    bound: Sequence[Binding] = await deps.db.read(bindings.active, request.caller.project_id)
    healthy = {pod.id: deps.client.health.responds(pod.name, request.service) for pod in plan.pods}
    document = await in_names(deps, request, plan.pods[0])
    if document is not request.document:
        request = replace(request, document=document, body=orjson.dumps(document))
    wish = await Room(deps, request).complete(wish, plan.pods, healthy)
    first = place.filter_first(wish, plan.pods, bound, healthy, fixed)
    rooms = await Room(deps, request).of(wish, first.pods)
    decision = place.rank(wish, first, rooms, bound, deps.settings.placement)
    if not decision.pods:
        raise decision.error()
    begun = None
    if kind in BINDING and not _prefers_one(bound, decision.pods[0]):
        bound, begun = await deps.db.write(_bind_first, request.caller.project_id, decision.pods)
        if begun is None:
            decision = place.rank(wish, first, rooms, bound, deps.settings.placement)
    return await _try_in_order(deps, request, kind, decision, bound, begun)


async def _where_references_are(
    deps: Deps, request: Request, plan: Place
) -> Sequence[tuple[Need, tuple[Pod, ...]]]:
    """The pods that each reference allows; images are looked for anew, they get copies."""
    fixed = []
    for need, pods in plan.fixed:
        if need.kind is Kind.IMAGE and len(pods) < len(plan.pods):
            owners = await deps.locator.image_owners(need, request, plan.pods)
            pods = tuple(pod for pod in plan.pods if pod.id in owners.pod_ids) or pods  # noqa: PLW2901
        fixed.append((need, pods))
    return fixed


def _prefers_one(bound: Sequence[Binding], pod: Pod) -> bool:
    """Whether the project prefers a pod in the zone of ``pod``."""
    return any(one.preferred and one.az_name == pod.az_name for one in bound)


def _bind_first(
    conn: Connection, project_id: str, pods: Sequence[Pod]
) -> tuple[Sequence[Binding], Binding | None]:
    """The bindings in force before a pod is asked, and the one that was made here, if any.

    Servers and volumes of a project meet in one pod: the first one decides, per zone. Of many
    first ones at a time all go where one of them decided; hence before the pod is asked.
    """
    before = bindings.active(conn, project_id)
    wanted = {pod.id for pod in pods}
    if any(one.preferred and one.pod_id in wanted for one in before):
        return before, None  # somebody was faster
    made = bindings.bind_preferred(conn, project_id, pods[0])
    new = all(one.id != made.id for one in before)
    return bindings.active(conn, project_id), made if new else None


async def _try_in_order(
    deps: Deps,
    request: Request,
    kind: Kind,
    decision: "place.Decision",
    bound: Sequence[Binding],
    begun: Binding | None,
) -> Reply:
    """Ask one pod after the other, as long as one cannot have acted.

    begun: the binding that was made for this; it ends when its pod cannot be asked.
    """
    failures: list[str] = []
    last: PodError = PodUnusable("", "No pod could be asked.")
    for pod in decision.pods:
        try:
            reply = await _ask_one(deps, request, kind, pod, decision, failures)
        except PodDidNotRespond as error:
            if error.may_have_acted:
                raise
            last = error
        except PodUnusable as error:
            last = error
        else:
            if reply.status < 300:
                await _bind(deps, request, kind, pod, bound)
            return reply
        failures.append(f"{pod.name}: {last.message}")
        if begun is not None and begun.pod_id == pod.id:
            bound = await deps.db.write(_unbind, begun)
    raise last


def _unbind(conn: Connection, begun: Binding) -> Sequence[Binding]:
    try:
        bindings.end(conn, begun.id)
    except NotFound:
        pass  # another first one could not ask the pod either
    return bindings.active(conn, begun.project_id)


async def _ask_one(
    deps: Deps,
    request: Request,
    kind: Kind,
    pod: Pod,
    decision: "place.Decision",
    failures: Sequence[str],
) -> Reply:
    intent_id = new_uuid()
    document = rewrite.body_in(request.op, request.document, pod)
    document = rewrite.with_marker(request.op, document, intent_id)
    chosen: tuple[str, ...] = ()
    if kind is Kind.IMAGE and isinstance(document, dict):
        # Glance lets the id be chosen: then it is its own marker.
        ident = document.get("id")
        if ident is None:
            document = {**document, "id": intent_id}
        elif isinstance(ident, str) and is_uuid(ident):
            chosen = (ident,)
    intent = Intent(
        id=intent_id,
        kind=kind,
        project_id=request.caller.project_id,
        user_id=request.caller.user_id,
        pod_id=pod.id,
        request_id=request.id,
        state=IntentState.ASKED,
        created_at=clock.now(),
        resource_ids=chosen,
    )
    await deps.db.write(intents.create, intent)
    fault_point("create.intended")
    try:
        reply = await ask(deps, request, pod, body=_encoded(document, request))
    except (PodDidNotRespond, PodUnusable) as error:
        if isinstance(error, PodUnusable) or not error.may_have_acted:
            await deps.db.write(intents.refuse, intent.id)
            INTENTS.labels(kind, IntentState.REFUSED).inc()
        raise
    fault_point("create.answered")
    if reply.status >= 300:
        reply = rewrite.refusal_out(reply, request.op, request.document, intent.id)
    if reply.status >= 500:
        # A service that failed may have made it all the same: the worker will look.
        return await finish(deps, request, pod, reply)
    if reply.status >= 300:
        await deps.db.write(intents.refuse, intent.id)
        INTENTS.labels(kind, IntentState.REFUSED).inc()
        return await finish(deps, request, pod, reply)
    answer = parsed(reply)
    made = made_ids(request.op.made_at, reply, answer)
    routings = [
        Routing(
            kind=kind,
            resource_id=ident,
            pod_id=pod.id,
            project_id=request.caller.project_id,
            created_at=intent.created_at,
            stub=_stub(request, kind),
        )
        for ident in made
    ]
    explain = decision.document(pod, failures)
    await deps.db.write(_confirm, intent, routings, explain)
    fault_point("create.confirmed")
    INTENTS.labels(kind, IntentState.CONFIRMED).inc()
    for ident in made:
        deps.locator.remember(kind, ident, pod)
    return await finish(deps, request, pod, reply)


def _confirm(
    conn: Connection, intent: Intent, made: Sequence[Routing], explain: Mapping[str, Any]
) -> None:
    intents.confirm(conn, intent.id, made)
    for routing in made:
        placements.record(conn, routing.kind, routing.resource_id, routing.project_id, explain)


def _encoded(document: Any, request: Request) -> bytes | None:
    return None if document is request.document else orjson.dumps(document)


def _stub(request: Request, kind: Kind) -> Mapping[str, Any]:
    """What the request tells of the new resource, for lists while its pod is down."""
    document = request.document
    inner = document.get(kind) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        inner = document if request.service is Service.IMAGE else {}
    stub: dict[str, Any] = {"user_id": request.caller.user_id}
    if isinstance(inner, dict) and isinstance(inner.get("name"), str):
        stub["name"] = inner["name"]
    if kind is Kind.SERVER and isinstance(inner, dict):
        if inner.get("flavorRef"):
            stub["flavor"] = {"id": str(inner["flavorRef"]).rpartition("/")[2]}
        if isinstance(inner.get("imageRef"), str) and inner["imageRef"]:
            stub["image"] = {"id": inner["imageRef"].rpartition("/")[2]}
    return stub


async def _bind(
    deps: Deps, request: Request, kind: Kind, pod: Pod, bound: Sequence[Binding]
) -> None:
    """Bind the project to the pod that took it, where none is preferred in the zone."""
    if kind in BINDING and not _prefers_one(bound, pod):
        await deps.db.write(bindings.bind_preferred, request.caller.project_id, pod)
