# SPDX-License-Identifier: Apache-2.0
"""The door of the Compute, Block Storage and Image gateways: HTTP in, HTTP out.

Takes a request apart in the order in which the services themselves do: token, version,
project, route, body. Knows nothing of pods. Raw ASGI, since every request comes through here.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson

from trio2o import fault, microversion
from trio2o.engine import Engine, Request
from trio2o.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    TooLarge,
    Trio2oError,
    Unauthenticated,
)
from trio2o.ids import is_request_id, new_request_id
from trio2o.log import REQUEST_ID
from trio2o.match import Matcher
from trio2o.metrics import observe_request
from trio2o.model import Caller, Reply, Service
from trio2o.ops import Op
from trio2o.pods.access import allowed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a service's API stands below the gateway's root.

    version: the path's first segment.  needs_version: microversions are negotiated.
    """

    service: Service
    prefix: str
    version: str
    negotiates: bool


MOUNTS = {
    "compute": Mount(Service.COMPUTE, "/compute", "/v2.1", negotiates=True),
    "volume": Mount(Service.VOLUME, "/volume", "/v3", negotiates=True),
    "image": Mount(Service.IMAGE, "/image", "/v2", negotiates=False),
}
CONSISTENCY = "consistency"
MALFORMED = "Malformed request body"
UNEXPECTED = "Unexpected API Error. The gateway's log says more, under this request's id."
# Answers of a pod that are about its connection with us, or that we set ourselves.
DROPPED = frozenset(
    {
        "content-length",
        "date",
        "server",
        "vary",
        "openstack-api-version",
        "x-openstack-nova-api-version",
    }
)


