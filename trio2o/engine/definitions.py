# SPDX-License-Identifier: Apache-2.0
"""Definitions: flavors, key pairs, volume types..., the same in every pod.

Reads come from one pod, the first that responds. A write goes to that pod first, whose error
is the answer; then to the others. Before anything is written every pod must be well: a change
that would reach only some pods is refused and not begun.

Ids that OpenStack lets one choose are chosen here, once (flavors). Where it does not (volume
types, QoS specs, group types), the id that clients know is that of the first pod, and the
others are found by name.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from trio2o.errors import PodDidNotRespond, PodError, PodUnusable
from trio2o.ids import is_uuid, new_uuid
from trio2o.model import Pod, Reply, Service
from trio2o.ops.definitions import DEFINITIONS, NAMED, Definition

from .deps import Deps
from .forward import ask, finish, parsed, with_missing
from .request import Request


async def read_definition(deps: Deps, request: Request, pods: Sequence[Pod]) -> Reply:
    """The reply of the first pod that responds.  Raises PodDidNotRespond when none does."""
    last: PodError = PodUnusable("", "No pod could be asked.")
    for pod in sorted(
        pods, key=lambda pod: not deps.client.health.responds(pod.name, request.service)
    ):
        try:
            own = await _own_request(deps, request, pods[0], pod)
            reply = await ask(deps, own, pod)
        except PodError as error:
            last = error
            continue
        return await finish(deps, request, pod, reply)
    raise last


async def write_definition(deps: Deps, request: Request, pods: Sequence[Pod]) -> Reply:
    """Write in the first pod, then in the others.

    Raises PodUnusable or PodDidNotRespond, with nothing written, when a pod is not well. A pod
    that fails after that is named in the reply.
    """
    for pod in pods:
        if not deps.client.health.responds(pod.name, request.service):
            raise PodUnusable(
                pod.name,
                f"Pod {pod.name} does not respond, so that this change cannot be made in every "
                "pod. Nothing was changed.",
            )
    await _all_respond(deps, request, pods)
    first, *others = pods
    request = _with_chosen_id(request)
    document = await in_names(deps, request, first)
    if document is not request.document:
        request = replace(request, document=document, body=orjson.dumps(document))
    owns = [await _own_request(deps, request, first, pod) for pod in others]
    reply = await ask(deps, request, first, body=request.body or None)
    if reply.status < 300:
        missing = await _repeat(deps, owns, reply, others)
        reply = with_missing(reply, missing)
    return await finish(deps, request, first, reply)


async def _all_respond(deps: Deps, request: Request, pods: Sequence[Pod]) -> None:
    """Raises PodDidNotRespond for the first pod that does not answer a cheap question now."""

    async def one(pod: Pod) -> None:
        await deps.client.versions(
            pod, request.service, deadline_s=deps.settings.pods.connect_timeout_s
        )

    results = await asyncio.gather(*(one(pod) for pod in pods), return_exceptions=True)
    for pod, result in zip(pods, results, strict=True):
        if isinstance(result, PodError):
            raise PodDidNotRespond(
                pod.name,
                f"Pod {pod.name} did not respond, so that this change cannot be made in every "
                "pod. Nothing was changed.",
                may_have_acted=False,
            ) from result
        if isinstance(result, BaseException):
            raise result


def _with_chosen_id(request: Request) -> Request:
    """A flavor without an id, or with "auto", gets one now: the same in all pods."""
    document = request.document
    if request.op.definition != "flavor" or request.op.action or request.op.method != "POST":
        return request
    flavor = document.get("flavor") if isinstance(document, dict) else None
    # nova/api/openstack/compute/schemas/flavors.py@34.0.0: null and "auto" mean "make one".
    if not isinstance(flavor, dict) or flavor.get("id") not in (None, "auto"):
        return request
    document = {**document, "flavor": {**flavor, "id": new_uuid()}}
    return replace(request, document=document, body=orjson.dumps(document))


async def _repeat(
    deps: Deps, owns: Sequence[Request], first: Reply, pods: Sequence[Pod]
) -> list[str]:
    """Names of the pods in which it could not be done."""

    async def one(own: Request, pod: Pod) -> str | None:
        own = _after_first(own, parsed(first))
        try:
            reply = await ask(deps, own, pod, body=own.body or None)
        except PodError:
            return pod.name
        done = reply.status < 300 or reply.status == 409
        gone = own.op.method == "DELETE" and reply.status == 404
        return None if done or gone else pod.name

    names = await asyncio.gather(*(one(own, pod) for own, pod in zip(owns, pods, strict=True)))
    return [name for name in names if name]


def _after_first(request: Request, answer: Any) -> Request:
    """A key pair that the first pod generated is imported into the others."""
    if request.op.definition != "keypair" or request.op.method != "POST":
        return request
    wanted = request.document.get("keypair") if isinstance(request.document, dict) else None
    made = answer.get("keypair") if isinstance(answer, dict) else None
    if not isinstance(wanted, dict) or not isinstance(made, dict) or wanted.get("public_key"):
        return request
    document = {"keypair": {**wanted, "public_key": made.get("public_key")}}
    return replace(request, document=document, body=orjson.dumps(document))


# ------------------------------------------------- ids that differ from pod to pod


async def _own_request(deps: Deps, request: Request, first: Pod, pod: Pod) -> Request:
    """The request with the pod's own id of the definition that the path names.

    Raises PodDidNotRespond.
    """
    definition = DEFINITIONS.get(request.op.definition)
    if definition is None or definition.id_is_same or pod.id == first.id:
        return request
    if "vol_type_id=" in request.query:
        request = await _own_query(deps, request, first, pod)
    known = request.params.get(definition.param, "")
    if not known:
        return request
    names = await _names(deps, request, definition, first)
    if known not in names:
        return request  # a name, "default", or nothing: the same text everywhere
    own_ids = {
        name: ident for ident, name in (await _names(deps, request, definition, pod)).items()
    }
    own = own_ids.get(names[known])
    if own is None:
        return request
    path = request.path.replace(f"/{quote(known)}", f"/{quote(own)}", 1)
    return replace(request, path=path)


async def _own_query(deps: Deps, request: Request, first: Pod, pod: Pod) -> Request:
    """QoS specs are associated with a volume type by an id in the query."""
    types = DEFINITIONS["volume_type"]
    names = await _names(deps, request, types, first)
    own = {name: ident for ident, name in (await _names(deps, request, types, pod)).items()}
    pairs = [
        (key, own.get(names.get(value, ""), value) if key == "vol_type_id" else value)
        for key, value in parse_qsl(request.query, keep_blank_values=True)
    ]
    return replace(request, query=urlencode(pairs))


async def _names(
    deps: Deps, request: Request, definition: Definition, pod: Pod
) -> Mapping[str, str]:
    """Id -> name of all of a pod's definitions of one kind."""
    reply = await deps.client.call(
        pod,
        Service.VOLUME,
        "GET",
        definition.list_path,
        query=definition.list_query,
        headers={
            "x-auth-token": await deps.identity.service_token(),
            "openstack-api-version": f"volume {definition.since}",
        },
        request_id=request.id,
        deadline_s=deps.settings.pods.list_deadline_s,
    )
    document = parsed(reply)
    items = document.get(definition.envelope, []) if isinstance(document, dict) else []
    return {item["id"]: item["name"] for item in items}


