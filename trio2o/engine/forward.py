# SPDX-License-Identifier: Apache-2.0
"""One pod answers: BY_ID, BY_REF, and the calls that the other classes are made of."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from trio2o import clock, rewrite
from trio2o.db import routings
from trio2o.errors import NotFound, PodError
from trio2o.ids import is_uuid
from trio2o.model import Kind, Pod, Reply, Routing
from trio2o.ops.kinds import KINDS

from .deps import Deps
from .request import Request

MISSING_PODS = "X-Trio2o-Missing-Pods"
# Set anew for each pod (microversions), or no use since bodies are read here (encodings).
NOT_FORWARDED = frozenset(
    {"openstack-api-version", "x-openstack-nova-api-version", "accept-encoding", "x-auth-token"}
)


def headers_to_pod(request: Request) -> dict[str, str]:
    headers = {k: v for k, v in request.headers.items() if k not in NOT_FORWARDED}
    headers.update(request.version_headers)
    return headers


async def ask(
    deps: Deps,
    request: Request,
    pod: Pod,
    *,
    path: str | None = None,
    query: str | None = None,
    deadline_s: float | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send the caller's request to ``pod``, and return the reply as it came.

    path, query, body: in the place of the request's own.
    Raises PodDidNotRespond, PodUnusable.
    """
    op = request.op
    return await deps.client.call(
        pod,
        request.service,
        op.method,
        request.path if path is None else path,
        query=request.query if query is None else query,
        headers=headers_to_pod(request),
        body=(request.stream or request.body or None) if body is None else body,
        caller=request.caller,
        request_id=request.id,
        deadline_s=deadline_s or deps.settings.pods.deadline_s,
        stream=op.download,
    )


async def forward(deps: Deps, request: Request, pod: Pod) -> Reply:
    """The pod's reply, as the top region would have given it.

    Raises NotFound for what only we put there.
    """
    query = rewrite.query_in(request.op, request.query, pod)
    reply = await ask(deps, request, pod, query=query, body=body_for(request, pod))
    read = request.op.method == "GET" and reply.status == 200
    if read and request.params.get("key") == rewrite.MARKER:
        ident = request.params.get(request.op.param or request.op.kind or "", "")
        raise NotFound(rewrite.no_such_item(request.op, ident))
    return await finish(deps, request, pod, reply)


def body_for(request: Request, pod: Pod) -> bytes | None:
    """The body with the pod's own zone names; None when it goes as it came."""
    if request.document is None:
        return None
    changed = rewrite.body_in(request.op, request.document, pod)
    return None if changed is request.document else orjson.dumps(changed)


async def finish(deps: Deps, request: Request, pod: Pod, reply: Reply) -> Reply:
    """Note what the reply tells of routings, and turn it outward."""
    op = request.op
    if reply.stream is not None:
        return reply
    document = parsed(reply)
    if 200 <= reply.status < 300 and op.makes is not None:
        await _learn_made(deps, request, pod, reply, document)
    if op.kind is not None and (ident := _is_subject(request, op.kind)):
        if reply.status == 404:
            await deps.db.write(_note_absence, request, op.kind, ident)
            deps.locator.forget(op.kind, ident)
        elif op.method == "DELETE" and reply.status < 300:
            # It goes now; should the pod fail, it is still found by its routing.
            await deps.db.write(_note_absence, request, op.kind, ident)
    return rewrite.reply_out(op, reply, document, pod, request.base)


def parsed(reply: Reply) -> Any:
    """The body as JSON; None when it is none."""
    content_type = reply.header("content-type") or ""
    if not reply.body or "json" not in content_type:
        return None
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None


async def _learn_made(deps: Deps, request: Request, pod: Pod, reply: Reply, document: Any) -> None:
    kind = request.op.makes
    if kind is None:
        return
    made = made_ids(request.op.made_at, reply, document)
    if not made:
        return
    rows = [
        Routing(
            kind=kind,
            resource_id=ident,
            pod_id=pod.id,
            project_id=request.caller.project_id,
            created_at=clock.now(),
        )
        for ident in made
    ]
    await deps.db.write(routings.confirm, rows)
    for ident in made:
        deps.locator.remember(kind, ident, pod)


def made_ids(made_at: str, reply: Reply, document: Any) -> list[str]:
    """Ids of what a reply says was made; ``made_at`` as in ops.Op, alternatives with "|"."""
    for place in made_at.split("|"):
        if place == "location":
            location = reply.header("location")
            if location:
                return [location.rstrip("/").rpartition("/")[2]]
            continue
        node = document
        for step in place.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        if isinstance(node, str) and is_uuid(node):
            return [node]
    return []


def _is_subject(request: Request, kind: Kind) -> str:
    """The id when the request is about the resource itself, and not a part of it; else ""."""
    ident = request.params.get(request.op.param or kind, "")
    return ident if ident and request.path == KINDS[kind].show.format(id=ident) else ""


def _note_absence(conn: Connection, request: Request, kind: Kind, ident: str) -> None:
    """A pod says that it is gone: to somebody who would see it if it were there."""
    routing = routings.find(conn, kind, ident)
    caller = request.caller
    if routing is not None and (caller.is_admin or caller.project_id == routing.project_id):
        routings.mark_deleted(conn, kind, ident, clock.now())


async def forward_all(deps: Deps, request: Request, pods: Sequence[Pod]) -> Reply:
    """Do it in every pod that has a copy; the home's reply is the answer.

    The home goes first: what it refuses is done nowhere. A copy whose pod does not respond is
    named in the reply.
    """
    home, *others = pods
    reply = await forward(deps, request, home)
    if reply.status >= 300:
        return reply
    missing = await _repeat(deps, request, others)
    return with_missing(reply, missing)


async def _repeat(deps: Deps, request: Request, pods: Sequence[Pod]) -> list[str]:
    async def one(pod: Pod) -> str | None:
        try:
            reply = await ask(deps, request, pod, body=body_for(request, pod))
        except PodError:
            return pod.name
        # A copy that is not there (404), or is as wanted already (409), needs nothing.
        return pod.name if reply.status >= 500 else None

    names = await asyncio.gather(*(one(pod) for pod in pods))
    return [name for name in names if name]


def with_missing(reply: Reply, names: Sequence[str]) -> Reply:
    if not names:
        return reply
    header = (MISSING_PODS, ", ".join(sorted(names)))
    return Reply(reply.status, (*reply.headers, header), reply.body, reply.stream)


def json_reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(
        status,
        (("Content-Type", "application/json"), *(headers or {}).items()),
        orjson.dumps(document),
    )
