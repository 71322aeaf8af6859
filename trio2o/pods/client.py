# SPDX-License-Identifier: Apache-2.0
"""Calls to pods: one request to one service of one pod, under a deadline.

Decides what goes to the pod's door and what a failure means. Does not decide which pod, and
never repeats a call that may have acted.
"""

import asyncio
import functools
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from trio2o.errors import PodDidNotRespond, PodUnusable
from trio2o.model import Caller, Headers, Pod, Reply, Service

from .health import Health, Pass
from .transport import HOP_BY_HOP, Body, NoReply, Transport

# Where each service's operations begin below its root.
VERSION_ROOTS = {
    Service.COMPUTE: "/v2.1",
    Service.VOLUME: "/v3",
    Service.IMAGE: "/v2",
    Service.NETWORK: "/v2.0",
    Service.PLACEMENT: "",
    Service.IDENTITY: "/v3",
}
# What lists the versions that a service has; needs no token.
_VERSION_DOCUMENTS = {Service.IMAGE: "/versions"}
_VERSION = re.compile(r"/v\d+(?:\.\d+)?$")
PROJECT = "{project_id}"

# A header of a client must not speak for Keystone or for the gateway, nor of another exchange.
_DROPPED = HOP_BY_HOP | {
    "host",
    "content-length",
    "expect",
    "cookie",
    "authorization",
    "forwarded",
    "via",
    "x-real-ip",
    "x-openstack-request-id",
    "x-storage-token",
    # keystonemiddleware/auth_token/_request.py@13.0.1 sets these from a token
    "openstack-system-scope",
    "x-identity-status",
    "x-is-admin-project",
    "x-role",
    "x-roles",
    "x-service-catalog",
    "x-tenant",
}
_DROPPED_PREFIXES = (
    "x-forwarded-",
    "x-domain-",
    "x-project-",
    "x-tenant-",
    "x-user",
    "x-service-",
    "x-trio2o-",
)

Observe = Callable[[str, Service, str, str, float], None]
"""Called after each call: pod name, service, method, status or failure, seconds to the headers."""


class Endpoints(Protocol):
    """Where a pod's services are (identity.IdentityService)."""

    async def endpoint(self, pod: Pod, service: Service) -> str: ...

    async def forget(self, pod: Pod) -> None: ...


