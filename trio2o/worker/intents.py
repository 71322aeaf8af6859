# SPDX-License-Identifier: Apache-2.0
"""What became of a create that nobody confirmed?

The intent's id is on the resource. So the pod is asked for a resource with it: found, it is
adopted, so that it is routed and belongs to its project; not found, long enough after the
request can have been worked on, there is none. A pod that does not respond costs nothing: it
is asked again in the next round.
"""

import asyncio
import logging
import random
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from trio2o import clock
from trio2o.db import intents
from trio2o.engine import Deps
from trio2o.errors import IdentityUnavailable, PodError, PodUnusable, Stale
from trio2o.metrics import INTENTS
from trio2o.model import Intent, IntentState, Kind, Pod, Routing, Service
from trio2o.ops.kinds import KINDS
from trio2o.rewrite import MARKER

LOG = logging.getLogger(__name__)
PAGE = 500


async def settle_intents(deps: Deps, owner: str) -> int:
    """Lease what is due and settle it.  Returns how many were leased.

    Raises DatabaseUnavailable.
    """
    worker = deps.settings.worker
    leased = await deps.db.write(
        intents.lease,
        owner,
        older_than=clock.now() - timedelta(seconds=worker.intent_grace_s),
        limit=worker.batch,
        lease_s=worker.lease_s,
    )
    if leased:
        pods = {pod.id: pod for pod in await deps.registry.pods()}
        await asyncio.gather(*(_settle(deps, lease, pods) for lease in leased))
    return len(leased)


async def _settle(deps: Deps, lease: intents.Lease, pods: dict[str, Pod]) -> None:
    intent = lease.intent
    pod = pods.get(intent.pod_id)
    try:
        if pod is None:
            raise PodUnusable(intent.pod_id, "The pod is not registered any more.")
        made = await find_made(deps, intent, pod)
    except (PodError, IdentityUnavailable) as error:
        # A pod that does not respond costs no attempt: it is asked until it does.
        LOG.info("intent %s of %s: later: %s", intent.id, intent.kind, error.message)
        await _later(deps, lease)
        return
    state = IntentState.ADOPTED if made else IntentState.NOTHING
    try:
        await deps.db.write(intents.settle, lease, state, made)
    except Stale:
        return  # another worker has it now
    INTENTS.labels(intent.kind, state).inc()
    LOG.warning(
        "intent %s of %s in %s: %s %s",
        intent.id,
        intent.kind,
        pod.name,
        state,
        ", ".join(routing.resource_id for routing in made),
    )


async def _later(deps: Deps, lease: intents.Lease) -> None:
    # Between half an interval and two: many that wait for one pod do not come at once.
    after_s = deps.settings.worker.interval_s * random.uniform(0.5, 2)  # noqa: S311
    try:
        await deps.db.write(intents.again, lease, after_s, counts=False)
    except Stale:
        pass  # another worker has it now


async def find_made(deps: Deps, intent: Intent, pod: Pod) -> list[Routing]:
    """The resources in the pod that carry the intent's marker.

    Raises PodError when the pod cannot say, IdentityUnavailable.
    """
    match intent.kind:
        case Kind.SERVER:
            items = await _marked(deps, intent, pod, Service.COMPUTE, "/servers/detail", "servers")
        case Kind.VOLUME:
            items = await _marked(deps, intent, pod, Service.VOLUME, "/volumes/detail", "volumes")
        case Kind.IMAGE:
            items = await _image(deps, intent, pod)
        case _:
            # Nothing marks it. It is in the pod or not, and found by asking when it is named.
            items = []
    facts = KINDS[intent.kind]
    return [
        Routing(
            kind=intent.kind,
            resource_id=item["id"],
            pod_id=pod.id,
            project_id=intent.project_id,
            created_at=_created(item.get(facts.created_field), intent),
            stub={"user_id": intent.user_id, "name": item.get("name") or ""},
        )
        for item in items
    ]


def _created(text: Any, intent: Intent) -> Any:
    return clock.parse(text) if isinstance(text, str) else intent.created_at


async def _marked(
    deps: Deps, intent: Intent, pod: Pod, service: Service, path: str, envelope: str
) -> list[dict[str, Any]]:
    """All pages of the project's resources that have the marker among their metadata."""
    found: list[dict[str, Any]] = []
    marker = ""
    while True:
        query = {"all_tenants": "1", "project_id": intent.project_id, "limit": str(PAGE)}
        if marker:
            query["marker"] = marker
        document = await _read(deps, pod, service, path, urlencode(query))
        items = document[envelope]
        found.extend(item for item in items if item.get("metadata", {}).get(MARKER) == intent.id)
        if not document.get(f"{envelope}_links"):
            return found
        marker = items[-1]["id"]


async def _image(deps: Deps, intent: Intent, pod: Pod) -> list[dict[str, Any]]:
    """The image whose id is the intent's, or that the project chose: Glance lets one choose."""
    ident = intent.resource_ids[0] if intent.resource_ids else intent.id
    document = await _read(deps, pod, Service.IMAGE, f"/images/{ident}", "")
    return [document] if document and document.get("owner") == intent.project_id else []


async def _read(deps: Deps, pod: Pod, service: Service, path: str, query: str) -> Any:
    """The document; {} for 404.  Raises PodError for anything but an answer."""
    reply = await deps.client.call(
        pod,
        service,
        "GET",
        path,
        query=query,
        headers={"x-auth-token": await deps.identity.service_token()},
        deadline_s=deps.settings.pods.deadline_s,
    )
    if reply.status == 404:
        return {}
    if reply.status != 200:
        raise PodUnusable(pod.name, f"{service} of {pod.name} answered {reply.status} to {path}")
    return orjson.loads(reply.body)
