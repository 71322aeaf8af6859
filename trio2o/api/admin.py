# SPDX-License-Identifier: Apache-2.0
"""The admin API ``/v1.0``: an ASGI application made of the rows in admin_table.

Each request is authenticated, then allowed or not, then checked, then done; so who may not do
something learns nothing about what it would take.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trio2o import fault, ids
from trio2o.api import admin_bindings, admin_placements, admin_pods, admin_routings, openapi
from trio2o.api.admin_projects import KeystoneProjects, Projects
from trio2o.api.admin_request import (
    Answer,
    Ask,
    Deps,
    Handler,
    Parts,
    clean_body,
    clean_path,
    clean_query,
)
from trio2o.api.admin_table import OPERATIONS, Operation
from trio2o.api.policy import Policy
from trio2o.errors import MethodNotAllowed, NotFound, Trio2oError, Unauthenticated
from trio2o.log import REQUEST_ID
from trio2o.metrics import REQUESTS
from trio2o.ops import RoutingClass

LOG = logging.getLogger(__name__)

_UPDATED: Final = "2026-11-22T00:00:00Z"


async def _versions(_: Parts, ask: Ask) -> Answer:
    version = {
        "id": "v1.0",
        "status": "CURRENT",
        "updated": _UPDATED,
        "min_version": "1.0",
        "max_version": "1.0",
        "links": [{"rel": "self", "href": f"{ask.base}/v1.0/"}],
    }
    return Answer({"versions": [version]})


async def _version(_: Parts, ask: Ask) -> Answer:
    names = ("pods", "bindings", "routings", "placements")
    links = [{"rel": "self", "href": f"{ask.base}/v1.0/"}]
    links += [{"rel": name, "href": f"{ask.base}/v1.0/{name}"} for name in names]
    return Answer({"version": "1.0", "links": links})


async def _openapi(_: Parts, ask: Ask) -> Answer:
    return Answer({**openapi.document(), "servers": [{"url": ask.base}]})


HANDLERS: Final[Mapping[str, Handler]] = {
    "versions": _versions,
    "version": _version,
    "openapi": _openapi,
    **admin_pods.HANDLERS,
    **admin_bindings.HANDLERS,
    **admin_routings.HANDLERS,
    **admin_placements.HANDLERS,
}


def create_admin_app(deps: Deps, projects: Projects | None = None) -> ASGIApp:
    """The admin API, to be mounted at the root of the gateway.

    projects: None asks Keystone.

    Raises Misconfigured if the policy file cannot be read.
    """
    parts = Parts(
        settings=deps.settings,
        db=deps.db,
        identity=deps.identity,
        registry=deps.registry,
        projects=projects or KeystoneProjects(deps.settings.conf),
        policy=Policy(deps.settings.conf),
    )
    by_path = groupby(OPERATIONS, key=lambda operation: operation.path)
    routes = []
    for path, rows in by_path:
        operations = {operation.method: operation for operation in rows}
        routes.append(Route(path, _endpoint(parts, operations), methods=list(operations)))
    app = Starlette(
        routes=routes,
        exception_handlers={
            Trio2oError: _refuse,
            HTTPException: _refuse_unrouted,
            Exception: _fail,
        },
    )
    app.router.redirect_slashes = False
    return _Edge(app)


class _Edge:
    """Gives every request an id, counts it, and takes a slash too many at a path's end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked_id = Headers(scope=scope).get("x-openstack-request-id", "")
        request_id = asked_id if ids.is_request_id(asked_id) else ids.new_request_id()
        REQUEST_ID.set(request_id)
        path = scope["path"].rstrip("/") or "/"
        path = "/v1.0/" if path == "/v1.0" else path
        state = {**scope.get("state", {}), "request_id": request_id}
        scope = {**scope, "path": path, "state": state}

        started, status = time.monotonic(), "none"

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Openstack-Request-Id"] = request_id
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.monotonic() - started
            REQUESTS.labels("multipod", RoutingClass.LOCAL, status).observe(seconds)


def _endpoint(
    parts: Parts, operations: Mapping[str, Operation]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return _response(await _do(parts, operations[method], request))

    return endpoint


async def _do(parts: Parts, operation: Operation, request: Request) -> Answer:
    caller = None
    if operation.rule:
        caller = await parts.identity.authenticate(request.headers)
        if caller.access_rules is not None and not caller.service_token:
            # The rules are about services of users, and this one is not.
            raise Unauthenticated("The application credential's access rules do not allow this.")
        # Whether for anything at all; what does the operation asks again for the thing itself.
        parts.policy.require(operation.rule, caller, caller.project_id)
    path = clean_path(request.path_params)
    if path is None:
        raise _nothing_at(request)
    ask = Ask(
        operation=operation,
        base=parts.settings.api.base_url.rstrip("/") or _own_base(request),
        max_limit=parts.settings.gateway.max_limit,
        caller=caller,
        path=path,
        query=clean_query(operation, _query_string(request)) if operation.rule else {},
        body=await clean_body(operation, request) if operation.body else {},
    )
    return await HANDLERS[operation.name](parts, ask)


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    return Response(
        orjson.dumps(answer.body), answer.status, answer.headers, media_type="application/json"
    )


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Trio2oError)  # noqa: S101  registered for these only
    if error.status >= 500:
        LOG.error("%s %s: %s", request.method, request.scope["path"], error.message)
    kind, body = (
        fault.unauthenticated_body()
        if isinstance(error, Unauthenticated)
        else fault.own_body(error.status, error.code, error.message, request.state.request_id)
    )
    return Response(body, error.status, dict(error.headers), media_type=kind)


async def _refuse_unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for these only
    if error.status_code == 405:
        allow = tuple(sorted((error.headers or {}).get("Allow", "").split(", ")))
        said = f"{request.scope['path']} takes {', '.join(allow)}, not {request.method}."
        return await _refuse(request, MethodNotAllowed(said, allow))
    return await _refuse(request, _nothing_at(request))


def _nothing_at(request: Request) -> NotFound:
    return NotFound(f"There is nothing at {request.scope['path']}.")


def _query_string(request: Request) -> str:
    text: bytes = request.scope["query_string"]
    return text.decode("latin-1")


def _own_base(request: Request) -> str:
    """The URL that the caller came by, as the server and the Host header have it."""
    scope = request.scope
    host = request.headers.get("host") or "{}:{}".format(*(scope.get("server") or ("", "")))
    return f"{scope['scheme']}://{host}{scope.get('root_path', '').rstrip('/')}"


async def _fail(request: Request, error: Exception) -> Response:
    LOG.critical("%s %s", request.method, request.scope["path"], exc_info=error)
    return await _refuse(request, Trio2oError("The request failed; the log of the API says why."))