class PodClient:
    """connect_s: for DNS, TCP and TLS together."""

    def __init__(
        self,
        endpoints: Endpoints,
        transport: Transport,
        health: Health,
        *,
        connect_s: float = 5.0,
        observe: Observe | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._transport = transport
        self.health = health
        self._connect_s = connect_s
        self._observe = observe

    async def call(
        self,
        pod: Pod,
        service: Service,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Headers | None = None,
        body: Body = None,
        caller: Caller | None = None,
        request_id: str = "",
        deadline_s: float,
        stream: bool = False,
    ) -> Reply:
        """The pod's reply, of whatever status.

        path: below the version, percent-encoded: "/servers/{id}"; "" is the version's root.
        headers: of the client; what must not reach a pod is dropped. ``content-length`` counts
            only beside a streamed body: some servers cannot read a chunked one.
        caller: whose tokens go along, in the place of any in ``headers``.
        request_id: becomes the pod's global request id.
        deadline_s: for everything; of a streamed reply until the headers.
        stream: the body comes as ``Reply.stream``; read it to its end, or ``aclose()`` it. It
            raises PodDidNotRespond when it breaks off.

        Raises PodDidNotRespond, PodUnusable; and what iterating ``body`` raises.
        """
        return await self._send(
            pod,
            service,
            method,
            functools.partial(_operation_url, service, path, query, caller),
            headers=outgoing(headers or {}, body, caller=caller, request_id=request_id),
            body=body,
            deadline_s=deadline_s,
            stream=stream,
        )

    async def versions(self, pod: Pod, service: Service, *, deadline_s: float) -> Reply:
        """The list of the versions that a pod's service has. Needs no token."""
        return await self._send(
            pod,
            service,
            "GET",
            functools.partial(versions_url, service),
            headers={"accept": "application/json"},
            body=None,
            deadline_s=deadline_s,
            stream=False,
        )

    async def _send(
        self,
        pod: Pod,
        service: Service,
        method: str,
        url_below: Callable[[str], str],
        *,
        headers: Headers,
        body: Body,
        deadline_s: float,
        stream: bool,
    ) -> Reply:
        started = time.monotonic()
        url = url_below(await self._endpoint(pod, service, deadline_s))
        gate = self.health.gate(pod.name, service)
        place = await gate.enter(deadline_s - (time.monotonic() - started))
        try:
            reply = await self._transport.send(
                method,
                url,
                headers,
                body,
                connect_s=self._connect_s,
                deadline_s=max(0.001, deadline_s - (time.monotonic() - started)),
                stream=stream,
            )
        except NoReply as error:
            place.failed()
            self._seen(pod, service, method, "no-reply", started)
            if not error.may_have_acted:
                await self._endpoints.forget(pod)  # it may have moved
            raise _did_not_respond(pod, service, method, error) from error
        except BaseException:
            place.left()
            raise
        self._seen(pod, service, method, str(reply.status), started)
        if reply.stream is None:
            place.succeeded()
            return reply
        held = _Held(reply.stream, place, pod, service, method)
        return Reply(reply.status, reply.headers, stream=held)

    async def _endpoint(self, pod: Pod, service: Service, deadline_s: float) -> str:
        try:
            async with asyncio.timeout(deadline_s):
                return await self._endpoints.endpoint(pod, service)
        except TimeoutError:
            raise PodUnusable(
                pod.name, f"{pod.name} is not asked: Keystone did not give its endpoints in time"
            ) from None

    def _seen(self, pod: Pod, service: Service, method: str, outcome: str, started: float) -> None:
        if self._observe is not None:
            self._observe(pod.name, service, method, outcome, time.monotonic() - started)

    async def close(self) -> None:
        await self._transport.close()


class _Held:
    """A streamed body that keeps its place in the pod's gate until it ends."""

    def __init__(
        self, chunks: AsyncIterator[bytes], place: Pass, pod: Pod, service: Service, method: str
    ) -> None:
        self._chunks = chunks
        self._place = place
        self._pod = pod
        self._service = service
        self._method = method

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._place.succeeded()
            raise
        except NoReply as error:
            self._place.failed()
            raise _did_not_respond(self._pod, self._service, self._method, error) from error
        except BaseException:
            self._place.left()
            raise

    async def aclose(self) -> None:
        self._place.left()
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()

    def __del__(self) -> None:
        self._place.left()


def _did_not_respond(pod: Pod, service: Service, method: str, error: NoReply) -> PodDidNotRespond:
    return PodDidNotRespond(
        pod.name,
        f"{pod.name} did not respond: {service} {method}: {error.message}",
        may_have_acted=error.may_have_acted,
    )


def outgoing(
    headers: Headers, body: Body, *, caller: Caller | None = None, request_id: str = ""
) -> dict[str, str]:
    """The headers that a pod gets, of those that a client sent (names in lower case)."""
    kept = {
        name: value
        for name, value in headers.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
    if "content-length" in headers and body is not None and not isinstance(body, bytes):
        kept["content-length"] = headers["content-length"]
    if caller is not None:
        kept["x-auth-token"] = caller.token
        if caller.service_token:
            kept["x-service-token"] = caller.service_token
    if request_id:
        kept["x-openstack-request-id"] = request_id
    return kept


@functools.lru_cache(maxsize=1024)
def operations_root(service: Service, endpoint: str) -> str:
    """Where the operations of ``service`` begin; may hold ``{project_id}``.

    endpoint: of the catalogue, with or without a version, with or without a project.
    """
    root = service_root(endpoint)
    version = _VERSION.search(endpoint.removesuffix("/" + PROJECT).rstrip("/"))
    found = version.group() if version and service is not Service.PLACEMENT else ""
    # Nova takes every path without a project since Liberty; Cinder only since 3.67, and says
    # with the project in its endpoint that the operator does not count on that.
    project = "/" + PROJECT if service is Service.VOLUME and endpoint.endswith(PROJECT) else ""
    return root + (found or VERSION_ROOTS[service]) + project


@functools.lru_cache(maxsize=1024)
def service_root(endpoint: str) -> str:
    """``endpoint`` without project and version."""
    return _VERSION.sub("", endpoint.rstrip("/").removesuffix("/" + PROJECT).rstrip("/"))


def versions_url(service: Service, endpoint: str) -> str:
    return service_root(endpoint) + _VERSION_DOCUMENTS.get(service, "/")


def _operation_url(
    service: Service, path: str, query: str, caller: Caller | None, endpoint: str
) -> str:
    root = operations_root(service, endpoint)
    if PROJECT in root:
        root = root.replace(PROJECT, caller.project_id if caller is not None else "")
    return f"{root}{path}?{query}" if query else f"{root}{path}"