async def in_names(deps: Deps, request: Request, first: Pod) -> Any:
    """The request's document with names in the place of ids that only ``first`` knows.

    Names are the same in every pod.  Raises PodDidNotRespond when ids cannot be looked up.
    """
    op = request.op
    named = NAMED.get((op.service, op.method, op.path, op.action), ())
    document = request.document
    for place in named:
        idents = {text for text in _texts_at(document, place.at) if is_uuid(text)}
        if idents:
            names = await _names(deps, request, DEFINITIONS[place.definition], first)
            document = _renamed(document, place.at, names)
    return document


def _texts_at(node: Any, at: tuple[str, ...]) -> Iterator[str]:
    if not at:
        if isinstance(node, str):
            yield node
    elif at[0] == "[]":
        for item in node if isinstance(node, list) else ():
            yield from _texts_at(item, at[1:])
    elif isinstance(node, dict) and at[0] in node:
        yield from _texts_at(node[at[0]], at[1:])


def _renamed(node: Any, at: tuple[str, ...], names: Mapping[str, str]) -> Any:
    if not at:
        return names.get(node, node) if isinstance(node, str) else node
    if at[0] == "[]":
        return [_renamed(item, at[1:], names) for item in node] if isinstance(node, list) else node
    if isinstance(node, dict) and at[0] in node:
        return {**node, at[0]: _renamed(node[at[0]], at[1:], names)}
    return node