class Gateway:
    """ASGI application of one mount."""

    def __init__(self, mount: Mount, engine: Engine, matcher: Matcher) -> None:
        self._mount = mount
        self._engine = engine
        self._deps = engine.deps
        self._matcher = matcher
        self._settings = engine.deps.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        headers = _headers(scope)
        asked_id = headers.get("x-openstack-request-id", "")
        request_id = asked_id if is_request_id(asked_id) else new_request_id()
        REQUEST_ID.set(request_id)
        visit = _Visit(self._mount.service, request_id)
        try:
            reply = await self._answer(scope, receive, headers, visit)
        except Trio2oError as error:
            if error.fault != "caller":
                LOG.warning("%s %s: %s", scope["method"], scope["path"], error.message)
            reply = fault.reply(
                self._mount.service,
                error,
                accept=headers.get("accept", ""),
                method=scope["method"],
            )
        except Exception:
            LOG.exception("%s %s failed", scope["method"], scope["path"])
            reply = fault.reply(self._mount.service, Trio2oError(UNEXPECTED))
        method = scope["method"]
        await _send(send, method, reply, visit)
        routing = visit.op.routing if visit.op else "none"
        took_s = time.monotonic() - started
        observe_request(self._mount.service, routing, reply.status, took_s)
        # Reads that went well are many: they are counted, and written when asked for.
        level = logging.DEBUG if method == "GET" and reply.status < 400 else logging.INFO
        if LOG.isEnabledFor(level):
            LOG.log(level, "%s %s %d %.3f s", method, scope["path"], reply.status, took_s)

    # -------------------------------------------------------------- taking it apart

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], visit: "_Visit"
    ) -> Reply:
        mount, method = self._mount, scope["method"]
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0].removeprefix(mount.prefix)
        root = self._root(scope, headers)
        if path in ("", "/", "/versions"):
            return await self._versions(root, method, path)
        if not (path == mount.version or path.startswith(mount.version + "/")):
            raise NotFound
        path = path[len(mount.version) :]
        if mount.service is not Service.IMAGE and path in ("", "/") and method in ("GET", "HEAD"):
            return await self._version(root, headers, visit)
        caller = await self._deps.identity.authenticate(headers)
        version = ""
        version_headers: Mapping[str, str] = {}
        if mount.negotiates:
            ranges = await self._deps.registry.ranges()
            spoken = microversion.negotiate(mount.service, headers, ranges[mount.service])
            visit.headers = spoken.reply_headers
            version, version_headers = spoken.version, spoken.pod_headers
        native = mount.version + unquote(path)
        if not allowed(caller, mount.service, method, native):
            raise Unauthenticated("The application credential's access rules do not allow this.")
        project, path = self._matcher.split_project(mount.service, path)
        _check_project(mount.service, project, caller)
        body, document, op, params = await self._read(
            receive, headers, method, path, version, visit
        )
        query, strict = self._own_parameters(scope, headers)
        base = f"{root}{mount.prefix}{mount.version}" + (f"/{project}" if project else "")
        return await self._engine.run(
            Request(
                id=visit.request_id,
                op=op,
                params=params,
                path=path,
                query=query,
                headers=headers,
                caller=caller,
                version=version,
                version_headers=version_headers,
                body=body,
                document=document,
                stream=_stream(receive) if op.upload else None,
                base=base,
                strict=strict,
            )
        )

    async def _read(
        self,
        receive: Receive,
        headers: Mapping[str, str],
        method: str,
        path: str,
        version: str,
        visit: "_Visit",
    ) -> tuple[bytes, Any, Op, Mapping[str, str]]:
        """The body, its JSON, and the row: an action's row is known from the body only."""
        service = self._mount.service
        limit = self._settings.api.max_body_bytes
        body, document, action = b"", None, None
        if method == "POST" and self._matcher.has_actions(service, path):
            body = await _whole(receive, headers, limit)
            document = _json(body, service)
            action = self._matcher.action(service, path, document)
        op, params = self._matcher.find(service, method, path, action)
        visit.op = op
        if not microversion.exists(op.since, op.until, version):
            raise NotFound
        if not op.upload and action is None and method not in ("GET", "HEAD"):
            body = body or await _whole(receive, headers, limit)
            if body and "json" in headers.get("content-type", "application/json"):
                document = document or _json(body, service)
        return body, document, op, {k: unquote(v) for k, v in params.items()}

    def _own_parameters(self, scope: Scope, headers: Mapping[str, str]) -> tuple[str, bool]:
        """The query without ours, and whether a list must be complete."""
        query = scope["query_string"].decode("latin-1")
        wish = headers.get("x-trio2o-consistency", "")
        if CONSISTENCY + "=" in query:
            pairs = parse_qsl(query, keep_blank_values=True)
            wish = next((value for key, value in pairs if key == CONSISTENCY), wish)
            query = urlencode([pair for pair in pairs if pair[0] != CONSISTENCY])
        wish = wish or self._settings.gateway.list_consistency
        if wish not in ("strict", "partial"):
            raise BadRequest(f'consistency is "strict" or "partial", not {wish!r}.')
        return query, wish == "strict"

    # ---------------------------------------------------------------- what we are

    def _root(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """The gateway's URL as the client sees it."""
        if self._settings.api.base_url:
            return self._settings.api.base_url.rstrip("/")
        host = headers.get("host") or "{}:{}".format(*scope["server"])
        return f"{scope.get('scheme', 'http')}://{host}"

    async def _versions(self, root: str, method: str, path: str) -> Reply:
        if method not in ("GET", "HEAD"):
            raise NotFound
        base = root + self._mount.prefix
        if self._mount.service is Service.IMAGE:
            versions = await self._deps.registry.image_versions()
            status = 200 if path == "/versions" else microversion.ROOT_STATUS[Service.IMAGE]
            return _document(status, microversion.image_versions(base, versions))
        ranges = await self._deps.registry.ranges()
        document = microversion.versions(self._mount.service, base, ranges[self._mount.service])
        return _document(microversion.ROOT_STATUS[self._mount.service], document)

    async def _version(self, root: str, headers: Mapping[str, str], visit: "_Visit") -> Reply:
        service = self._mount.service
        offered = (await self._deps.registry.ranges())[service]
        visit.headers = microversion.negotiate(service, headers, offered).reply_headers
        return _document(200, microversion.version(service, root + self._mount.prefix, offered))


def _headers(scope: Scope) -> dict[str, str]:
    """By name in lower case; those that come more than once are one, with commas (RFC 9110)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


@dataclass(slots=True)
class _Visit:
    """What is learnt of a request on the way, for its reply and the metrics."""

    service: Service
    request_id: str
    op: Op | None = None
    headers: tuple[tuple[str, str], ...] = ()


def _check_project(service: Service, project: str | None, caller: Caller) -> None:
    if project is None or project == caller.project_id:
        return
    if service is Service.COMPUTE:
        # nova/api/openstack/wsgi.py Resource._process_stack@34.0.0
        raise BadRequest(
            f"Malformed request URL: URL's project_id '{project}' doesn't match Context's "
            f"project_id '{caller.project_id}'"
        )
    if service is Service.VOLUME:
        # cinder/api/openstack/wsgi.py Resource._process_stack@29.0.0
        raise BadRequest("Malformed request url")
    raise Forbidden("The project of the URL is not the token's.")


def _json(body: bytes, service: Service) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # glance/common/wsgi.py@33.0.0; nova and cinder api/openstack/wsgi.py
        message = "Malformed JSON in request body." if service is Service.IMAGE else MALFORMED
        raise BadRequest(message) from None


async def _whole(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The request's body, held whole.  Raises TooLarge without reading more than ``limit``."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"Request is too large: more than {limit} bytes.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in _stream(receive):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"Request is too large: more than {limit} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def _stream(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The client closed the connection before the body was complete.")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


def _document(status: int, document: Any) -> Reply:
    return Reply(status, (("Content-Type", "application/json"),), orjson.dumps(document))


async def _send(send: Send, method: str, reply: Reply, visit: _Visit) -> None:
    headers = [(k, v) for name, v in reply.headers if (k := name.lower()) not in DROPPED]
    headers.extend((name.lower(), value) for name, value in visit.headers)
    if not any(name == "x-openstack-request-id" for name, _ in headers):
        headers.append(("x-openstack-request-id", visit.request_id))
        if visit.service is Service.COMPUTE:
            headers.append(("x-compute-request-id", visit.request_id))
    if reply.stream is None and reply.status not in (204, 304):
        headers.append(("content-length", str(len(reply.body))))
    elif reply.stream is not None and (length := reply.header("content-length")):
        headers.append(("content-length", length))
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers],
        }
    )
    if reply.stream is not None and method != "HEAD":
        async with aclosing(reply.stream) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})
